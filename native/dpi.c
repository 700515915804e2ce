/* What the SystemVerilog bus models call: adapts types, decides nothing. */
#include "host.h"

#include <string.h>

/* As IEEE 1800-2017, H.10 lays them down, so that no simulator's header is needed here. */
typedef uint8_t svBit;
typedef uint32_t svBitVecVal;

void vio_dpi_line(svBit level);
void vio_dpi_target_width(int port, int bits);
void vio_dpi_initiator_width(int port, int bits);
void vio_dpi_target_reset(int port);
void vio_dpi_target_ar(int port, int id, long long addr, int len, int size, int burst);
void vio_dpi_target_aw(int port, int id, long long addr, int len, int size, int burst);
void vio_dpi_target_w(int port, const svBitVecVal *data, long long strb, svBit last);
int vio_dpi_target_rise(int port, int pins);
void vio_dpi_target_r(int port, int lanes, svBitVecVal *data, int *id, int *resp, svBit *last);
void vio_dpi_target_b(int port, int *id, int *resp);
void vio_dpi_initiator_reset(int port);
int vio_dpi_initiator_rise(int port, int pins, long long rdata);
void vio_dpi_initiator_word(int port, long long *awaddr, long long *araddr, long long *wdata, int *wstrb);

void vio_dpi_line(svBit level) { vio_line = level; }

void vio_dpi_target_width(int port, int bits) {
  if (port >= 0 && port < VIO_TARGETS) vio_target_lanes[port] = (uint32_t)bits / 8;
}

void vio_dpi_initiator_width(int port, int bits) {
  if (port >= 0 && port < VIO_INITIATORS) vio_initiator_lanes[port] = (uint32_t)bits / 8;
}

static vio_target *target_at(int port) { return vio_target_at(vio_active, port); }

void vio_dpi_target_reset(int port) {
  vio_target *target = target_at(port);
  if (target != NULL) vio_target_reset(target);
}

void vio_dpi_target_ar(int port, int id, long long addr, int len, int size, int burst) {
  vio_target *target = target_at(port);
  if (target != NULL)
    vio_target_ar(target, (uint32_t)id, (uint64_t)addr, (uint32_t)len, (uint32_t)size, (uint32_t)burst);
}

void vio_dpi_target_aw(int port, int id, long long addr, int len, int size, int burst) {
  vio_target *target = target_at(port);
  if (target != NULL)
    vio_target_aw(target, (uint32_t)id, (uint64_t)addr, (uint32_t)len, (uint32_t)size, (uint32_t)burst);
}

void vio_dpi_target_w(int port, const svBitVecVal *data, long long strb, svBit last) {
  vio_target *target = target_at(port);
  if (target != NULL) vio_target_w(target, (const uint8_t *)data, (uint64_t)strb, last);
}

int vio_dpi_target_rise(int port, int pins) {
  vio_target *target = target_at(port);
  return target == NULL ? 0 : (int)vio_target_rise(target, (uint32_t)pins);
}

void vio_dpi_target_r(int port, int lanes, svBitVecVal *data, int *id, int *resp, svBit *last) {
  const vio_target *target = target_at(port);
  if (target == NULL) return;
  const vio_word *word = vio_target_r(target);
  memcpy(data, word->data, (size_t)lanes);
  *id = (int)word->ident;
  *resp = (int)word->response;
  *last = word->last;
}

void vio_dpi_target_b(int port, int *id, int *resp) {
  const vio_target *target = target_at(port);
  if (target == NULL) return;
  *id = (int)vio_target_b(target)->ident;
  *resp = (int)vio_target_b(target)->response;
}

void vio_dpi_initiator_reset(int port) {
  vio_initiator *initiator = vio_initiator_at(vio_active, port);
  if (initiator != NULL) vio_initiator_reset(initiator);
}

int vio_dpi_initiator_rise(int port, int pins, long long rdata) {
  vio_initiator *initiator = vio_initiator_at(vio_active, port);
  return initiator == NULL ? 0 : (int)vio_initiator_rise(initiator, (uint32_t)pins, (uint64_t)rdata);
}

void vio_dpi_initiator_word(int port, long long *awaddr, long long *araddr, long long *wdata, int *wstrb) {
  const vio_initiator *initiator = vio_initiator_at(vio_active, port);
  if (initiator == NULL) return;
  const vio_initiator_word *word = vio_initiator_word_of(initiator);
  *awaddr = (long long)word->awaddr;
  *araddr = (long long)word->araddr;
  *wdata = (long long)word->wdata;
  *wstrb = (int)word->wstrb;
}
