/* Feature bits (virtio 1.4, 2.2), and how the common structure shows them (4.1.4.3.1). */
#include "check_facts.h"

#include <string.h>

/* A feature select, NONE if it is unknown or beyond what is followed. */
static int64_t selected(const vio_checker *checker, enum vio_check_field field) {
  const int64_t select = checker->values[field];
  return select < VIO_WORDS ? select : NONE;
}

/* The lowest word in which `bits` has bits that the standard does not describe for the device; NONE. */
static int undescribed_word(const vio_checker *checker, const vio_check_set *bits, bool types_only) {
  static const uint32_t TYPES[4] = {0x00ffffffu, 0xfffc0000u, 0xffffffffu, 0xffffffffu};
  const int type = vio_check_device_type(checker);
  for (uint32_t word = 0; word < VIO_WORDS; word++) {
    const uint32_t mask = !types_only ? UINT32_MAX : word < 4 ? TYPES[word] : 0;
    if (vio_check_undescribed(word, bits->word[word] & mask, type) != 0) return (int)word;
  }
  return NONE;
}

static void ignored_unknown(vio_checker *checker, const vio_fact *fact) {
  const int type = vio_check_device_type(checker);
  bool unknown = false, taken = false;
  for (uint32_t word = 0; word < VIO_WORDS && fact->offered != NULL; word++) {
    const uint32_t bits = vio_check_undescribed(word, fact->offered->word[word], type);
    unknown = unknown || bits != 0;
    taken = taken || (bits & fact->accepted->word[word]) != 0;
  }
  if (unknown) JUDGE(VIO_DRV_FEAT_004, !taken, "unknown bits are accepted");
}

static void accepted(vio_checker *checker, const vio_fact *fact) {
  const vio_check_set *bits = fact->accepted;
  const int lack = vio_check_missing_requirement(bits, vio_check_device_type(checker));
  JUDGE(VIO_DRV_FEAT_002, lack == NONE, "accepted: bit %d lacks what it requires", lack);
  int word = undescribed_word(checker, bits, false);
  JUDGE(VIO_DRV_FEAT_005, word == NONE,
        "bits of word %d are accepted, which the standard does not describe", word);
  ignored_unknown(checker, fact);
  bool reserved = (bits->word[1] & 0x0003f000u) != 0;
  for (int i = 4; i < VIO_WORDS; i++) reserved = reserved || bits->word[i] != 0;
  JUDGE(VIO_DRV_FEAT_006, !reserved, "reserved bits are accepted");
  word = undescribed_word(checker, bits, true);
  JUDGE(VIO_DRV_FEAT_008, word == NONE,
        "bits of word %d are accepted, which this device type does not define", word);
}

static void features_ok(vio_checker *checker, const vio_fact *fact) {
  if (fact->accepted != NULL) accepted(checker, fact);
  if (fact->offered == NULL) return;
  const int lack = vio_check_missing_requirement(fact->offered, vio_check_device_type(checker));
  JUDGE(VIO_DEV_FEAT_001, lack == NONE, "offered: bit %d lacks what it requires", lack);
}

/* ---- refusing and accepting sets ---- */

/* Whether a device has no leave to refuse the set that the session accepted. */
static bool is_valid(const vio_checker *checker) {
  static const uint32_t DEMANDED[] = {VIO_FEATURE_VERSION_1, VIO_FEATURE_ACCESS_PLATFORM,
                                      VIO_FEATURE_ORDER_PLATFORM};
  const vio_check_session *session = &checker->session;
  for (int i = 0; i < 3; i++)
    if (vio_check_set_has(&session->offered, DEMANDED[i]) &&
        !vio_check_set_has(&session->accepted, DEMANDED[i]))
      return false;
  for (uint32_t word = 0; word < VIO_WORDS; word++)
    if (session->accepted.word[word] & ~session->offered.word[word]) return false;
  return vio_check_missing_requirement(&session->accepted, vio_check_device_type(checker)) == NONE;
}

/* Bits of a word that were accepted though it is known that they were not offered. */
static uint32_t never_offered(const vio_check_session *session, uint32_t word) {
  if (!(session->offered.known >> word & 1u)) return 0;
  return session->accepted.word[word] & ~session->offered.word[word];
}

static void drop_taken(vio_checker *checker, uint32_t word) {
  size_t left = 0;
  for (size_t i = 0; i < checker->rules.features.taken_count; i++)
    if (checker->rules.features.taken_order[i] != word)
      checker->rules.features.taken_order[left++] = checker->rules.features.taken_order[i];
  checker->rules.features.taken_count = left;
  checker->rules.features.taken[word] = NONE;
}

static void judge_taken(vio_checker *checker) {
  const vio_check_session *session = &checker->session;
  for (size_t i = 0; i < checker->rules.features.taken_count; i++) {
    const uint32_t word = checker->rules.features.taken_order[i];
    if (never_offered(session, word) == 0) continue;
    const uint32_t extra = (uint32_t)checker->rules.features.taken[word] & ~session->offered.word[word];
    JUDGE(VIO_DEV_FEAT_003, extra == 0, "FEATURES_OK stands with bits 0x%x of word %u never offered",
          extra, word);
  }
}

static void settle_taken(vio_checker *checker, bool kept) {
  bool extra = false;
  if (kept) {
    judge_taken(checker);
    return;
  }
  for (uint32_t word = 0; word < VIO_WORDS; word++)
    extra = extra || never_offered(&checker->session, word) != 0;
  if (extra) HELD(VIO_DEV_FEAT_003);
}

