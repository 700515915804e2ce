/* The state behind the boundary: takes events in, keeps the parts together. */
#include "check_facts.h"

#include <string.h>

int64_t vio_check_issued(const vio_checker *checker) {
  return checker->event_asked == NONE ? checker->event_t : checker->event_asked;
}

void vio_check_note(vio_checker *checker, enum vio_note note) {
  if (checker->notes[note]) return;
  checker->notes[note] = true;
  checker->note_order[checker->note_count++] = (uint8_t)note;
}

void vio_check_note_start(vio_checker *checker) {
  if (checker->began) return;
  checker->began = true;
  vio_check_note(checker, NOTE_MIDDLE);
}

void vio_check_boundary_settle_layout(vio_checker *checker) {
  if (checker->settled) return;
  checker->settled = true;
  vio_check_publish(checker, &(vio_fact){.kind = FACT_LAYOUT});
}

/* ---- sessions ---- */

static void remember_features(vio_checker *checker) {
  const vio_check_session *session = &checker->session;
  if ((!session->features_ok_written && session->offered.known == 0) ||
      checker->past_count == VIO_SESSIONS)
    return;
  vio_check_past *past = &checker->past[checker->past_count];
  past->offered = session->offered;
  past->features_known = vio_check_session_features(session, &past->features);
  for (size_t i = 0; i < checker->past_count; i++) {
    const vio_check_past *other = &checker->past[i];
    if (other->features_known == past->features_known &&
        vio_check_set_same(&other->offered, &past->offered) &&
        vio_check_set_same(&other->features, &past->features))
      return;
  }
  checker->past_count++;
}

static void end_session(vio_checker *checker, bool final) {
  remember_features(checker);
  for (size_t i = 0; i < checker->queue_count && (!final || checker->orderly); i++)
    if (checker->queues[i]->ring != NULL) vio_check_ring_settle(checker, checker->queues[i]->ring);
  vio_check_interrupts_over(checker, final);
  vio_check_publish(checker, &(vio_fact){.kind = FACT_SESSION_OVER, .final = final});
}

static void clear(vio_checker *checker) {
  vio_check_queues_clear(checker);
  vio_check_common_restart(checker);
  vio_check_device_restart(checker);
  vio_check_legacy_restart(checker);
}

void vio_check_boundary_begin_reset(vio_checker *checker, enum vio_check_reset kind) {
  vio_check_suspects_confirm(checker);
  checker->began = true;
  if (checker->session.phase != PHASE_RESETTING) {
    end_session(checker, false);
    vio_check_session_begin(checker, true, kind);
    checker->session.reset_t = checker->now;
  }
  vio_check_publish(checker, &(vio_fact){.kind = FACT_RESET_STARTED, .reset = kind});
}

void vio_check_boundary_end_reset(vio_checker *checker, bool by_read) {
  checker->session.phase = PHASE_RESET;
  checker->session.status = 0;
  clear(checker);
  const enum vio_check_reset kind = checker->session.reset_kind;
  vio_check_publish(checker, &(vio_fact){.kind = FACT_RESET_DONE,
                                         .reset = kind == RESET_NONE ? RESET_STATUS : kind,
                                         .by_read = by_read});
}

void vio_check_boundary_lose(vio_checker *checker) {
  end_session(checker, false);
  vio_check_session_begin(checker, false, RESET_NONE);
  clear(checker);
}

/* Rings, bus mastering and MSI-X end here: what the device began before may still complete. */
static void reset_below(vio_checker *checker, enum vio_check_reset kind) {
  vio_check_boundary_begin_reset(checker, kind);
  checker->session.reset_kind = kind;
  clear(checker);
  vio_check_config *config = &checker->config;
  const int64_t command = config->command;
  const int enabled = config->msix_enabled, masked = config->msix_masked;
  vio_check_config_reset(config);
  if (config->command != command) checker->command_t = checker->now;
  if (config->msix_enabled != enabled || config->msix_masked != masked) checker->mask_t = checker->now;
}

/* ---- BARs ---- */

static void bar_read(vio_checker *checker, uint32_t bar, uint64_t addr, const uint8_t *data,
                     uint64_t length) {
  if (checker->header.lguest) {
    vio_check_lguest_read(checker, bar, addr, data, length);
    return;
  }
  const vio_check_place *place = vio_check_config_locate(&checker->config, bar, addr);
  if (place == NULL) {
    if (vio_check_legacy_at(checker, bar)) vio_check_legacy_read(checker, addr, data, length);
    return;
  }
  const uint64_t offset = addr - place->offset;
  switch (place->kind) {
    case PLACE_COMMON:
      vio_check_common_read(checker, offset, data, length);
      break;
    case PLACE_DEVICE:
      vio_check_device_read(checker, offset, data, length);
      break;
    case PLACE_ISR:
      if (offset == 0) vio_check_interrupts_isr(checker, data[0]);
      break;
    case PLACE_TABLE:
      if (vio_check_config_table_read(&checker->config, offset, data, length))
        vio_check_publish(checker, &(vio_fact){.kind = FACT_BREACH,
                                               .breach = BREACH_MSIX_CHANGED,
                                               .t = checker->event_t,
                                               .line = checker->event_line});
      break;
    default:
      break;
  }
}

