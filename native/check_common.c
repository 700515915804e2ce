/* The common configuration structure: accesses decoded into fields, and the state that they set. */
#include "check_facts.h"

#include <string.h>

typedef struct field_row {
  const char *name;
  uint32_t offset, width;
  bool writable;
  int reg; /* its register of a queue, NONE if it is not one */
} field_row;

static const field_row ROWS[VIO_FIELDS] = {
    [F_DEVICE_FEATURE_SELECT] = {"device_feature_select", VIO_COMMON_DEVICE_FEATURE_SELECT, 4, true,
                                 NONE},
    [F_DEVICE_FEATURE] = {"device_feature", VIO_COMMON_DEVICE_FEATURE, 4, false, NONE},
    [F_DRIVER_FEATURE_SELECT] = {"driver_feature_select", VIO_COMMON_DRIVER_FEATURE_SELECT, 4, true,
                                 NONE},
    [F_DRIVER_FEATURE] = {"driver_feature", VIO_COMMON_DRIVER_FEATURE, 4, true, NONE},
    [F_CONFIG_VECTOR] = {"config_msix_vector", VIO_COMMON_CONFIG_MSIX_VECTOR, 2, true, NONE},
    [F_NUM_QUEUES] = {"num_queues", VIO_COMMON_NUM_QUEUES, 2, false, NONE},
    [F_STATUS] = {"device_status", VIO_COMMON_DEVICE_STATUS, 1, true, NONE},
    [F_GENERATION] = {"config_generation", VIO_COMMON_CONFIG_GENERATION, 1, false, NONE},
    [F_QUEUE_SELECT] = {"queue_select", VIO_COMMON_QUEUE_SELECT, 2, true, NONE},
    [F_QUEUE_SIZE] = {"queue_size", VIO_COMMON_QUEUE_SIZE, 2, true, R_SIZE},
    [F_QUEUE_VECTOR] = {"queue_msix_vector", VIO_COMMON_QUEUE_MSIX_VECTOR, 2, true, R_VECTOR},
    [F_QUEUE_ENABLE] = {"queue_enable", VIO_COMMON_QUEUE_ENABLE, 2, true, R_ENABLE},
    [F_NOTIFY_OFF] = {"queue_notify_off", VIO_COMMON_QUEUE_NOTIFY_OFF, 2, false, R_NOTIFY_OFF},
    [F_DESC] = {"queue_desc", VIO_COMMON_QUEUE_DESC, 8, true, R_DESC},
    [F_DRIVER] = {"queue_driver", VIO_COMMON_QUEUE_DRIVER, 8, true, R_DRIVER},
    [F_DEVICE] = {"queue_device", VIO_COMMON_QUEUE_DEVICE, 8, true, R_DEVICE},
    [F_CONFIG_DATA] = {"queue_notif_config_data", VIO_COMMON_QUEUE_NOTIF_CONFIG_DATA, 2, false,
                       R_CONFIG_DATA},
    [F_QUEUE_RESET] = {"queue_reset", VIO_COMMON_QUEUE_RESET, 2, true, R_RESET},
    [F_ADMIN_INDEX] = {"admin_queue_index", VIO_COMMON_ADMIN_QUEUE_INDEX, 2, false, NONE},
    [F_ADMIN_NUM] = {"admin_queue_num", VIO_COMMON_ADMIN_QUEUE_NUM, 2, false, NONE},
};

const char *vio_check_field_name(enum vio_check_field field) { return ROWS[field].name; }

enum vio_check_reg vio_check_field_reg(enum vio_check_field field, uint32_t half) {
  return (enum vio_check_reg)(ROWS[field].reg + (int)half);
}

/* The field that an access of this shape reaches; false if there is none. */
static bool find_field(uint64_t offset, uint64_t length, enum vio_check_field *field, uint32_t *half) {
  for (uint32_t i = 0; i < VIO_FIELDS; i++) {
    const field_row *row = &ROWS[i];
    if (offset < row->offset || offset >= row->offset + row->width) continue;
    const uint64_t inner = offset - row->offset, width = row->width == 8 ? 4 : row->width;
    *field = (enum vio_check_field)i;
    *half = (uint32_t)(inner / width);
    return inner % width == 0 && length == width;
  }
  return false;
}

void vio_check_common_restart(vio_checker *checker) {
  for (int i = 0; i < VIO_FIELDS; i++)
    if (i != F_NUM_QUEUES) checker->values[i] = NONE;
}

static vio_check_queue *selected(vio_checker *checker) {
  const int64_t select = checker->values[F_QUEUE_SELECT];
  return select == NONE ? NULL : vio_check_queue_at(checker, (uint32_t)select);
}

static uint32_t little(const uint8_t *data, uint64_t length) {
  uint32_t value = 0;
  for (uint64_t i = length; i-- > 0;) value = value << 8 | data[i];
  return value;
}

static void queue_read(vio_checker *checker, vio_check_queue *queue, const vio_fact *fact) {
  queue->regs[vio_check_field_reg(fact->name, fact->half)] = (int64_t)fact->value;
  if (fact->name == F_QUEUE_VECTOR) queue->vector = (int32_t)fact->value;
  if (fact->name == F_QUEUE_ENABLE && queue->enabled == NONE) queue->enabled = fact->value != 0;
  if (fact->name == F_QUEUE_RESET && fact->value == 0 && queue->resetting)
    vio_check_queue_reset_done(checker, queue);
}

