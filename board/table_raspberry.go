package board

// bcm2835Codec are the limits of the encoder in VideoCore IV and VI: 1920x1080 at 30 frames/s, or 1280x720 at 60, for all streams together,
// as H.264's level 4.0 has it. Higher levels can be selected, but are not encoded in real time.
var bcm2835Codec = Limits{
	MacroblocksPerSecond: 245760, SizeMultiple: 2,
	MinWidth: 32, MinHeight: 32, MaxWidth: 1920, MaxHeight: 1920,
}

const (
	bcm2835Source = "raspberrypi/linux drivers/staging/vc04_services/bcm2835-codec/bcm2835-v4l2-codec.c; " +
		"raspberrypi/linux#3467, #6045; strings from the board's .dts in Linux 6.1 arch/arm/boot/dts"
	bcm2835Note = "The encoder is /dev/video11, and wants its level in the caps. Above 1080 lines the picture is damaged."
)

// videoCore is the row of a Raspberry Pi whose VideoCore encodes H.264. All of them have the same encoder.
func videoCore(id, name string, match ...string) Board {
	return Board{
		ID: id, Name: name, Match: match,
		// On 32-bit Buster omxh264enc runs the same encoder.
		H264: h264("v4l2h264enc", "omxh264enc"), VP8: vp8(),
		Limits: bcm2835Codec, CSI: "libcamerasrc",
		Note: bcm2835Note, Source: bcm2835Source,
	}
}

// raspberry are the Raspberry Pis. Three of them have the bcm2837, so the last of the three matches its name.
func raspberry() []Board {
	return []Board{
		videoCore("pi-zero-2", "Raspberry Pi Zero 2", "raspberrypi,model-zero-2*"),
		videoCore("pi-cm3", "Raspberry Pi Compute Module 3", "raspberrypi,3-compute-module*"),
		videoCore("pi-3", "Raspberry Pi 3", "raspberrypi,3-model-*", "brcm,bcm2837"),
		videoCore("pi-2", "Raspberry Pi 2", "raspberrypi,2-model-b*", "brcm,bcm2836"),
		videoCore("pi-zero", "Raspberry Pi Zero or 1", "raspberrypi,model-zero*", "brcm,bcm2835"),
		videoCore("pi-4", "Raspberry Pi 4", "raspberrypi,4-model-b", "raspberrypi,400", "raspberrypi,4-compute-module*", "brcm,bcm2711"),
		{
			ID: "pi-5", Name: "Raspberry Pi 5",
			Match: []string{"raspberrypi,5-model-b", "raspberrypi,5-compute-module*", "raspberrypi,500", "brcm,bcm2712*"},
			H264:  h264(), VP8: vp8(), CSI: "libcamerasrc",
			Note:   "This SoC has no encoder of H.264 or VP8. The CPU encodes; 1280x720 at 30 frames/s is realistic.",
			Source: "raspberrypi/linux arch/arm64/boot/dts/broadcom/bcm2712-rpi-5-b.dts; RaspberryPi-WebRTC README",
		},
	}
}
