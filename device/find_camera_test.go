package device

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A camera that is named and cannot be used now is away, with the reason. What no waiting mends is an error.
func TestFindCamera(t *testing.T) {
	node := func(path string, why Why, err error) Skipped {
		return Skipped{Path: path, Why: why, Err: err, names: Camera{Path: path}}
	}
	failed := func(kind error) error {
		return &Error{What: "open it", Kind: kind, Detail: "as it is", Hint: "mend it"}
	}
	skipped := []Skipped{
		node("/dev/video21", WhyForbidden, failed(ErrForbidden)), node("/dev/video22", WhyBusy, failed(ErrBusy)),
		node("/dev/video23", WhySilent, failed(ErrSilent)), node("/dev/video24", WhyFailed, failed(ErrGone)),
		node("/dev/video25", WhyFailed, unix.EIO), node("/dev/video26", WhyCodec, nil), node("/dev/video27", WhySensor, nil),
	}
	l := Listing{Cameras: list("vga"), Skipped: skipped}
	tests := []struct {
		name, want string
		expected   bool
		source     Source
		reason     string // part of it
		hint       string // part of it
		kind       error  // of the cause where the camera is away, else of the error
	}{
		{"there", "/dev/video2", true, SourceDevice, "asked for by path", "", nil},
		{"auto", "auto", false, SourceDevice, "only", "", nil},
		{"absent", "/dev/video9", true, SourceNone, `"/dev/video9" is not there: there is `, "plug it in, or give a name", ErrNoMatch},
		{"absent, and maybe misspelt", "C290", false, "", "", "", ErrNoMatch},
		{"forbidden", "/dev/video21", false, SourceNone, "open it: not permitted: as it is", "mend it", ErrForbidden},
		{"busy", "/dev/video22", false, SourceNone, "open it: in use", "mend it", ErrBusy},
		{"not answering", "/dev/video23", false, SourceNone, "open it: not answering", "mend it", ErrSilent},
		{"gone meanwhile", "/dev/video24", false, SourceNone, "open it: not there", "mend it", ErrGone},
		{"failing otherwise", "/dev/video25", false, SourceNone, "not usable: can't be asked", "choose another", ErrNotUsable},
		{"never a camera", "/dev/video26", true, "", "", "", ErrNotUsable},
		{"a sensor", "/dev/video27", true, "", "", "", ErrNotUsable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := l.FindCamera(tt.want, tt.expected)
			away := tt.source == SourceNone
			if got.Source != tt.source || got.Away != away || !strings.Contains(got.Reason, tt.reason) || !strings.Contains(got.Hint, tt.hint) {
				t.Errorf("got %+v", got)
			}
			if away && (err != nil || !errors.Is(got.Cause, tt.kind) || !strings.HasPrefix(got.String(), "placeholder: ")) {
				t.Errorf("%s: cause %v, error %v; want the cause %v", got, got.Cause, err, tt.kind)
			}
			if !away && !errors.Is(err, tt.kind) {
				t.Errorf("error %v, want %v", err, tt.kind)
			}
		})
	}
	if _, err := (Listing{Cameras: list("vga gspca")}).FindCamera("Old", true); !errors.Is(err, ErrAmbiguous) {
		t.Errorf("two that fit: %v", err)
	}
}

func TestIsAddress(t *testing.T) {
	for want, words := range map[bool][]string{
		true: {
			"/dev/video0", "/dev/v4l/by-id/usb-046d_HD-video-index0", "usb-046d_HD_Pro_Webcam_C920-video-index0", "usb-0000:00:14.0-2",
			"platform:vivid-000", "platform-fe801000.csi-video-index0", "pci-0000:00:14.0-usb-0:2:1.0-video-index0",
			"hw:CARD=C920,DEV=0", "plughw:1,0", "hw:1",
		},
		false: {"auto", "", "C920", "nosuch", "HD Webcam", "dev/video0", "./video0", "usb", "camera:1", "my hw:0"},
	} {
		for _, word := range words {
			if IsAddress(word) != want {
				t.Errorf("IsAddress(%q) = %v, want %v", word, !want, want)
			}
		}
	}
}
