package doctor

import (
	"context"
	"errors"
)

// camera tells whether the camera that would be used can be.
func camera(ctx context.Context, x *exam) Result {
	d := x.Camera(ctx)
	r := x.judge(d, Failure)
	if d.Missing && x.container() && len(x.glob("dev/video*")) == 0 {
		r.Hint = "let the container have the camera: docker run --device /dev/video0 --group-add video"
	}
	return r
}

// microphone tells the same; without it there is still a picture.
func microphone(ctx context.Context, x *exam) Result { return x.judge(x.Microphone(ctx), Warning) }

// judge makes a line of what was found. A device that boardcast itself holds, in another process, is in good hands.
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

// hintOf is the remedy that an error knows, else the other.
func hintOf(err error, otherwise string) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) && h.Hint() != "" {
		return h.Hint()
	}
	return otherwise
}
