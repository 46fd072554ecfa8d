package viewers

import (
	"regexp"
	"slices"
	"strings"
)

var (
	disaster = regexp.MustCompile(`^(panic:|fatal error:|SIGSEGV).*|WARNING: DATA RACE|.*-(CRITICAL|ERROR) \*\*.*`)
	// What GStreamer itself now and then writes, harmless, and why.
	knownNoise = []string{
		// rtpsession before 1.22.3 may take a pad's event just as the pad goes, when a pipeline is taken down.
		`gst_pad_push_event: assertion 'GST_IS_EVENT (event)' failed`,
		// srtpdec misses its pad's stream-start when a packet comes in just as a pipeline is taken down.
		`gst_pad_create_stream_id_internal: assertion 'parent->numsinkpads <= 1' failed`,
		`gst_event_new_stream_start: assertion 'stream_id != NULL' failed`,
		// rtpsession asks for its sources' clock rates in the middle of a walk over them, without the lock; a source that comes
		// just then ends the walk. The next RTCP packet is whole again. (Seen in one of some 400 runs.)
		`g_hash_table_foreach: assertion 'version == hash_table->version' failed`,
	}
)

// Disaster tells whether a line of a program's stderr is one that no run may write, whatever else happens.
func Disaster(line string) bool {
	line = strings.TrimSpace(line)
	known := slices.ContainsFunc(knownNoise, func(n string) bool { return strings.HasSuffix(line, n) })
	return !known && disaster.MatchString(line)
}
