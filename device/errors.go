package device

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Outcomes that a caller branches on; every *Error wraps one of them.
var (
	ErrBusy      = errors.New("in use by another program")
	ErrForbidden = errors.New("not permitted")
	ErrGone      = errors.New("not there")
	ErrSilent    = errors.New("not answering")
	ErrNotUsable = errors.New("not usable") // there, but not something to stream from
	ErrNoMatch   = errors.New("no match")   // nothing fits the words the user gave
	ErrAmbiguous = errors.New("several match")
	ErrNoMode    = errors.New("no usable mode")
	ErrRefused   = errors.New("refused") // a mode that the camera lists
)

// Error is a failure that a person can do something about.
type Error struct {
	What   string // verb and object: "open /dev/video0", "find camera \"cam\""
	Kind   error  // one of the sentinels above
	Detail string // more of what is known, may be empty: "held by ffmpeg (pid 812)"
	Hint   string // what to do, a sentence, may be empty
	Err    error  // the cause, may be nil
}

// Error is one line without the hint.
func (e *Error) Error() string {
	text := e.What + ": " + e.Kind.Error()
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	return text
}

// Unwrap makes errors.Is find both the kind and the cause.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}

const listHint = "`boardcast devices` lists what is there"

// explain turns an error of opening or claiming a device node into one that says what to do. An error it doesn't
// know comes back wrapped, without a hint.
func explain(root fs.FS, device string, err error) error {
	e := &Error{What: "open " + device, Err: err}
	switch {
	case errors.Is(err, ErrRefused), errors.Is(err, ErrSilent):
		return err
	case errors.Is(err, unix.EBUSY):
		e.Kind = ErrBusy
		e.Detail, e.Hint = busy(device, holders(root, device))
	case errors.Is(err, fs.ErrPermission):
		e.Kind = ErrForbidden
		e.Detail, e.Hint = forbidden(root, device)
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENXIO):
		e.Kind = ErrGone
		e.Hint = "plug it in again, or choose another: " + listHint
	default:
		return fmt.Errorf("open %s: %w", device, err)
	}
	return e
}

// silent is the error of a node whose driver did not answer in time.
func silent(device string, cause error) error {
	return &Error{
		What: "ask " + device, Kind: ErrSilent, Err: cause,
		Hint: "unplug the camera and plug it in again; if that doesn't help, the kernel's log (dmesg) may say why",
	}
}

// busy words the detail and the hint for a device that others hold.
func busy(device string, who []holder) (detail, hint string) {
	ours := slices.ContainsFunc(who, func(h holder) bool { return h.pid == os.Getpid() })
	if who = slices.DeleteFunc(who, func(h holder) bool { return h.pid == os.Getpid() }); ours && len(who) == 0 {
		return "this program is still closing it", ""
	}
	if len(who) == 0 {
		return "", "close the program that uses it; `sudo fuser -v " + device + "` names it"
	}
	names := make([]string, 0, len(who))
	for _, h := range who {
		names = append(names, fmt.Sprintf("%s (pid %d)", h.command, h.pid))
	}
	return "held by " + strings.Join(names, ", "),
		fmt.Sprintf("close %s, or choose another device: %s", who[0].command, listHint)
}

// forbidden words the detail and the hint for a device that this user may not open.
func forbidden(root fs.FS, device string) (detail, hint string) {
	info, err := fs.Stat(root, strings.TrimPrefix(device, "/"))
	if err != nil {
		return "", "run as a user who may use " + path.Base(device)
	}
	const groupMayUse = 0o060
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || stat.Gid == 0 || info.Mode().Perm()&groupMayUse != groupMayUse {
		return fmt.Sprintf("its mode is %v", info.Mode().Perm()),
			"no group may use it: run as root, or let udev give it to a group"
	}
	group := groupName(root, stat.Gid)
	return "it belongs to the group " + group,
		"add yourself: sudo usermod -aG " + group + " $USER, then log out and in again"
}
