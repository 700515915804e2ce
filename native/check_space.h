/* What the checker knows of configuration space; inside native/check*.c only. */
#ifndef VIO_CHECK_SPACE_H
#define VIO_CHECK_SPACE_H
#include <stdbool.h>
#include <stdint.h>

enum { VIO_CONFIG_LENGTH = 4096, VIO_CAPABILITIES = 49, VIO_PLACES = 104, VIO_TABLE_ROWS = 2304 };
enum vio_check_place_kind { PLACE_COMMON, PLACE_NOTIFY, PLACE_ISR, PLACE_DEVICE, PLACE_TABLE, PLACE_PBA };

typedef struct vio_check_capability {
  uint32_t position, id;
  int64_t next, length, cfg_type, bar, region_id, offset, size, multiplier, offset_hi, size_hi, vendor_id;
} vio_check_capability;

typedef struct vio_check_place {
  enum vio_check_place_kind kind;
  uint32_t bar;
  uint64_t offset, length;
  uint32_t multiplier;
} vio_check_place;

typedef struct vio_check_row {
  uint32_t word[4];
  uint8_t known, made;
} vio_check_row;

typedef struct vio_check_config {
  uint8_t data[VIO_CONFIG_LENGTH], known[VIO_CONFIG_LENGTH];
  bool layout, complete, observed, window_used;
  vio_check_capability capabilities[VIO_CAPABILITIES];
  uint32_t capability_count;
  vio_check_place places[VIO_PLACES];
  uint32_t place_count;
  int32_t msix, entries, window, pcie;
  int msix_enabled, msix_masked;
  int64_t command;
  vio_check_row table[VIO_TABLE_ROWS];
  uint32_t table_end; /* rows behind were never made */
} vio_check_config;

/* What a trace's first line says. */
typedef struct vio_check_header {
  bool simulated, verilator;
  int32_t type;
  bool layout;
  vio_check_place places[4];
  uint32_t place_count;
  int32_t entries;
  bool lguest; /* the device is on lguest's bus, and memory ends at: */
  uint32_t lguest_top;
} vio_check_header;

#endif
