//go:build !nogst

// rtpsession (1.22) keeps 40 bytes for each packet that it numbers, until a report tells of that packet or of a later one. A viewer may
// agree to report and then be silent, or report the same packet for ever. Without a bound rtpsession would then grow for ever.

#include "twcc.h"

// Packets that are numbered beyond the newest reported one: 200 kB in rtpsession. At 5 Mbit/s that is nine seconds, so a viewer whose
// link was cut for a moment loses nothing.
enum { UNREPORTED = 5000 };
// us: beyond that bound only one packet in ten seconds is numbered. By a report on such a packet a viewer shows that it reports after
// all. The packets of a month take 10 MB in rtpsession.
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
