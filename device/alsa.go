package device

import (
	"cmp"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Stream is the direction of a sound device.
type Stream string

// The directions.
const (
	Capture  Stream = "capture"
	Playback Stream = "playback"
)

// Sound is one direction of one device of an ALSA card.
type Sound struct {
	Card       int    `json:"card"`        // ALSA's number; may be another card's after a reboot
	ID         string `json:"id"`          // ALSA's identifier of the card, "C920"
	Name       string `json:"name"`        // the card's name for people
	Driver     string `json:"driver"`      // "USB-Audio", "HDA-Intel", "Loopback", ...
	Device     int    `json:"device"`      // number within the card
	DeviceName string `json:"device_name"` // the device's name within the card
	PCM        string `json:"pcm"`         // how to open it and the stable name: "hw:CARD=C920,DEV=0"
	Stream     Stream `json:"stream"`
	Bus        string `json:"bus"`      // as Camera.Bus where the card says it, else ""
	USBID      string `json:"usb_id"`   // "046d:082d", "" if not on USB
	USBPath    string `json:"usb_path"` // connector of the USB device, as Camera.USBPath

	cardFacts
}

// cardFacts are what a listing knows of a sound device beyond its JSON.
type cardFacts struct {
	twin   bool   // another of the model was there, see markSoundTwins
	shared bool   // another of the model may have the same byID in its turn, see markSoundTwins
	byID   string // udev's name of the card from the serial number, full path, "" if none
	byPath string // udev's name of the card from the connector, full path, "" if none
	pcmID  string // ALSA's identifier of the device within the card, which says more than its name where that is empty
}

type soundCard struct {
	number                     int
	id, driver, name, longName string
}

type soundDevice struct {
	card, device      int
	id, name          string
	playback, capture bool
}

// maxSound bounds card and device numbers; the kernel allows 32 each, ALSA's format more.
const maxSound = 256

// cardLine is `%2i [%-15s]: %s - %s`: number, identifier, driver, short name. The long name follows on a line of its
// own.
var cardLine = regexp.MustCompile(`^ *(\d{1,3}) \[([^\]]*)\]: (.*?) - (.*)$`)

// parseCards reads /proc/asound/cards. Lines it doesn't know are left out.
func parseCards(text string) []soundCard {
	var cards []soundCard
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if m := cardLine.FindStringSubmatch(line); m != nil {
			n, err := strconv.Atoi(m[1])
			if id := clean(m[2]); err == nil && n < maxSound && id != "" {
				cards = append(cards, soundCard{number: n, id: id, driver: clean(m[3]), name: clean(m[4])})
			}
			continue
		}
		if last := len(cards) - 1; last >= 0 && cards[last].longName == "" && strings.HasPrefix(line, " ") {
			cards[last].longName = clean(line)
		}
	}
	return cards
}

// pcmLine is `%02i-%02i: %s : %s` and then what directions there are.
var pcmLine = regexp.MustCompile(`^(\d{2,3})-(\d{2,3}): (.*?)((?: : (?:playback|capture) \d+){1,2})$`)

// parsePCMs reads /proc/asound/pcm. Lines it doesn't know are left out.
func parsePCMs(text string) []soundDevice {
	var devices []soundDevice
	for line := range strings.Lines(text) {
		m := pcmLine.FindStringSubmatch(strings.TrimRight(line, " \n"))
		if m == nil {
			continue
		}
		card, err1 := strconv.Atoi(m[1])
		device, err2 := strconv.Atoi(m[2])
		if err1 != nil || err2 != nil || card >= maxSound || device >= maxSound {
			continue
		}
		id, name, _ := strings.Cut(m[3]+" ", " : ")
		devices = append(devices, soundDevice{
			card: card, device: device, id: clean(id), name: clean(name),
			playback: strings.Contains(m[4], " : playback "), capture: strings.Contains(m[4], " : capture "),
		})
	}
	return devices
}

