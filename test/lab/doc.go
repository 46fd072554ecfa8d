// Package lab runs boardcast on a real kernel: Debian's own, booted under QEMU, with V4L2 cameras (vivid, v4l2loopback),
// memory-to-memory codecs (vicodec and an H.264 encoder of our own, see module/) and ALSA sound (snd-aloop), none of
// which a development machine or a CI runner need have. The guest's root file system is the host's, read-only, so it
// runs the binary that was just built with the GStreamer that is installed here; a browser on the host plays it over a
// tap device in a network namespace of the run's own.
//
// Everything is behind the build tag lab:
//
//	test/lab/run                        # all of it
//	test/lab/run -run TestPicture       # one test
//	make soak                           # viewers come and go for an hour
//
// prepare.sh makes the kernel and its modules once and caches them. guest/ holds the two scripts that bring the guest
// up. machine.go boots it, agent.go carries commands into it, browser.go is the host's viewer.
package lab
