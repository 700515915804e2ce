/* Memory that the device can see, in front of the kernel's user-space stubs.
 *
 * Forced into every file of the build: allocations of rings and indirect tables, and the translation
 * of their addresses, go to the arena instead of the C library.
 */
#ifndef VIO_ARENA_H
#define VIO_ARENA_H
#include <linux/kernel.h>
#include <stddef.h>
#include <stdint.h>

/* Takes `length` bytes at `base`, which the device sees at guest-physical address `phys`; both are
 * multiples of 4096. Everything allocated before is forgotten. */
void vio_arena_set(uint8_t *base, uint64_t phys, uint64_t length);

/* Returns `length` bytes of zeros at a multiple of `align` (64 to 4096), or NULL when there is no room. */
void *vio_arena_alloc(size_t length, size_t align);

/* Gives back what vio_arena_alloc or the C library's malloc returned. */
void vio_arena_free(void *pointer);

/* Returns the guest-physical address of a byte in the arena; aborts for any other. */
uint64_t vio_arena_phys(const void *pointer);

#define kmalloc_array(n, s, gfp) ((void)(gfp), vio_arena_alloc((size_t)(n) * (s), 64))
#define alloc_pages_exact(s, gfp) ((void)(gfp), vio_arena_alloc((s), 4096))
#define free_pages_exact(p, s) ((void)(s), vio_arena_free(p))
#define kfree(p) vio_arena_free(p)
#undef virt_to_phys
#define virt_to_phys(p) vio_arena_phys((const void *)(p))

#endif
