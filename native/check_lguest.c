/* lguest's bus: the descriptor page as the guest sees it (BAR 0), the notify hypercall (BAR 1) and the
 * Launcher's window (BAR 2). Of a page with several devices the first one is followed. */
#include "check_facts.h"

enum { RINGS = 8 };
typedef struct ring_row {
  uint32_t index, size, page;
} ring_row;

static int byte_at(const vio_check_lguest *page, uint32_t place) {
  return place < VIO_LGUEST_PAGE ? page->bytes[place] : NONE;
}

static bool is_type(const vio_check_lguest *page, uint32_t place, unsigned type) {
  const int byte = byte_at(page, place);
  return byte != NONE && ((unsigned)byte & 0x7f) == type;
}

static void forget_page(vio_check_lguest *page) {
  for (uint32_t i = 0; i < VIO_LGUEST_PAGE; i++) page->bytes[i] = NONE;
}

void vio_check_lguest_begin(vio_checker *checker) {
  checker->lguest.console = NONE;
  forget_page(&checker->lguest);
}

static uint64_t ring_start(const ring_row *ring) { return (uint64_t)ring->page * VIO_LEGACY_PAGE_SIZE; }

/* Bytes from the first descriptor to the end of the used ring. */
static uint64_t ring_length(const ring_row *ring) {
  const uint64_t front = 18ull * ring->size + 6, page = VIO_LEGACY_PAGE_SIZE;
  return (front + page - 1) / page * page + 6 + 8ull * ring->size;
}

/* The queue records, as far as they were read. */
static uint32_t rings(const vio_check_lguest *page, ring_row *rows) {
  uint32_t count = 0, found = 0, place = VIO_LGUEST_LATER_HEADER, step = VIO_LGUEST_QUEUE_LENGTH;
  if (page->first) {
    place = VIO_LGUEST_FIRST_HEADER;
    step += VIO_LGUEST_FIELD_HEADER;
    while (is_type(page, place + step * count, VIO_LGUEST_FIELD_VIRTQUEUE)) count++;
    place += VIO_LGUEST_FIELD_HEADER;
  } else if (page->bytes[1] != NONE) {
    count = (uint32_t)page->bytes[1];
  }
  for (uint32_t i = 0; i < count && i < RINGS; i++) {
    uint8_t record[VIO_LGUEST_QUEUE_LENGTH];
    bool known = true;
    for (uint32_t n = 0; n < VIO_LGUEST_QUEUE_LENGTH; n++) {
      const int byte = byte_at(page, place + step * i + n);
      known = known && byte != NONE;
      record[n] = (uint8_t)byte;
    }
    if (!known) continue;
    rows[found++] = (ring_row){.index = i,
                               .size = record[0] | (uint32_t)record[1] << 8,
                               .page = record[4] | (uint32_t)record[5] << 8 | (uint32_t)record[6] << 16 |
                                       (uint32_t)record[7] << 24};
  }
  return found;
}

/* Where the four accepted bytes begin, or NONE. */
static int64_t accepted_place(const vio_check_lguest *page) {
  ring_row rows[RINGS];
  if (page->first) {
    const uint32_t place = VIO_LGUEST_FIRST_HEADER + rings(page, rows) * (VIO_LGUEST_QUEUE_LENGTH +
                                                                         VIO_LGUEST_FIELD_HEADER);
    if (!is_type(page, place, VIO_LGUEST_FIELD_FEATURES) || byte_at(page, place + 1) != 8) return NONE;
    return place + VIO_LGUEST_FIELD_HEADER + 4;
  }
  if (page->bytes[1] == NONE || page->bytes[2] != 4) return NONE;
  return VIO_LGUEST_LATER_HEADER + page->bytes[1] * (int64_t)VIO_LGUEST_QUEUE_LENGTH + 4;
}

static uint32_t status_place(const vio_check_lguest *page) {
  return page->first ? VIO_LGUEST_FIRST_STATUS : VIO_LGUEST_LATER_STATUS;
}

static void status_read(vio_checker *checker, uint8_t value) {
  vio_check_session *session = &checker->session;
  const vio_check_lguest *page = &checker->lguest;
  if ((value & VIO_STATUS_DEVICE_NEEDS_RESET) != 0) session->needs_reset = true;
  if (session->phase != PHASE_RESETTING || value != 0) return;
  if (page->fresh && page->seen && session->reset_kind == RESET_STATUS) {
    ring_row rows[RINGS];
    uint64_t needed = 0;
    const uint32_t count = rings(page, rows);
    for (uint32_t i = 0; i < count; i++) needed += ring_length(&rows[i]);
    vio_check_publish(
        checker, &(vio_fact){.kind = FACT_LGUEST_ZEROED, .value = page->zeroed, .length = needed});
  }
  vio_check_boundary_end_reset(checker, true);
}

static void byte_read(vio_checker *checker, uint64_t place, uint8_t byte) {
  vio_check_lguest *page = &checker->lguest;
  if (place >= VIO_LGUEST_PAGE) return;
  page->bytes[place] = byte;
  if (place == status_place(page)) status_read(checker, byte);
  const int64_t accepted = accepted_place(page);
  if (accepted != NONE && (int64_t)place >= accepted && (int64_t)place < accepted + 4 && page->fresh)
    vio_check_publish(checker, &(vio_fact){.kind = FACT_LGUEST_ACCEPTED, .value = byte});
}

