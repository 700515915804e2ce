/* Feature sets, and the session that they belong to. */
#include "check_facts.h"

#include <string.h>

bool vio_check_set_has(const vio_check_set *set, uint32_t bit) {
  return bit < 32 * VIO_WORDS && (set->word[bit / 32] >> (bit % 32) & 1u) != 0;
}

const vio_check_set *vio_check_set_whole(const vio_check_set *set) {
  return (set->known & 3u) == 3u ? set : NULL;
}

bool vio_check_set_same(const vio_check_set *a, const vio_check_set *b) {
  return memcmp(a->word, b->word, sizeof a->word) == 0;
}

int vio_check_set_first(const vio_check_set *set) {
  for (int word = 0; word < VIO_WORDS; word++)
    if (set->word[word] != 0) return word;
  return NONE;
}

bool vio_check_session_knows(const vio_check_session *session) {
  return session->known && session->features_ok_written;
}

/* A word of the features in force: accepted, without what is known not to be offered. */
static uint32_t in_force(const vio_check_session *session, uint32_t word) {
  const uint32_t bits = session->accepted.word[word];
  return session->offered.known >> word & 1u ? bits & session->offered.word[word] : bits;
}

bool vio_check_session_features(const vio_check_session *session, vio_check_set *features) {
  *features = (vio_check_set){.known = session->accepted.known};
  if (!vio_check_session_knows(session)) return false;
  for (uint32_t word = 0; word < VIO_WORDS; word++) features->word[word] = in_force(session, word);
  return true;
}

bool vio_check_session_has(const vio_check_session *session, uint32_t feature) {
  return vio_check_session_knows(session) &&
         (in_force(session, feature / 32) >> (feature % 32) & 1u) != 0;
}

bool vio_check_session_lacks(const vio_check_session *session, uint32_t feature) {
  return vio_check_session_knows(session) &&
         (in_force(session, feature / 32) >> (feature % 32) & 1u) == 0;
}

void vio_check_session_begin(vio_checker *checker, bool known, enum vio_check_reset kind) {
  checker->session = (vio_check_session){.serial = ++checker->serials,
                                         .known = known,
                                         .features_ok = NONE,
                                         .status = NONE,
                                         .phase = kind == RESET_NONE ? PHASE_UNKNOWN : PHASE_RESETTING,
                                         .reset_kind = kind};
}

void vio_check_session_status(vio_check_session *session, int value) {
  if (value & (int)VIO_STATUS_FEATURES_OK) session->features_ok_written = true;
  session->begun = true;
  if (value & (int)VIO_STATUS_FAILED) session->failed = true;
  if (value & (int)VIO_STATUS_DRIVER_OK) {
    if (session->phase == PHASE_SUSPENDED) session->resume_written = true;
    if (session->phase == PHASE_SUSPENDED || !session->driver_ok) session->phase = PHASE_LIVE;
    session->driver_ok = true;
  } else if (session->phase == PHASE_RESETTING || session->phase == PHASE_RESET ||
             (session->phase == PHASE_UNKNOWN && value == (int)VIO_STATUS_ACKNOWLEDGE)) {
    session->phase = PHASE_INIT;
  }
  session->status = value;
}

int vio_check_device_type(const vio_checker *checker) {
  static const struct {
    uint16_t id, type;
  } TRANSITIONAL[] = {{0x1000, 1}, {0x1001, 2}, {0x1002, 5}, {0x1003, 3},
                      {0x1004, 8}, {0x1005, 4}, {0x1009, 9}};
  if (checker->header.type != NONE) return checker->header.type;
  const int64_t id = vio_check_config_value(&checker->config, VIO_PCI_DEVICE_ID, 2);
  if (id >= VIO_MODERN_DEVICE_ID_BASE && id < VIO_MODERN_DEVICE_ID_BASE + 0x40)
    return (int)(id - VIO_MODERN_DEVICE_ID_BASE);
  for (size_t i = 0; i < sizeof TRANSITIONAL / sizeof *TRANSITIONAL; i++)
    if (id == TRANSITIONAL[i].id) return TRANSITIONAL[i].type;
  return NONE;
}