// sounds joins the two lists: one Sound for each direction of each device. Neither slice is nil.
func sounds(root fs.FS) (microphones, speakers []Sound) {
	microphones, speakers = []Sound{}, []Sound{}
	cards := parseCards(readText(root, "proc/asound/cards"))
	byID, byPath := soundLinks(root, soundByIDDir), soundLinks(root, soundByPathDir)
	for _, d := range parsePCMs(readText(root, "proc/asound/pcm")) {
		i := slices.IndexFunc(cards, func(c soundCard) bool { return c.number == d.card })
		if i < 0 {
			continue // gone between the two reads
		}
		s := newSound(root, cards[i], d)
		s.byID, s.byPath = byID[d.card], byPath[d.card]
		if d.capture {
			s.Stream = Capture
			microphones = append(microphones, s)
		}
		if d.playback {
			s.Stream = Playback
			speakers = append(speakers, s)
		}
	}
	markSoundTwins(microphones)
	markSoundTwins(speakers)
	return microphones, speakers
}

func newSound(root fs.FS, c soundCard, d soundDevice) Sound {
	number := strconv.Itoa(c.number)
	return Sound{
		Card: c.number, ID: c.id, Name: c.name, Driver: c.driver, Device: d.device, DeviceName: cmp.Or(d.name, d.id),
		PCM:     "hw:CARD=" + c.id + ",DEV=" + strconv.Itoa(d.device),
		Bus:     cardBus(c.longName),
		USBID:   clean(readText(root, "proc/asound/card"+number+"/usbid")),
		USBPath: usbPath(root, "sys/class/sound/card"+number+"/device"),

		cardFacts: cardFacts{pcmID: d.id},
	}
}

// cardBus takes the bus out of a USB card's long name, "... at usb-0000:00:14.0-2, high speed": the same words as a
// camera's bus on the same device, and so a way to join them where sysfs can't be read.
func cardBus(longName string) string {
	i := strings.LastIndex(longName, " at usb-")
	if i < 0 {
		return ""
	}
	bus, _, _ := strings.Cut(longName[i+len(" at "):], ",")
	return bus
}

// virtual tells a card that is fed by other programs or by nothing.
func (s Sound) virtual() bool {
	return slices.Contains([]string{"Loopback", "Dummy", "VirMIDI"}, s.Driver)
}

func (s Sound) usb() bool {
	return s.USBPath != "" || s.USBID != "" || s.Driver == "USB-Audio"
}

// digitalWords are what drivers call a connection of HDMI, DisplayPort or S/PDIF. "dit" and "dir" are the kernel's codecs
// for a bare S/PDIF transmitter and receiver, "xcvr" is NXP's for eARC, and HDA calls its S/PDIF "ALC892 Digital".
var digitalWords = regexp.MustCompile(`(?i)hdmi|display_?port|s/?pdif|iec958|toslink|xcvr|\bdi[tr]-hifi|\be?dp(tx)?\d*\b|\bALC\d+\S* digital\b`)

// digital tells a device that sounds through a monitor or an amplifier, which may not be there or have no speakers.
func (s Sound) digital() bool {
	return digitalWords.MatchString(strings.Join([]string{s.Driver, s.Name, s.DeviceName, s.pcmID}, " "))
}

// unrouted tells a port of a Jetson's audio engine. It is wired to no codec until a mixer's controls say so, and gives
// nothing, or an error, meanwhile. All its ports look alike, so none can be taken unasked.
func (s Sound) unrouted() bool {
	return strings.Contains(s.pcmID+s.DeviceName, "ADMAIF")
}

// on tells whether a sound device and a camera are the same USB device.
func (s Sound) on(c Camera) bool {
	if s.USBPath != "" && c.USBPath != "" {
		return s.USBPath == c.USBPath
	}
	return s.Bus != "" && s.Bus == c.Bus
}
