/* Reserved feature bits (virtio 1.4, 6). */
#include "check_facts.h"

#include <string.h>

static void accepted(vio_checker *checker, const vio_fact *fact) {
  static const struct {
    enum vio_clause clause;
    uint32_t bit;
    const char *name;
  } ROWS[] = {{VIO_DRV_RSVD_001, VIO_FEATURE_VERSION_1, "VERSION_1"},
              {VIO_DRV_RSVD_003, VIO_FEATURE_ACCESS_PLATFORM, "ACCESS_PLATFORM"},
              {VIO_DRV_RSVD_006, VIO_FEATURE_RING_PACKED, "RING_PACKED"},
              {VIO_DRV_RSVD_007, VIO_FEATURE_ORDER_PLATFORM, "ORDER_PLATFORM"},
              {VIO_DRV_RSVD_013, VIO_FEATURE_NOTIF_CONFIG_DATA, "NOTIF_CONFIG_DATA"}};
  for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS && fact->offered != NULL; i++)
    if (vio_check_set_has(fact->offered, ROWS[i].bit))
      JUDGE(ROWS[i].clause, vio_check_set_has(fact->accepted, ROWS[i].bit),
            "%s is offered but not accepted", ROWS[i].name);
  const int position = vio_check_config_sr_iov(&checker->config);
  if (vio_check_set_has(fact->accepted, VIO_FEATURE_SR_IOV) && position != NONE)
    JUDGE(VIO_DRV_RSVD_010, position > 0, "SR_IOV is accepted, but the device has no SR-IOV capability");
}

static void offered(vio_checker *checker, const vio_check_set *set) {
  const int position = vio_check_config_sr_iov(&checker->config);
  const bool sr_iov = vio_check_set_has(set, VIO_FEATURE_SR_IOV);
  if (checker->header.verilator)
    JUDGE(VIO_DEV_RSVD_008,
          vio_check_set_has(set, VIO_FEATURE_ACCESS_PLATFORM) &&
              vio_check_set_has(set, VIO_FEATURE_ORDER_PLATFORM),
          "ACCESS_PLATFORM and ORDER_PLATFORM are not both offered");
  if (position > 0) JUDGE(VIO_DEV_RSVD_009, sr_iov, "there is SR-IOV, but SR_IOV is not offered");
  if (position == 0) JUDGE(VIO_DEV_RSVD_010, !sr_iov, "SR_IOV is offered, but there is no SR-IOV");
}

void vio_rules_reserved(vio_checker *checker, const vio_fact *fact) {
  bool *negotiated = &checker->rules.features.sr_iov;
  if (fact->kind == FACT_FEATURES_OK && fact->accepted != NULL) accepted(checker, fact);
  if (fact->kind == FACT_FEATURES_OK && fact->offered != NULL) offered(checker, fact->offered);
  if (fact->kind == FACT_NEGOTIATED && fact->kept &&
      vio_check_session_has(&checker->session, VIO_FEATURE_SR_IOV))
    *negotiated = true;
  if (fact->kind == FACT_FIELD_READ && fact->name == F_DEVICE_FEATURE &&
      checker->values[F_DEVICE_FEATURE_SELECT] == 1)
    JUDGE(VIO_DEV_RSVD_001, fact->value & 1, "VERSION_1 is not offered");
  if (fact->kind != FACT_PCI_WRITE) return;
  const int position = vio_check_config_sr_iov(&checker->config);
  if (position > 0 && fact->offset == (uint64_t)position + 8 && fact->data[0] & 1)
    JUDGE(VIO_DRV_RSVD_011, *negotiated, "VF Enable is set, but SR_IOV was not negotiated");
}

void vio_rules_begin(vio_rules *rules) {
  memset(rules->features.taken, 0xff, sizeof rules->features.taken);
  memset(rules->features.words, 0xff, sizeof rules->features.words);
  rules->config.generation = rules->config.at_read = rules->config.changed = NONE;
  rules->interrupts.changes = NONE;
  rules->notify.used_queue = NONE;
  rules->suspend.since = rules->suspend.resume_since = rules->suspend.generation = NONE;
  rules->suspend.resumed = NONE;
  memset(rules->suspend.bytes, 0xff, sizeof rules->suspend.bytes);
  memset(rules->suspend.before, 0xff, sizeof rules->suspend.before);
  memset(rules->suspend.written, 0xff, sizeof rules->suspend.written);
}