static void note_accepted(vio_checker *checker, bool kept) {
  const vio_check_set *set = &checker->session.accepted;
  const size_t count = checker->rules.features.accepted_count;
  if (!checker->session.known) return;
  for (size_t i = 0; i < count; i++)
    if (vio_check_set_same(&checker->rules.features.accepted[i], set)) {
      JUDGE(VIO_DEV_FEAT_005, kept, "FEATURES_OK stood for the set 0x%x%08x before, and now does not",
            set->word[1], set->word[0]);
      return;
    }
  if (!kept || count == VIO_SETS_LIMIT) return;
  checker->rules.features.accepted =
      vio_heap_more(&checker->heap, checker->rules.features.accepted, count,
                    &checker->rules.features.accepted_room, sizeof *checker->rules.features.accepted);
  checker->rules.features.accepted[checker->rules.features.accepted_count++] = *set;
}

static void negotiated(vio_checker *checker, const vio_fact *fact) {
  const vio_check_session *session = &checker->session;
  if ((session->offered.known & 3u) == 3u && session->known && is_valid(checker))
    JUDGE(VIO_DEV_FEAT_002, fact->kept, "FEATURES_OK did not stand for the valid set 0x%x%08x",
          session->accepted.word[1], session->accepted.word[0]);
  settle_taken(checker, fact->kept);
  note_accepted(checker, fact->kept);
}

/* ---- words as they are read and written ---- */

static void offer_by_select(vio_checker *checker, uint32_t value) {
  int64_t *words = checker->rules.features.words;
  const int64_t select = checker->values[F_DEVICE_FEATURE_SELECT];
  if (select == NONE) return;
  if (select >= 4) {
    JUDGE(VIO_DEV_PCI_014, value == 0, "word %lld shows 0x%x, but holds reserved bits only",
          (long long)select, value);
    return;
  }
  if (words[select] == NONE) words[select] = value;
  const bool alias = select >= 2 && (value == words[0] || value == words[1]);
  if (words[select] != value)
    BREACHED(VIO_DEV_PCI_014, "word %lld shows 0x%x, it was 0x%llx before", (long long)select, value,
             (long long)words[select]);
  else if (alias && value &&
           vio_check_undescribed((uint32_t)select, value, vio_check_device_type(checker)) != 0)
    BREACHED(VIO_DEV_PCI_014, "word %lld repeats another word: 0x%x", (long long)select, value);
  else HELD(VIO_DEV_PCI_014);
}

static void driver_read(vio_checker *checker, uint32_t value) {
  const vio_check_session *session = &checker->session;
  const int64_t select = selected(checker, F_DRIVER_FEATURE_SELECT);
  if (select == NONE) return;
  if (checker->rules.features.taken[select] == NONE)
    checker->rules.features.taken_order[checker->rules.features.taken_count++] = (uint8_t)select;
  checker->rules.features.taken[select] = value;
  if (session->features_ok == 1) judge_taken(checker);
  if (!(session->accepted.known >> select & 1u)) return;
  const uint32_t wanted = session->accepted.word[select] & session->offered.word[select];
  JUDGE(VIO_DEV_PCI_015, (value & wanted) == wanted,
        "word %lld of driver_feature shows 0x%x, written was 0x%x", (long long)select, value, wanted);
}

static void field_read(vio_checker *checker, const vio_fact *fact) {
  const uint32_t value = (uint32_t)fact->value;
  if (fact->name == F_DRIVER_FEATURE) driver_read(checker, value);
  if (fact->name != F_DEVICE_FEATURE) return;
  const int64_t select = selected(checker, F_DEVICE_FEATURE_SELECT);
  if (select != NONE) {
    const uint32_t bad = vio_check_undescribed((uint32_t)select, value, vio_check_device_type(checker));
    JUDGE(VIO_DEV_FEAT_004, bad == 0, "word %lld offers bits 0x%x that mean nothing here",
          (long long)select, bad);
  }
  offer_by_select(checker, value);
}

static void field_write(vio_checker *checker, const vio_fact *fact) {
  const int64_t select = selected(checker, F_DRIVER_FEATURE_SELECT);
  if (fact->name != F_DRIVER_FEATURE || select == NONE) return;
  if (checker->session.offered.known >> select & 1u) {
    const uint32_t extra = (uint32_t)fact->value & ~checker->session.offered.word[select];
    JUDGE(VIO_DRV_FEAT_001, extra == 0, "bits 0x%x of word %lld are accepted but were not offered", extra,
          (long long)select);
  }
  drop_taken(checker, (uint32_t)select);
}

static void reset_started(vio_checker *checker, const vio_fact *fact) {
  memset(checker->rules.features.taken, 0xff, sizeof checker->rules.features.taken);
  checker->rules.features.taken_count = 0;
  if (fact->reset == RESET_POWER || fact->reset == RESET_HOT)
    memset(checker->rules.features.words, 0xff, sizeof checker->rules.features.words);
}

void vio_rules_features(vio_checker *checker, const vio_fact *fact) {
  if (fact->kind == FACT_FIELD_WRITE) field_write(checker, fact);
  if (fact->kind == FACT_FIELD_READ) field_read(checker, fact);
  if (fact->kind == FACT_FEATURES_OK) features_ok(checker, fact);
  if (fact->kind == FACT_NEGOTIATED) negotiated(checker, fact);
  if (fact->kind == FACT_RESET_STARTED) reset_started(checker, fact);
}