void vio_check_lguest_read(vio_checker *checker, uint32_t bar, uint64_t addr, const uint8_t *data,
                           uint64_t length) {
  vio_check_lguest *page = &checker->lguest;
  if (bar == VIO_LGUEST_BAR_PAGE) {
    for (uint64_t i = 0; i < length; i++) byte_read(checker, addr + i, data[i]);
  } else if (bar == VIO_LGUEST_BAR_LAUNCHER && addr == VIO_LGUEST_LAUNCHER_WARNINGS) {
    const uint32_t value = data[0] | (length > 1 ? (uint32_t)data[1] << 8 : 0);
    vio_check_publish(checker, &(vio_fact){.kind = FACT_LGUEST_WARNINGS,
                                           .from = page->early & 0xffff,
                                           .value = value});
    page->early = value;
  }
}

/* ---- stores and notifications ---- */

static void store(vio_checker *checker, uint64_t addr, const uint8_t *data, uint64_t length) {
  vio_check_lguest *page = &checker->lguest;
  const int64_t accepted = accepted_place(page);
  for (uint64_t i = 0; i < length; i++) {
    const uint64_t place = addr + i;
    if (place < VIO_LGUEST_PAGE && (place != status_place(page) || data[i] != 0))
      page->bytes[place] = data[i];
    if (accepted != NONE && place >= (uint64_t)accepted && place < (uint64_t)accepted + 4)
      page->fresh = false;
  }
}

static void kicked(vio_checker *checker, const ring_row *ring) {
  vio_check_lguest *page = &checker->lguest;
  const int status = page->bytes[status_place(page)];
  if (status == NONE || status == 0) {
    page->early++;
    return;
  }
  if (!checker->session.known) return;
  vio_check_legacy_begin(checker);
  const int64_t place = accepted_place(page);
  uint32_t accepted = 0;
  bool known = place != NONE;
  for (uint32_t i = 0; i < 4 && known; i++) {
    const int byte = byte_at(page, (uint32_t)place + i);
    known = byte != NONE;
    accepted |= (uint32_t)(known ? byte : 0) << 8 * i;
  }
  checker->session.accepted = (vio_check_set){.known = 3};
  checker->session.accepted.word[0] = known ? accepted : 0;
  vio_check_queue *queue = vio_check_queue_at(checker, ring->index);
  const bool opened = queue->ring == NULL;
  vio_check_legacy_open(checker, queue, ring->size, ring->page);
  if (opened && queue->ring != NULL) queue->ring->opened_by_kick = true;
  vio_check_legacy_kick(checker, queue);
}

static void notified(vio_checker *checker, uint32_t address) {
  vio_check_lguest *page = &checker->lguest;
  ring_row rows[RINGS];
  if (address == checker->header.lguest_top) {
    vio_check_boundary_begin_reset(checker, RESET_STATUS);
    page->zeroed = 0;
    page->fresh = true;
    for (size_t i = 0; i < checker->queue_count; i++) vio_check_queue_close(checker, checker->queues[i]);
    return;
  }
  const uint32_t count = rings(page, rows);
  for (uint32_t i = 0; i < count; i++)
    if (rows[i].page == address / VIO_LEGACY_PAGE_SIZE) {
      kicked(checker, &rows[i]);
      return;
    }
  page->console = address < checker->header.lguest_top ? (int64_t)address : NONE;
}

void vio_check_lguest_write(vio_checker *checker, uint32_t bar, uint64_t addr, const uint8_t *data,
                            uint64_t length) {
  vio_check_lguest *page = &checker->lguest;
  if (bar == VIO_LGUEST_BAR_PAGE) {
    store(checker, addr, data, length);
  } else if (bar == VIO_LGUEST_BAR_NOTIFY && addr == 0 && length == 4) {
    notified(checker, data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 | (uint32_t)data[3] << 24);
  } else if (bar == VIO_LGUEST_BAR_LAUNCHER && addr == VIO_LGUEST_LAUNCHER_LAYOUT) {
    page->first = (data[0] & 1) != 0;
    forget_page(page);
  }
}

/* ---- the device's accesses ---- */

bool vio_check_lguest_printed(vio_checker *checker, const vio_event *event) {
  vio_check_lguest *page = &checker->lguest;
  if (page->console == NONE || (uint64_t)page->console < event->addr ||
      (uint64_t)page->console - event->addr >= event->length)
    return false;
  bool ended = false;
  for (uint64_t i = (uint64_t)page->console - event->addr; i < event->length; i++)
    ended = ended || event->data[i] == 0;
  page->console = ended ? NONE : (int64_t)(event->addr + event->length);
  return true;
}

void vio_check_lguest_wrote(vio_checker *checker, const vio_event *event) {
  vio_check_lguest *page = &checker->lguest;
  ring_row rows[RINGS];
  page->seen = true;
  if (checker->session.phase != PHASE_RESETTING) return;
  for (uint64_t i = 0; i < event->length; i++)
    if (event->data[i] != 0) return;
  const uint32_t count = rings(page, rows);
  for (uint32_t i = 0; i < count; i++) {
    const uint64_t start = ring_start(&rows[i]), end = start + ring_length(&rows[i]);
    const uint64_t low = event->addr > start ? event->addr : start;
    const uint64_t high = event->addr + event->length < end ? event->addr + event->length : end;
    if (high > low) page->zeroed += high - low;
  }
}
