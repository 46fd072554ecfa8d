//go:build !nogst

// A fault of GnuTLS's, and what is done about it. A row of faults_test.go says when this file is deleted.
//
// The fault, seen in GnuTLS 3.7.9: for each thread that ever asked for random bytes GnuTLS keeps a generator until the program ends.
// libnice asks in one or two threads of each viewer's, for the names of its STUN requests. That leaves two small blocks for each
// viewer, and each of them keeps a page of the heap from going back to the system.
//
// What is done: the program has a function of the same name, which asks the kernel. libnice calls this function, because the dynamic
// linker looks for a name in the program before it looks in libraries. The linker has to export the function for that: by flags in
// engine.go it exports all visible symbols of the program, and the compiler hides all symbols but this one.

#include <errno.h>
#include <stddef.h>
#include <sys/random.h>

// GNUTLS_E_RANDOM_FAILED of gnutls.h.
enum { RANDOM_FAILED = -206 };

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
