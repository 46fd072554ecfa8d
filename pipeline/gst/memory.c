//go:build !nogst

// glibc's allocator is set here for a program that runs for weeks.

#include "memory.h"

#include <malloc.h>

// bytes: blocks from this size on, such as frames, get a mapping of their own, which goes back to the system when they are freed. Left to
// itself glibc raises this bound to the largest block that was ever freed. Then frames lie on the heaps, and leave holes there.
enum { OWN_MAPPING = 128 * 1024 };
// Heaps of glibc's: few, since each of a viewer's ten threads would else take one, with holes of its own.
enum { ARENAS = 2 };
// bytes: freed blocks up to this size are kept apart and not joined with their neighbours. None are: otherwise a page stays for the sake
// of a few small blocks.
enum { KEPT_APART = 0 };

// allocator runs before Go does, since each of Go's threads would take a heap first.
__attribute__((constructor)) static void allocator(void) {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, OWN_MAPPING);
  mallopt(M_ARENA_MAX, ARENAS);
  mallopt(M_MXFAST, KEPT_APART);
#endif
}

void memory_give_back(void) {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}
