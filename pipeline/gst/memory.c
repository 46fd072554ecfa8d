//go:build !nogst

// glibc's allocator, as a program that runs for weeks needs it.

#include "memory.h"

#include <malloc.h>

// allocator sets glibc's allocator for a program that runs for weeks. It keeps large blocks, such as pictures, in mappings of their
// own, which go back to the system: left to itself it raises the limit to the largest block that was ever freed, and the arenas of
// heaps fill with holes between pictures. It has few arenas: each of the ten threads of a viewer would else have holes of its own.
// And freed blocks are joined at once, also small ones, whose pages would else fill with a few that stay. All this is set before Go
// runs, each of whose threads would take an arena first.
__attribute__((constructor)) static void allocator(void) {
#ifdef __GLIBC__
  enum { OWN_MAPPING = 128 * 1024, ARENAS = 2 };
  mallopt(M_MMAP_THRESHOLD, OWN_MAPPING);
  mallopt(M_ARENA_MAX, ARENAS);
  mallopt(M_MXFAST, 0);
#endif
}

void memory_give_back(void) {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}
