/* Device initialization and cleanup (virtio 1.4, 3.1 and 3.3). */
#include "check_facts.h"

#define STEPS (VIO_STATUS_ACKNOWLEDGE | VIO_STATUS_DRIVER | VIO_STATUS_FEATURES_OK | VIO_STATUS_DRIVER_OK)

/* Whether this write sets a bit for the first time in a session. */
static bool is_step(const vio_checker *checker, const vio_fact *fact, unsigned bit) {
  const vio_check_session *session = &checker->session;
  const unsigned before = fact->before == NONE ? 0 : (unsigned)fact->before,
                 value = (unsigned)fact->value;
  if (!session->known || fact->restarted || value & VIO_STATUS_FAILED || session->driver_ok) return false;
  return (value & bit) != 0 && !(before & bit);
}

static bool went_wrong(const vio_checker *checker) {
  return checker->session.features_ok == 0 || checker->session.failed;
}

static void begins(vio_checker *checker, const vio_fact *fact) {
  const vio_check_session *session = &checker->session;
  const unsigned value = (unsigned)fact->value;
  const bool first = !session->begun && session->reset_kind != RESET_NONE;
  if (fact->restarted)
    BREACHED(VIO_DRV_INIT_001, "status 0x%02x begins a bring-up, but the device was not reset", value);
  else if (first) HELD(VIO_DRV_INIT_001);
  if (first && !(value & VIO_STATUS_FAILED))
    JUDGE(VIO_DRV_INIT_002, value == VIO_STATUS_ACKNOWLEDGE, "the first status written is 0x%02x", value);
  if (is_step(checker, fact, VIO_STATUS_DRIVER))
    JUDGE(VIO_DRV_INIT_003, (value & STEPS) == (VIO_STATUS_ACKNOWLEDGE | VIO_STATUS_DRIVER),
          "DRIVER is set by writing 0x%02x", value);
}

static void goes_live(vio_checker *checker, const vio_fact *fact) {
  const vio_check_session *session = &checker->session;
  const bool step = is_step(checker, fact, VIO_STATUS_DRIVER_OK);
  if (step)
    JUDGE(VIO_DRV_INIT_007, session->features_ok_written,
          "DRIVER_OK is set, but FEATURES_OK never was before");
  const bool fresh = fact->value & VIO_STATUS_DRIVER_OK && !session->driver_ok;
  if (fresh && session->known) HELD(VIO_DRV_INIT_008);
  if (step && session->features_ok_written) {
    if (session->features_ok == NONE)
      BREACHED(VIO_DRV_INIT_009, "DRIVER_OK is set without reading FEATURES_OK back");
    else
      JUDGE(VIO_DRV_INIT_009, session->features_ok == 1,
            "DRIVER_OK is set although FEATURES_OK did not stand");
  }
  if (step)
    JUDGE(VIO_DRV_INIT_011, (fact->value & STEPS) == STEPS, "DRIVER_OK is set by writing 0x%02x",
          (unsigned)fact->value);
  if (fresh && went_wrong(checker))
    BREACHED(VIO_DRV_INIT_013, "DRIVER_OK is set although initialization went wrong");
}

static void features_ok(vio_checker *checker, const vio_fact *fact) {
  if (!checker->session.known) return;
  bool *read = &checker->rules.init.read;
  *read = *read || fact->offered != NULL;
  if (!*read)
    BREACHED(VIO_DRV_INIT_004, "FEATURES_OK is set, but device_feature words 0 and 1 were not both read");
  else
    JUDGE(VIO_DRV_INIT_004, fact->accepted != NULL, "driver_feature words 0 and 1 were not both written");
}

static void config_write(vio_checker *checker, const vio_fact *fact) {
  const bool console = vio_check_device_type(checker) == (int)VIO_DEVICE_TYPE_CONSOLE;
  if ((console && fact->offset >= VIO_CONSOLE_CFG_EMERG_WR) || !checker->session.known) return;
  JUDGE(VIO_DRV_INIT_006, checker->session.features_ok_written,
        "device configuration at 0x%llx is written before FEATURES_OK", (unsigned long long)fact->offset);
}

