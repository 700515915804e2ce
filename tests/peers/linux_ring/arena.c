/* A first-fit allocator of 64-byte cells inside memory that the device can see. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CELL 64u
#define CELLS_MAX 65536u

static uint8_t *arena_base;
static uint64_t arena_phys;
static size_t arena_cells;
/* Of each allocation its first cell holds its length in cells, the others CONTINUED; 0 is free. */
static uint32_t arena_used[CELLS_MAX];
#define CONTINUED UINT32_MAX

void vio_arena_set(uint8_t *base, uint64_t phys, uint64_t length)
{
    arena_base = base;
    arena_phys = phys;
    arena_cells = length / CELL < CELLS_MAX ? length / CELL : CELLS_MAX;
    memset(arena_used, 0, sizeof arena_used);
}

static size_t free_run(size_t start, size_t wanted)
{
    size_t run = 0;
    while (run < wanted && arena_used[start + run] == 0)
        run++;
    return run;
}

void *vio_arena_alloc(size_t length, size_t align)
{
    size_t wanted = (length + CELL - 1) / CELL, step = align / CELL;
    if (wanted == 0)
        wanted = 1;
    for (size_t start = 0; start + wanted <= arena_cells; start += step) {
        if (free_run(start, wanted) < wanted)
            continue;
        arena_used[start] = (uint32_t)wanted;
        for (size_t cell = 1; cell < wanted; cell++)
            arena_used[start + cell] = CONTINUED;
        return memset(arena_base + start * CELL, 0, wanted * CELL);
    }
    return NULL;
}

static int inside(const void *pointer)
{
    const uint8_t *byte = pointer;
    return arena_base && byte >= arena_base && byte < arena_base + arena_cells * CELL;
}

void vio_arena_free(void *pointer)
{
    if (!inside(pointer)) {
        free(pointer);
        return;
    }
    size_t start = (size_t)((uint8_t *)pointer - arena_base) / CELL;
    uint32_t cells = arena_used[start];
    if (cells == 0 || cells == CONTINUED)
        abort();
    memset(&arena_used[start], 0, cells * sizeof arena_used[0]);
}

uint64_t vio_arena_phys(const void *pointer)
{
    if (!inside(pointer))
        abort();
    return arena_phys + (uint64_t)((const uint8_t *)pointer - arena_base);
}
