/* Repeatable choices: splitmix64, the twin of tb/ports/dice.py. */
#ifndef VIO_DICE_H
#define VIO_DICE_H
#include <stdbool.h>
#include <stdint.h>

typedef struct vio_dice {
  uint64_t state;
} vio_dice;

static inline uint32_t vio_dice_roll(vio_dice *dice) {
  uint64_t z = dice->state += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return (uint32_t)((z ^ z >> 31) >> 32);
}

/* 0 to count - 1. */
static inline uint32_t vio_dice_below(vio_dice *dice, uint32_t count) {
  return (uint32_t)((uint64_t)vio_dice_roll(dice) * count >> 32);
}

/* least to most, both included. */
static inline uint32_t vio_dice_between(vio_dice *dice, uint32_t least, uint32_t most) {
  return least + vio_dice_below(dice, most - least + 1);
}

/* True in `share` of 2^32 cases. */
static inline bool vio_dice_chance(vio_dice *dice, uint32_t share) {
  return vio_dice_roll(dice) < share;
}

#endif