static void feature_write(vio_checker *checker, const vio_fact *fact) {
  const vio_check_session *session = &checker->session;
  const int64_t select = checker->values[F_DRIVER_FEATURE_SELECT];
  if (session->known && session->status != NONE && !(session->status & (int)VIO_STATUS_DRIVER))
    BREACHED(VIO_DRV_INIT_004, "driver_feature is written before DRIVER is set");
  if (!session->known || !session->features_ok_written || select == NONE) return;
  const uint32_t accepted = select < VIO_WORDS ? session->accepted.word[select] : 0;
  const uint32_t fresh = (uint32_t)fact->value & ~accepted;
  JUDGE(VIO_DRV_INIT_008, fresh == 0, "bits 0x%x of word %lld are accepted after FEATURES_OK", fresh,
        (long long)select);
}

static void queue_write(vio_checker *checker, const vio_fact *fact) {
  const vio_check_session *session = &checker->session;
  const bool enable = fact->name == F_QUEUE_ENABLE;
  const bool concerned = enable || fact->name == F_QUEUE_SIZE || fact->name == F_DESC ||
                         fact->name == F_DRIVER || fact->name == F_DEVICE;
  if (!concerned || !session->known || fact->queue == NULL || (enable && fact->value != 1)) return;
  if (!session->features_ok_written)
    BREACHED(VIO_DRV_INIT_010, "%s of queue %u is written before FEATURES_OK",
             vio_check_field_name(fact->name), fact->queue->index);
  else if (session->driver_ok && !fact->queue->was_reset)
    BREACHED(VIO_DRV_INIT_010, "%s of queue %u is written after DRIVER_OK",
             vio_check_field_name(fact->name), fact->queue->index);
  else if (enable) HELD(VIO_DRV_INIT_010);
}

static void session_over(vio_checker *checker, const vio_fact *fact) {
  const vio_check_session *session = &checker->session;
  if (session->features_ok == 0 && !fact->final)
    JUDGE(VIO_DRV_INIT_012, session->failed,
          "FEATURES_OK did not stand, and the driver never set FAILED");
  if (went_wrong(checker) && !session->driver_ok) HELD(VIO_DRV_INIT_013);
}

static void store(vio_checker *checker, const vio_fact *fact) {
  const uint32_t queue = fact->queue->index;
  JUDGE(VIO_DRV_INIT_015, fact->problem != STORE_EXPOSED,
        "queue %u: descriptor %u belongs to an exposed buffer", queue, fact->slot);
  checker->rules.init.stores = true;
  if (fact->problem == STORE_DEVICE_RESET)
    BREACHED(VIO_DRV_INIT_016, "queue %u: its ring is written while reset is not confirmed yet", queue);
  if (fact->problem == STORE_TAKEN_BACK)
    BREACHED(VIO_DRV_INIT_016, "queue %u: memory of the exposed buffer %u is written", queue, fact->slot);
}

void vio_rules_init(vio_checker *checker, const vio_fact *fact) {
  switch (fact->kind) {
    case FACT_STATUS_WRITE:
      begins(checker, fact);
      goes_live(checker, fact);
      break;
    case FACT_FEATURES_OK:
      features_ok(checker, fact);
      break;
    case FACT_CONFIG_WRITE:
      config_write(checker, fact);
      break;
    case FACT_FIELD_WRITE:
      if (fact->name == F_DRIVER_FEATURE) feature_write(checker, fact);
      queue_write(checker, fact);
      break;
    case FACT_SESSION_OVER:
      session_over(checker, fact);
      break;
    case FACT_DOORBELL:
      if (checker->session.known)
        JUDGE(VIO_DRV_INIT_014, checker->session.driver_ok,
              "a doorbell at offset 0x%llx before DRIVER_OK", (unsigned long long)fact->offset);
      break;
    case FACT_DRIVER_STORE:
      store(checker, fact);
      break;
    case FACT_RESET_DONE:
      if (fact->by_read && checker->rules.init.stores) HELD(VIO_DRV_INIT_016);
      checker->rules.init.stores = false;
      break;
    default:
      break;
  }
}
