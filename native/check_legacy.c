/* Sessions of drivers from before virtio 1: rings in one block of pages, features in force as written;
 * and the legacy register block of a transitional PCI function (virtio 1.4, 4.1.4.10). */
#include "check_facts.h"

enum field { FIELD_NONE, OFFERED, ACCEPTED, PAGE, SIZE, SELECT, NOTIFY, STATUS, ISR, CONFIG_VECTOR, VECTOR };

static enum field field_at(const vio_checker *checker, uint64_t addr, uint64_t length) {
  static const struct {
    uint32_t offset, width;
    enum field field;
  } ROWS[] = {{VIO_LEGACY_DEVICE_FEATURES, 4, OFFERED},         {VIO_LEGACY_DRIVER_FEATURES, 4, ACCEPTED},
              {VIO_LEGACY_QUEUE_ADDRESS, 4, PAGE},              {VIO_LEGACY_QUEUE_SIZE, 2, SIZE},
              {VIO_LEGACY_QUEUE_SELECT, 2, SELECT},             {VIO_LEGACY_QUEUE_NOTIFY, 2, NOTIFY},
              {VIO_LEGACY_DEVICE_STATUS, 1, STATUS},            {VIO_LEGACY_ISR_STATUS, 1, ISR},
              {VIO_LEGACY_CONFIG_MSIX_VECTOR, 2, CONFIG_VECTOR}, {VIO_LEGACY_QUEUE_MSIX_VECTOR, 2, VECTOR}};
  const uint64_t end =
      checker->config.msix_enabled == 1 ? VIO_LEGACY_CFG_LENGTH_MSIX : VIO_LEGACY_CFG_LENGTH;
  for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS && addr < end; i++)
    if (ROWS[i].offset == addr && ROWS[i].width == length) return ROWS[i].field;
  return FIELD_NONE;
}

static uint32_t little(const uint8_t *data, uint64_t length) {
  uint32_t value = 0;
  for (uint64_t i = 0; i < length; i++) value |= (uint32_t)data[i] << 8 * i;
  return value;
}

static void take_word(vio_check_set *set, uint32_t value) {
  *set = (vio_check_set){.known = 3};
  set->word[0] = value;
}

bool vio_check_legacy_at(const vio_checker *checker, uint32_t bar) {
  const int64_t id = vio_check_config_value(&checker->config, VIO_PCI_DEVICE_ID, 2);
  const int64_t command = checker->config.command;
  return bar == 0 && id >= 0x1000 && id < 0x1040 &&
         (command == NONE || ((uint64_t)command & VIO_PCI_COMMAND_IO) != 0);
}

void vio_check_legacy_restart(vio_checker *checker) {
  checker->legacy.select = checker->legacy.config_vector = NONE;
}

/* ---- what both buses of old have in common ---- */

void vio_check_legacy_begin(vio_checker *checker) {
  vio_check_session *session = &checker->session;
  if (session->phase == PHASE_RESETTING) {
    vio_check_boundary_end_reset(checker, false);
    session->reset_kind = RESET_NONE;
  }
  session->begun = true;
  session->phase = PHASE_LIVE;
}

void vio_check_legacy_open(vio_checker *checker, vio_check_queue *queue, uint32_t size, uint32_t page) {
  if (queue->enabled == 1 || !checker->session.known) return;
  checker->session.features_ok_written = true;
  const uint64_t start = (uint64_t)page * VIO_LEGACY_PAGE_SIZE, avail = start + 16ull * size;
  const uint64_t used = (avail + 6 + 2ull * size + VIO_LEGACY_PAGE_SIZE - 1) / VIO_LEGACY_PAGE_SIZE;
  const uint64_t areas[3] = {start, avail, used * VIO_LEGACY_PAGE_SIZE};
  vio_check_queue_open(checker, queue, size, areas);
}

