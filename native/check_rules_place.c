/* Where notification structures lie, and whether they hold every queue's doorbell (virtio 1.4, 4.1.4.4).
 */
#include "check_facts.h"

#define U(value) ((unsigned long long)(value))

static bool power_of_two(uint32_t value) { return value > 0 && (value & (value - 1)) == 0; }

static void judge_place(vio_checker *checker, const vio_check_place *place, bool data) {
  const uint32_t width = data ? 4 : 2, multiplier = place->multiplier;
  JUDGE(data ? VIO_DEV_PCI_036 : VIO_DEV_PCI_030, place->offset % width == 0,
        "the notification structure is at offset 0x%llx", U(place->offset));
  JUDGE(data ? VIO_DEV_PCI_035 : VIO_DEV_PCI_031,
        multiplier == 0 || (multiplier >= width && power_of_two(multiplier)),
        "notify_off_multiplier is %u", multiplier);
  JUDGE(data ? VIO_DEV_PCI_037 : VIO_DEV_PCI_032, place->length >= width,
        "the notification structure is %llu bytes long", U(place->length));
}

static void judge_queue(vio_checker *checker, const vio_fact *fact, bool data) {
  const uint64_t width = data ? 4 : 2;
  for (uint32_t i = 0; i < checker->config.place_count; i++) {
    const vio_check_place *place = &checker->config.places[i];
    if (place->kind != PLACE_NOTIFY) continue;
    const uint64_t end = fact->value * place->multiplier + width;
    const bool good = end <= place->length;
    JUDGE(data ? VIO_DEV_PCI_038 : VIO_DEV_PCI_034, good,
          "the doorbell of queue %u ends at 0x%llx of 0x%llx bytes", fact->queue->index, U(end),
          U(place->length));
    JUDGE(data ? VIO_DEV_PCI_039 : VIO_DEV_PCI_033, good,
          "the doorbell of queue %u ends at 0x%llx of 0x%llx bytes", fact->queue->index, U(end),
          U(place->length));
  }
}

void vio_rules_notify_place(vio_checker *checker, const vio_fact *fact) {
  if (fact->kind == FACT_FEATURES_OK && fact->offered != NULL) {
    const bool data = vio_check_set_has(fact->offered, VIO_FEATURE_NOTIFICATION_DATA);
    for (uint32_t i = 0; i < checker->config.place_count; i++)
      if (checker->config.places[i].kind == PLACE_NOTIFY)
        judge_place(checker, &checker->config.places[i], data);
  }
  const vio_check_set *offered = &checker->session.offered;
  if (fact->kind == FACT_FIELD_READ && fact->name == F_NOTIFY_OFF && offered->known & 2u &&
      fact->queue->regs[R_SIZE] != 0)
    judge_queue(checker, fact, vio_check_set_has(offered, VIO_FEATURE_NOTIFICATION_DATA));
}
