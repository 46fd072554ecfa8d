//go:build !nogst

// libnice names each of its requests by random bytes from GnuTLS, in a thread or two of each viewer's, and GnuTLS keeps a generator
// for each thread that ever asked until the program ends (3.7): two small blocks per viewer, of which each keeps a page of the heap
// from going back to the system. So the program has that function itself: who is linked to it gets the kernel's. For
// that engine.go has the linker export what is visible, and the compiler hide all of ours but this.

#include <errno.h>
#include <stddef.h>
#include <sys/random.h>

enum { RANDOM_FAILED = -206 }; // GNUTLS_E_RANDOM_FAILED

__attribute__((visibility("default"))) int gnutls_rnd(int level, void *data, size_t length) {
  unsigned char *at = data;
  while (length > 0) {
    ssize_t n = getrandom(at, length, 0);
    if (n < 0 && errno != EINTR)
      return RANDOM_FAILED;
    if (n > 0) {
      at += n;
      length -= (size_t)n;
    }
  }
  return 0;
}
