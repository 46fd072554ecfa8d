package pipeline

// tooSlow reports whether a software encoder whose size is ours to choose should be given less to do.
func (c *chooser) tooSlow(e Encoder, v Verdict, f VideoFormat) bool {
	room := capacity(v, f)
	return !e.Hardware && c.sizeOpen() && room > 0 && f.pixelsPerSecond() > room
}

// sizeOpen reports whether the size is ours to choose.
func (c *chooser) sizeOpen() bool { return c.request.Width == 0 && c.request.Height == 0 }

// headroom is how much faster than real time a software encoder must be in its trial: the capture, the network and the
// rest of the board want their share, and a busy scene costs more than the trial's.
const headroom = 2

// capacity is the pixels per second that a trial vouches for, 0 when it measured nothing. It may have run while others
// kept the machine busy, so what one core would do counts too.
func capacity(v Verdict, f VideoFormat) float64 {
	const second = 1000 // milliseconds
	fps := v.FramesPerSecond
	if v.CPUMillis > 0 {
		fps = max(fps, second/v.CPUMillis)
	}
	return fps * float64(f.Width*f.Height) / headroom
}

// shrink makes a format that fits a capacity: fewer pixels, down to a quarter of each side, and half the rate.
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
