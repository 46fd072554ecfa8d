package live

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"boardcast/pipeline/media"
)

// The page, the metrics and other programs read a viewer's status by these keys, in one flat object.
func TestViewerStatusAsJSON(t *testing.T) {
	loud := -20.5
	for _, c := range []struct {
		name   string
		status ViewerStatus
		want   string
	}{
		{
			"all", ViewerStatus{
				ConnectionStatus{ID: "v", State: "connected", Codec: "H264", Since: time.Unix(0, 0).UTC(), ConnectSeconds: 0.5, Detached: true},
				IncomingStatus{IncomingAudioDB: &loud, Incoming: []string{"audio"}},
				LinkStatus{Sent: &media.PeerCount{VideoFrames: 1}, EstimateBPS: 2, Loss: 0.25, RTTMS: 3},
				RenditionStatus{Rendition: renditionLower, KeyframesOnly: true},
			}, `{"id":"v","state":"connected","codec":"H264","since":"1970-01-01T00:00:00Z","connect_seconds":0.5,"signalling_lost":true,` +
				`"incoming_audio_rms_db":-20.5,"incoming":["audio"],` +
				`"sent":{"VideoFrames":1,"VideoDropped":0,"AudioFrames":0,"AudioDropped":0},"estimate_bps":2,"loss":0.25,"rtt_ms":3,` +
				`"rendition":"lower","keyframes_only":true}`,
		},
		{"none", ViewerStatus{}, `{"id":"","state":"","since":"0001-01-01T00:00:00Z","incoming_audio_rms_db":null,"loss":0}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := json.Marshal(c.status)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, string(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
