/* A block request, decoded from the chain that carried it; inside native/check*.c only. */
#ifndef VIO_CHECK_BLK_H
#define VIO_CHECK_BLK_H
#include "check_facts.h"

enum { VIO_BLK_SEGMENT = 16 };

/* `length`: bytes of data; `status`: NONE if the device wrote none; `segments` that were captured whole.
 */
typedef struct vio_blk_request {
  uint32_t kind, segments;
  uint64_t sector, length;
  int status;
  const vio_check_chain *chain;
} vio_blk_request;

/* False if the fact is no request of a block device whose header the device read. */
bool vio_blk_decode(const vio_checker *checker, const vio_fact *fact, vio_blk_request *request);

#endif
