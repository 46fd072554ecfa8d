package pipeline

// tooSlow reports whether an encoder should be given less to do: it runs in software, the size is ours to choose, and its trial vouches
// for less than the format.
func (c *chooser) tooSlow(e Encoder, v Verdict, f VideoFormat) bool {
	room := capacity(v, f)
	return !e.Hardware && c.sizeOpen() && room > 0 && f.pixelsPerSecond() > room
}

// sizeOpen reports whether the user has left the size to us.
func (c *chooser) sizeOpen() bool { return c.request.Width == 0 && c.request.Height == 0 }

// headroom is a factor: a software encoder must be so much faster than real time in its trial. The capture, the network and the rest of
// the board need their share of the CPU, and a busy scene takes more than the trial's.
const headroom = 2

// capacity is the pixels per second that a trial vouches for, 0 if it measured nothing. What one core would encode by the CPU time of a
// frame counts too, since other programs may have kept the machine busy during the trial.
func capacity(v Verdict, f VideoFormat) float64 {
	const second = 1000 // milliseconds
	fps := v.FramesPerSecond
	if v.CPUMillis > 0 {
		fps = max(fps, second/v.CPUMillis)
	}
	return fps * pixels(f.Width, f.Height) / headroom
}

// shrink is the format made to fit a capacity: by fewer pixels, down to a quarter of each side, and by half the frame rate.
func shrink(f VideoFormat, room float64) VideoFormat {
	if room <= 0 || f.pixelsPerSecond() <= room {
		return f
	}
	out := f
	for _, factor := range []float64{1, 0.75, 0.5, 0.375, 0.25} {
		for _, slower := range []int{1, 2} {
			out = f.scaled(factor)
			out.Width, out.Height = out.Width&^1, out.Height&^1
			out.FPSNum, out.FPSDen = reduced(f.FPSNum, f.FPSDen*slower)
			out.Bitrate = min(f.Bitrate, out.DefaultBitrate())
			if out.pixelsPerSecond() <= room {
				return out
			}
		}
	}
	return out
}

// reduced is a fraction in lowest terms.
func reduced(num, den int) (int, int) {
	a, b := num, max(1, den)
	for b != 0 {
		a, b = b, a%b
	}
	return num / max(1, a), max(1, den) / max(1, a)
}
