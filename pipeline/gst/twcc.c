//go:build !nogst

// rtpsession (1.22) keeps 40 bytes of each packet that it numbers until a report tells of that one or a later one. A viewer that
// agreed to report and does not, or that reports the same packet again and again, would have it keep them for ever.

#include "twcc.h"

// UNREPORTED is how many numbered packets may be without a report: at 5 Mbit/s nine seconds', 200 kB.
enum { UNREPORTED = 5000 };
// With so many, one packet is numbered in PROBE_US: who begins to report after all is found.
enum { PROBE_US = 10000000 };

gboolean twcc_number(Twcc *n, int64_t now) {
  g_mutex_lock(&n->lock);
  gboolean probe = n->given - n->reported >= UNREPORTED;
  gboolean give = !probe || now - n->last >= PROBE_US;
  if (give) {
    n->given++;
    n->last = now;
    if (probe || n->given % MARK_EACH == 0) {
      n->marks[n->mark % MARKS].at = now;
      n->marks[n->mark++ % MARKS].given = n->given;
    }
  }
  g_mutex_unlock(&n->lock);
  return give;
}

void twcc_reported(Twcc *n, int64_t sent) {
  g_mutex_lock(&n->lock);
  for (guint i = 0; i < MIN(n->mark, MARKS); i++)
    if (n->marks[i].at <= sent)
      n->reported = MAX(n->reported, n->marks[i].given);
  g_mutex_unlock(&n->lock);
}
