package doctor

import (
	"context"
	"errors"
)

// camera checks the camera that would be used.
func camera(ctx context.Context, x *exam) Result {
	d := x.Camera(ctx)
	r := x.judge(d, Failure)
	if d.Missing && x.container() && len(x.glob("dev/video*")) == 0 {
		r.Hint = "let the container have the camera: docker run --device /dev/video0 --group-add video"
	}
	return r
}

// microphone checks the microphone that would be used. Without it there is still a picture.
func microphone(ctx context.Context, x *exam) Result { return x.judge(x.Microphone(ctx), Warning) }

// judge makes a result of what was found. A device may be busy because boardcast is running and uses it, which is fine.
func (x *exam) judge(d Device, unusable Status) Result {
	switch {
	case d.Err != nil && d.Busy && x.port().ours:
		return fine("%s; boardcast, which is running, has it", d.Text)
	case d.Err != nil:
		return Result{Status: unusable, Detail: d.Err.Error(), Hint: hintOf(d.Err, d.Hint)}
	case d.Missing:
		return warn(d.Text, d.Hint)
	}
	return fine("%s", d.Text)
}

// hintOf is the hint that an error has, or otherwise.
func hintOf(err error, otherwise string) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) && h.Hint() != "" {
		return h.Hint()
	}
	return otherwise
}
