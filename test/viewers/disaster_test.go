package viewers

import "testing"

func TestDisaster(t *testing.T) {
	for line, want := range map[string]bool{
		"panic: runtime error": true,
		"(boardcast:1): GStreamer-CRITICAL **: 10:00:00.000: gst_mini_object_unref: assertion failed\r":                                       true,
		"(boardcast:1): GStreamer-CRITICAL **: 10:00:00.000: gst_pad_push_event: assertion 'GST_IS_EVENT (event)' failed\r":                   false,
		"(boardcast:1): GStreamer-CRITICAL **: 10:00:00.000: gst_pad_push_event: assertion 'GST_IS_EVENT (event)' failed, and something else": true,
		"level=WARN msg=\"viewer gone\" reason=failed error=\"no progress in time\"":                                                          false,
	} {
		if got := Disaster(line); got != want {
			t.Errorf("Disaster(%q) is %v, want %v", line, got, want)
		}
	}
}