void vio_check_legacy_kick(vio_checker *checker, vio_check_queue *queue) {
  if (queue->ring != NULL) vio_check_ring_doorbell(checker, queue->ring, queue->index, 2);
}

/* ---- the register block ---- */

static vio_check_queue *selected(vio_checker *checker) {
  const int64_t select = checker->legacy.select;
  return select == NONE ? NULL : vio_check_queue_at(checker, (uint32_t)select);
}

static void vector_read(vio_checker *checker, enum field field, uint32_t value) {
  vio_check_queue *queue = field == VECTOR ? selected(checker) : NULL;
  if (field == VECTOR && queue == NULL) return;
  const int64_t written = queue == NULL ? checker->legacy.config_vector : queue->legacy_vector;
  if (written != NONE)
    vio_check_publish(
        checker, &(vio_fact){.kind = FACT_LEGACY_VECTOR, .before = (int)written, .value = value});
  if (queue != NULL) queue->vector = (int32_t)value;
  else checker->values[F_CONFIG_VECTOR] = value;
}

void vio_check_legacy_read(vio_checker *checker, uint64_t addr, const uint8_t *data, uint64_t length) {
  vio_check_session *session = &checker->session;
  const enum field field = field_at(checker, addr, length);
  if (field == FIELD_NONE) return;
  const uint32_t value = little(data, length);
  vio_check_queue *queue;
  switch (field) {
    case ISR:
      vio_check_interrupts_isr(checker, (uint8_t)value);
      break;
    case OFFERED:
      take_word(&session->offered, value);
      vio_check_publish(checker, &(vio_fact){.kind = FACT_LEGACY_OFFER, .value = value});
      break;
    case STATUS:
      if ((value & VIO_STATUS_DEVICE_NEEDS_RESET) != 0) session->needs_reset = true;
      if (session->phase == PHASE_RESETTING && value == 0) vio_check_boundary_end_reset(checker, true);
      break;
    case SIZE:
      queue = selected(checker);
      if (queue != NULL) queue->regs[R_SIZE] = value;
      break;
    case CONFIG_VECTOR:
    case VECTOR:
      vector_read(checker, field, value);
      break;
    default:
      break;
  }
}

static void place(vio_checker *checker, vio_check_queue *queue, uint32_t page) {
  if (page == 0) vio_check_queue_close(checker, queue);
  else if (queue->regs[R_SIZE] != NONE)
    vio_check_legacy_open(checker, queue, (uint32_t)queue->regs[R_SIZE], page);
}

static void take(vio_checker *checker, enum field field, uint32_t value) {
  vio_check_queue *queue = selected(checker);
  switch (field) {
    case STATUS:
      checker->session.status = (int)value;
      break;
    case ACCEPTED:
      take_word(&checker->session.accepted, value);
      break;
    case CONFIG_VECTOR:
      checker->legacy.config_vector = value;
      vio_check_interrupts_remap(checker, NULL, value);
      break;
    case NOTIFY:
      queue = vio_map_get(&checker->queue_map, value);
      if (queue != NULL) vio_check_legacy_kick(checker, queue);
      break;
    case VECTOR:
      if (queue == NULL) break;
      queue->legacy_vector = value;
      vio_check_interrupts_remap(checker, queue, value);
      break;
    case PAGE:
      if (queue != NULL) place(checker, queue, value);
      break;
    default:
      break;
  }
}

void vio_check_legacy_write(vio_checker *checker, uint64_t addr, const uint8_t *data, uint64_t length) {
  const enum field field = field_at(checker, addr, length);
  if (field == FIELD_NONE) return;
  const uint32_t value = little(data, length);
  if (field == STATUS && value == 0) {
    vio_check_boundary_begin_reset(checker, RESET_STATUS);
  } else if (field == SELECT) {
    checker->legacy.select = value;
  } else if (checker->session.known) {
    vio_check_note(checker, NOTE_LEGACY);
    vio_check_legacy_begin(checker);
    take(checker, field, value);
  }
}
