package device

import (
	"encoding/binary"
	"errors"
	"testing"
	"testing/fstest"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// hdmi answers as the driver of an HDMI receiver does.
type hdmi struct {
	seen, set *dvTimings // nil: the driver knows no timings, or sees no signal
	format    [2]uint32
	bufType   uint32 // of the queue that it has
}

func (r hdmi) ask(request uintptr, arg unsafe.Pointer) error {
	timings := map[uintptr]*dvTimings{vidiocQueryDVTimings: r.seen, vidiocGetDVTimings: r.set}
	if request == vidiocGetFormat {
		f := (*formatQuery)(arg)
		if f.bufType != r.bufType {
			return unix.EINVAL
		}
		f.picture.width, f.picture.height = r.format[0], r.format[1]
		return nil
	}
	if timings[request] == nil {
		return unix.ENOLINK
	}
	*(*dvTimings)(arg) = *timings[request]
	return nil
}

// signal makes timings of a picture with the lines and the pixels beside it, and a pixel clock.
func signal(width, height, across, down uint32, clock uint64) *dvTimings {
	t := dvTimings{width: width, height: height}
	t.across[1], t.down[2] = across, down
	binary.NativeEndian.PutUint64(t.clock[:], clock)
	return &t
}

func TestCurrent(t *testing.T) {
	hd60 := signal(1920, 1080, 280, 45, 148_500_000)
	interlaced := signal(1920, 1080, 280, 45, 74_250_000)
	interlaced.interlaced = 1
	tests := []struct {
		name string
		r    hdmi
		want Current // the zero value: no picture
	}{
		{"what is seen", hdmi{seen: hd60, set: signal(640, 480, 160, 45, 25_200_000), format: [2]uint32{640, 480}}, Current{1920, 1080, Interval{1, 60}}},
		{"another source now", hdmi{seen: signal(1280, 720, 700, 30, 74_250_000), set: hd60}, Current{1280, 720, Interval{1, 50}}},
		{"NTSC's rate", hdmi{seen: signal(1920, 1080, 280, 45, 148_351_648)}, Current{1920, 1080, Interval{1001, 60000}}},
		{"a clock that is measured", hdmi{seen: signal(1920, 1080, 280, 45, 148_502_000)}, Current{1920, 1080, Interval{1, 60}}},
		{"an odd rate", hdmi{seen: signal(1000, 1000, 0, 0, 33_500_000)}, Current{1000, 1000, Interval{1000, 33500}}},
		{"4K", hdmi{seen: signal(3840, 2160, 560, 90, 594_000_000)}, Current{3840, 2160, Interval{1, 60}}},
		{"a clock beyond 32 bits", hdmi{seen: signal(7680, 4320, 1120, 80, 4_646_400_000)}, Current{7680, 4320, Interval{1, 120}}},
		{"interlaced", hdmi{seen: interlaced}, Current{Width: 1920, Height: 1080}},
		{"busy, but set", hdmi{set: hd60}, Current{1920, 1080, Interval{1, 60}}},
		{"no timings", hdmi{format: [2]uint32{3840, 2160}}, Current{Width: 3840, Height: 2160}},
		{"timings of nothing", hdmi{seen: &dvTimings{}, format: [2]uint32{1280, 720}}, Current{Width: 1280, Height: 720}},
		{"no clock", hdmi{seen: signal(1920, 1080, 280, 45, 0)}, Current{Width: 1920, Height: 1080}},
		{"an absurd size", hdmi{seen: signal(1<<31, 1080, 280, 45, 1), format: [2]uint32{1280, 720}}, Current{Width: 1280, Height: 720}},
		{"nothing", hdmi{}, Current{}},
	}
	for _, queue := range []uint32{bufTypeCapture, bufTypeCaptureMPlane} {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				tt.r.bufType = queue
				got, err := current(tt.r.ask, queue)
				if got != tt.want || errors.Is(err, errNoPicture) != (tt.want == Current{}) {
					t.Errorf("got %+v, %v, want %+v", got, err, tt.want)
				}
			})
		}
	}
}

// A receiver is listed with what its source sends now, so a listing after the source has changed tells the new size.
func TestListTellsSource(t *testing.T) {
	c := readCase(t, "d16")
	sizes := func(now Current) []Size { return c.list(t, &now).Cameras[0].Formats[0].Sizes }
	want := [][]Size{
		{{Width: 1920, Height: 1080, Rates: []Rate{{60, 1}}}},
		{{Width: 1280, Height: 720, Rates: []Rate{}}},
	}
	got := [][]Size{
		sizes(Current{Width: 1920, Height: 1080, Interval: Interval{1, 60}}),
		sizes(Current{Width: 1280, Height: 720}),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// webcamNow is a webcam that could say what it captures now, and counts how often it is asked.
type webcamNow struct {
	fakeNode
	asked *int
}

func (f webcamNow) Current() (Current, error) {
	*f.asked++
	return Current{Width: 1, Height: 1}, nil
}

// A camera that lists its sizes has those, and a format without sizes beside them has the current one.
func TestListedSizesStand(t *testing.T) {
	sizeless := webcam()
	sizeless.formats = append(sizeless.formats, fakeFormat{FormatDesc: FormatDesc{Code: code("NV12")}})
	for _, tt := range []struct {
		node  fakeNode
		asked int
		want  []int // widths
	}{
		{webcam(), 0, []int{1280, 640}},
		{sizeless, 1, []int{1280, 640, 1}},
	} {
		asked := 0
		l := List(t.Context(), Options{
			Root: fstest.MapFS{"dev/video0": charDevice()},
			Open: openFrom(map[string]any{"/dev/video0": webcamNow{tt.node, &asked}}),
		})
		var widths []int
		for _, f := range l.Cameras[0].Formats {
			widths = append(widths, f.Sizes[0].Width)
		}
		if asked != tt.asked || !cmp.Equal(widths, tt.want) {
			t.Errorf("asked %d times, widths %v, want %d and %v", asked, widths, tt.asked, tt.want)
		}
	}
}