/* Bits 24, 27 to 41 and 43: queues and transports, the legacy ones included. */
static const uint32_t QUEUE_BITS[2] = {0x79000000u, 0x00000bffu};
/* Bits 24 to 40 and 43: reserved for queues and feature negotiation; 44 to 49: for later extensions. */
static const uint32_t QUEUE_RANGE[2] = {0xff000000u, 0x000009ffu};
static const uint32_t RESERVED_RANGE[2] = {0, 0x0003f000u};

/* Bits 0 to 23 and 50 on that a device type has; false for a type that is not listed. */
static bool type_bits(int type, uint32_t bits[4]) {
  static const struct {
    int type;
    uint32_t bits[4];
  } TYPES[] = {
      {VIO_DEVICE_TYPE_NET, {0x00ffffefu, 0xfbfc0600u, 0x7fu, 0}},
      {VIO_DEVICE_TYPE_BLK, {0x0003fef7u, 0, 0, 0}},
      {VIO_DEVICE_TYPE_CONSOLE, {0x7u, 0, 0, 0}},
      {VIO_DEVICE_TYPE_ENTROPY, {0, 0, 0, 0}},
      {VIO_DEVICE_TYPE_BALLOON, {0x3fu, 0, 0, 0}},
      {VIO_DEVICE_TYPE_SCSI, {0xfu, 0, 0, 0}},
  };
  for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++)
    if (TYPES[i].type == type) {
      memcpy(bits, TYPES[i].bits, sizeof TYPES[i].bits);
      return true;
    }
  return false;
}

uint32_t vio_check_undescribed(uint32_t word, uint32_t bits, int device_type) {
  uint32_t known[4];
  if (word >= 4) return bits;
  if (type_bits(device_type, known)) return bits & ~(known[word] | (word < 2 ? QUEUE_BITS[word] : 0));
  return word < 2 ? bits & (RESERVED_RANGE[word] | (QUEUE_RANGE[word] & ~QUEUE_BITS[word])) : 0;
}

int vio_check_missing_requirement(const vio_check_set *set, int device_type) {
  enum { ALL, ANY };
  static const struct {
    uint8_t bit, how, count, needs[4];
  } RULES[] = {{7, ALL, 1, {1}},
               {8, ALL, 1, {1}},
               {10, ALL, 1, {1}},
               {54, ALL, 1, {1}},
               {55, ALL, 1, {1}},
               {9, ANY, 2, {7, 8}},
               {65, ALL, 4, {7, 8, 54, 55}},
               {66, ALL, 1, {65}},
               {11, ALL, 1, {0}},
               {12, ALL, 1, {0}},
               {14, ALL, 1, {0}},
               {56, ALL, 1, {0}},
               {13, ANY, 2, {11, 12}},
               {67, ALL, 3, {11, 12, 56}},
               {68, ALL, 1, {67}},
               {18, ALL, 1, {17}},
               {19, ALL, 1, {17}},
               {21, ALL, 1, {17}},
               {22, ALL, 1, {17}},
               {23, ALL, 1, {17}},
               {51, ALL, 1, {17}},
               {52, ALL, 1, {17}},
               {53, ALL, 1, {17}},
               {60, ALL, 1, {17}},
               {64, ALL, 1, {17}},
               {51, ANY, 2, {57, 60}},
               {61, ANY, 2, {11, 12}},
               {64, ALL, 1, {60}}};
  if (device_type != (int)VIO_DEVICE_TYPE_NET) return NONE;
  for (size_t i = 0; i < sizeof RULES / sizeof *RULES; i++) {
    if (!vio_check_set_has(set, RULES[i].bit)) continue;
    uint32_t met = 0;
    for (size_t n = 0; n < RULES[i].count; n++) met += vio_check_set_has(set, RULES[i].needs[n]);
    if (RULES[i].how == ANY ? met == 0 : met < RULES[i].count) return RULES[i].bit;
  }
  return NONE;
}