void vio_check_common_read(vio_checker *checker, uint64_t offset, const uint8_t *data, uint64_t length) {
  vio_fact fact = {.kind = FACT_FIELD_READ};
  if (!find_field(offset, length, &fact.name, &fact.half)) {
    vio_check_publish(
        checker,
        &(vio_fact){.kind = FACT_BAD_ACCESS, .common = true, .offset = offset, .length = length});
    return;
  }
  fact.value = little(data, length);
  if (fact.name == F_STATUS) {
    vio_check_status_read(checker, (int)fact.value);
    return;
  }
  if (ROWS[fact.name].reg != NONE) {
    fact.queue = selected(checker);
    if (fact.queue == NULL) return;
  }
  vio_check_publish(checker, &fact);
  if (fact.queue != NULL) {
    queue_read(checker, fact.queue, &fact);
  } else if (fact.name == F_DEVICE_FEATURE) {
    const int64_t select = checker->values[F_DEVICE_FEATURE_SELECT];
    if (select == NONE || select >= VIO_WORDS) return;
    checker->session.offered.word[select] = (uint32_t)fact.value;
    checker->session.offered.known |= 1ull << select;
  } else {
    checker->values[fact.name] = (int64_t)fact.value;
  }
}

/* A write of no field's shape: what it did is for the driver to read back. */
static void forget(vio_checker *checker, uint64_t offset, uint64_t length) {
  vio_check_queue *queue = selected(checker);
  for (int i = 0; i < VIO_FIELDS; i++) {
    const field_row *row = &ROWS[i];
    const uint32_t width = row->width == 8 ? 4 : row->width;
    for (uint32_t half = 0; half * width < row->width; half++) {
      const uint64_t start = row->offset + half * width;
      if (offset >= start + width || (vio_wide)offset + length <= start) continue;
      checker->values[i] = NONE;
      if (queue != NULL && row->reg != NONE)
        queue->regs[vio_check_field_reg((enum vio_check_field)i, half)] = NONE;
      if (i == F_STATUS) checker->session.status = NONE;
    }
  }
}

static void queue_write(vio_checker *checker, const vio_fact *fact) {
  vio_check_queue *queue = fact->queue;
  const enum vio_check_reg reg = vio_check_field_reg(fact->name, fact->half);
  queue->written |= 1u << reg;
  if (fact->name == F_QUEUE_ENABLE) {
    if (fact->value == 1) vio_check_queue_enable(checker, queue);
  } else if (fact->name == F_QUEUE_RESET) {
    if (fact->value != 1 || vio_check_session_lacks(&checker->session, VIO_FEATURE_RING_RESET)) return;
    queue->resetting = true;
    vio_check_publish(checker, &(vio_fact){.kind = FACT_QUEUE_RESET_WRITTEN, .queue = queue});
  } else {
    const bool area = fact->name == F_DESC || fact->name == F_DRIVER || fact->name == F_DEVICE;
    /* Nothing says that a live ring can be moved: whether it was is for the driver to read back. */
    queue->regs[reg] = area && queue->enabled == 1 ? NONE : (int64_t)fact->value;
    if (fact->name != F_QUEUE_VECTOR) return;
    queue->vector = (int32_t)fact->value;
    vio_check_interrupts_remap(checker, queue, (uint32_t)fact->value);
  }
}

static void accept_word(vio_checker *checker, uint32_t value) {
  const int64_t select = checker->values[F_DRIVER_FEATURE_SELECT];
  if (select == NONE || select >= VIO_WORDS || checker->session.features_ok_written) return;
  checker->session.accepted.word[select] = value;
  checker->session.accepted.known |= 1ull << select;
}

void vio_check_common_write(vio_checker *checker, uint64_t offset, const uint8_t *data, uint64_t length) {
  vio_fact fact = {.kind = FACT_FIELD_WRITE, .write = true};
  if (!find_field(offset, length, &fact.name, &fact.half)) {
    vio_check_publish(
        checker,
        &(vio_fact){
            .kind = FACT_BAD_ACCESS, .common = true, .write = true, .offset = offset, .length = length});
    forget(checker, offset, length);
    return;
  }
  fact.value = little(data, length);
  if (fact.name == F_STATUS) {
    vio_check_status_write(checker, (int)fact.value);
    return;
  }
  const field_row *row = &ROWS[fact.name];
  if (row->reg != NONE) {
    fact.queue = selected(checker);
    if (fact.queue == NULL) return;
  }
  vio_check_publish(checker, &fact);
  if (!row->writable) return;
  if (fact.queue != NULL) {
    queue_write(checker, &fact);
  } else if (fact.name == F_DRIVER_FEATURE) {
    accept_word(checker, (uint32_t)fact.value);
  } else {
    checker->values[fact.name] = (int64_t)fact.value;
    if (fact.name == F_CONFIG_VECTOR) vio_check_interrupts_remap(checker, NULL, (uint32_t)fact.value);
  }
}
