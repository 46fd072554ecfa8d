package whip

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"boardcast/internal/sdp"
)

const (
	fragmentHead = "a=group:BUNDLE 0 1\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\n"
	fragmentICE  = "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n"
)

// fragmentCases are seeds of the fuzzing too; want is nil where the fragment is malformed.
var fragmentCases = []struct {
	name, text string
	want       *fragment
}{
	{"as the draft has it", fragmentHead + fragmentICE + "a=" + udp + "\r\na=" + tcp + "\r\na=end-of-candidates\r\n", &fragment{
		credentials{"EsAw": "P2uYro0UCOQ4zxjKXaWCBui1"},
		[]fragmentSection{{"video 9 UDP/TLS/RTP/SAVPF 96", "0", []string{udp, tcp}, true}},
	}},
	{"credentials first", fragmentICE + "m=audio 9 RTP/AVP 0\r\na=mid:1\r\na=" + udp + "\r\n", &fragment{
		credentials{"EsAw": "P2uYro0UCOQ4zxjKXaWCBui1"}, []fragmentSection{{"audio 9 RTP/AVP 0", "1", []string{udp}, false}},
	}},
	{"line feeds alone, options, unknown attributes", "a=ice-options:trickle ice2\nm=audio 9 RTP/AVP 0\na=mid:a\na=x-new:1\n", &fragment{
		credentials{}, []fragmentSection{{media: "audio 9 RTP/AVP 0", mid: "a"}},
	}},
	{"new credentials alone", fragmentICE, &fragment{credentials: credentials{"EsAw": "P2uYro0UCOQ4zxjKXaWCBui1"}}},
	{"nothing", "", &fragment{credentials: credentials{}}},
	{"no SDP", "{}", nil},
	{"a whole description", offerText, nil},
	{"NUL", fragmentHead + "a=x\x00\r\n", nil},
	{"candidate without a section", "a=" + udp + "\r\n", nil},
	{"section without a mid", "m=video 9 RTP/AVP 0\r\na=" + udp + "\r\n", nil},
	{"mid without a section", "a=mid:0\r\n", nil},
	{"empty mid", "m=video 9 RTP/AVP 0\r\na=mid:\r\n", nil},
	{"long mid", "m=video 9 RTP/AVP 0\r\na=mid:" + strings.Repeat("0", 65) + "\r\n", nil},
	{"half a media line", "m=video 9\r\na=mid:0\r\n", nil},
	{"half the credentials", fragmentHead + "a=ice-ufrag:EsAw\r\n", nil},
	{"short candidate", fragmentHead + "a=candidate:1 1 UDP 2015363327 192.0.2.1 50000 typ\r\n", nil},
	{"candidate without typ", fragmentHead + "a=candidate:1 1 UDP 2015363327 192.0.2.1 50000 host host\r\n", nil},
	{"candidate of port x", fragmentHead + "a=candidate:1 1 UDP 2015363327 192.0.2.1 x typ host\r\n", nil},
	{"candidate with two blanks", fragmentHead + "a=candidate:1 1  UDP 2015363327 192.0.2.1 50000 typ host\r\n", nil},
	{"candidate beyond ASCII", fragmentHead + "a=candidate:1 1 UDP 2015363327 ü.local 50000 typ host\r\n", nil},
	{"long candidate", fragmentHead + "a=" + udp + strings.Repeat(" x", 250) + "\r\n", nil},
	{"65 candidates", fragmentHead + strings.Repeat("a="+udp+"\r\n", 65), nil},
}

func TestParseFragment(t *testing.T) {
	for _, c := range fragmentCases {
		t.Run(c.name, func(t *testing.T) {
			got, err := parseFragment(c.text)
			if c.want == nil {
				if !errors.Is(err, errMalformed) {
					t.Errorf("taken as %+v, %v; want errMalformed", got, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(*c.want, got, cmp.AllowUnexported(fragment{}, fragmentSection{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			checkAgain(t, got)
		})
	}
}

// checkAgain fails the test unless a fragment is the same after it was written and read.
func checkAgain(t *testing.T, f fragment) {
	t.Helper()
	again, err := parseFragment(f.String())
	if err != nil {
		t.Fatalf("%q does not read again: %v", f, err)
	}
	if diff := cmp.Diff(f, again, cmp.AllowUnexported(fragment{}, fragmentSection{})); diff != "" {
		t.Errorf("%q reads as (-first +again):\n%s", f, diff)
	}
}

func FuzzParseFragment(f *testing.F) {
	for _, c := range fragmentCases {
		f.Add(c.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parseFragment(text)
		if err != nil {
			if !errors.Is(err, errMalformed) {
				t.Errorf("error %v", err)
			}
			return
		}
		checkAgain(t, got)
		for _, s := range got.sections {
			for _, c := range s.candidates {
				if strings.ContainsAny(c, "\x00\r\n") || len(c) > maxCandidate {
					t.Errorf("candidate %q", c)
				}
			}
		}
	})
}

// Putting ICE candidates into a description changes nothing else in it.
func FuzzWithCandidates(f *testing.F) {
	for _, text := range []string{offerText, answerText, head + ice + video, "", "v=0"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		before, err := sdp.Parse(text)
		if err != nil {
			return
		}
		after, err := sdp.Parse(withCandidates(text, []sdp.Message{{Candidate: udp}, {Candidate: tcp, Section: 1}}, true))
		if err != nil && len(text) < sdp.MaxBytes/2 {
			t.Fatal(err)
		}
		for _, d := range []sdp.Description{before, after} {
			for i := range d.Sections {
				d.Sections[i].Candidates, d.Sections[i].Gathered = nil, false
			}
		}
		if diff := cmp.Diff(before, after); diff != "" && err == nil {
			t.Errorf("(-before +after):\n%s", diff)
		}
	})
}