static void bar_write(vio_checker *checker, uint32_t bar, uint64_t addr, const uint8_t *data,
                      uint64_t length) {
  if (checker->header.lguest) {
    vio_check_lguest_write(checker, bar, addr, data, length);
    return;
  }
  const vio_check_place *found = vio_check_config_locate(&checker->config, bar, addr);
  if (found == NULL) {
    if (vio_check_legacy_at(checker, bar)) vio_check_legacy_write(checker, addr, data, length);
    return;
  }
  const vio_check_place place = *found;
  const uint64_t offset = addr - place.offset;
  if (place.kind == PLACE_COMMON) vio_check_common_write(checker, offset, data, length);
  if (place.kind == PLACE_NOTIFY) vio_check_doorbell_ring(checker, &place, offset, data, length);
  if (place.kind == PLACE_DEVICE) vio_check_device_write(checker, offset, data, length);
  if (place.kind == PLACE_TABLE) {
    vio_check_config_table_write(&checker->config, offset, data, length);
    checker->mask_t = checker->now;
  }
  vio_check_suspects_explain(checker);
}

/* ---- configuration space ---- */

/* Carry out the BAR access that an access to the PCI_CFG window performs. */
static void through_window(vio_checker *checker, const vio_event *event, bool write) {
  const vio_check_config *config = &checker->config;
  uint32_t bar;
  uint64_t offset, length;
  if (config->window == NONE || event->addr != (uint64_t)config->window + VIO_CAP_PCI_CFG_DATA) return;
  if (!vio_check_config_window(config, &bar, &offset, &length)) return;
  if ((length != 1 && length != 2 && length != 4) || event->length < length) return;
  checker->via_window = true;
  (write ? bar_write : bar_read)(checker, bar, offset, event->data, length);
  checker->via_window = false;
}

static void config_read(vio_checker *checker, const vio_event *event) {
  vio_check_config *config = &checker->config;
  const int enabled = config->msix_enabled, masked = config->msix_masked;
  vio_check_config_read(config, event);
  if (enabled != NONE && masked != NONE &&
      (config->msix_enabled != enabled || config->msix_masked != masked))
    vio_check_publish(checker, &(vio_fact){.kind = FACT_BREACH,
                                           .breach = BREACH_MSIX_CHANGED,
                                           .t = checker->event_t,
                                           .line = checker->event_line});
  through_window(checker, event, false);
}

static void config_write(vio_checker *checker, const vio_event *event) {
  vio_check_config *config = &checker->config;
  const int64_t command = config->command;
  const int enabled = config->msix_enabled, masked = config->msix_masked;
  if (vio_check_config_write(config, event)) reset_below(checker, RESET_FLR);
  if (config->command != command) checker->command_t = checker->event_t;
  if (config->msix_enabled != enabled || config->msix_masked != masked)
    checker->mask_t = checker->event_t;
  vio_check_suspects_explain(checker);
  through_window(checker, event, true);
}

static void reset_event(vio_checker *checker, const vio_event *event) {
  const char kind = event->length > 0 ? (char)event->data[0] : '\0';
  reset_below(checker, kind == 'f' ? RESET_FLR : kind == 'h' ? RESET_HOT : RESET_POWER);
}

static void publish_event(vio_checker *checker, const vio_event *event) {
  if (event->kind != VIO_CFG_READ && event->kind != VIO_CFG_WRITE) return;
  vio_check_publish(checker,
                    &(vio_fact){.kind = event->kind == VIO_CFG_READ ? FACT_PCI_READ : FACT_PCI_WRITE,
                                .offset = event->addr,
                                .length = event->length,
                                .data = event->data});
}

static void take_in(vio_checker *checker, const vio_event *event) {
  switch (event->kind) {
    case VIO_CFG_READ:
      config_read(checker, event);
      break;
    case VIO_CFG_WRITE:
      config_write(checker, event);
      break;
    case VIO_BAR_READ:
      bar_read(checker, event->number, event->addr, event->data, event->length);
      break;
    case VIO_BAR_WRITE:
      bar_write(checker, event->number, event->addr, event->data, event->length);
      break;
    case VIO_DMA_READ:
      if (checker->header.lguest && vio_check_lguest_printed(checker, event)) break;
      vio_check_dma_access(checker, event, false);
      break;
    case VIO_DMA_WRITE:
      if (checker->header.lguest) vio_check_lguest_wrote(checker, event);
      vio_check_dma_access(checker, event, true);
      break;
    case VIO_MEM_WRITE:
      vio_check_dma_store(checker, event);
      break;
    case VIO_MSIX:
    case VIO_MSIX_VECTOR:
      vio_check_interrupts_message(checker, event);
      break;
    case VIO_INTX:
      vio_check_interrupts_line(checker, event);
      break;
    case VIO_RESET:
      reset_event(checker, event);
      break;
    case VIO_MARK:
      checker->orderly = event->length == 3 && memcmp(event->data, "end", 3) == 0;
      break;
    default:
      break;
  }
}

void vio_check_boundary_observe(vio_checker *checker, const vio_event *event) {
  checker->number++;
  checker->orderly = false;
  checker->event_t = (int64_t)event->t;
  checker->event_asked = event->t_req == VIO_NO_TIME ? NONE : (int64_t)event->t_req;
  checker->event_kind = event->kind;
  if (checker->event_t > checker->now) checker->now = checker->event_t;
  take_in(checker, event);
  publish_event(checker, event);
}

void vio_check_boundary_finish(vio_checker *checker) {
  vio_check_suspects_confirm(checker);
  vio_check_boundary_settle_layout(checker);
  end_session(checker, true);
}
