//go:build !nogst

package gst

/*
#include "peer.h"
#include <stdlib.h>
*/
import "C"

import (
	"unsafe"

	"boardcast/pipeline/media"
)

// cOptions copies the options into C memory, so that the struct holds no Go pointer.
func cOptions(o media.PeerOptions) (*C.PeerOptions, func()) {
	c := (*C.PeerOptions)(C.calloc(1, C.sizeof_PeerOptions))
	owned := []unsafe.Pointer{unsafe.Pointer(c)}
	str := func(s string) *C.char {
		p := C.CString(s)
		owned = append(owned, unsafe.Pointer(p))
		return p
	}
	list := func(texts []string) **C.char {
		p := (**C.char)(C.calloc(C.size_t(len(texts)+1), C.size_t(unsafe.Sizeof((*C.char)(nil)))))
		owned = append(owned, unsafe.Pointer(p))
		for i, t := range texts {
			unsafe.Slice(p, len(texts)+1)[i] = str(t)
		}
		return p
	}
	if o.STUN != "" {
		c.stun = str(o.STUN)
	}
	c.turn = list(o.TURN)
	local := make([]string, len(o.Local))
	for i, a := range o.Local {
		local[i] = a.String()
	}
	c.addresses, c.port = list(local), C.guint(o.Port)
	c.audio_graph, c.video_graph = str(o.Audio.String()), str(o.Video.String())
	c.heard = cFan(o.Heard)
	c.ice_tcp = 1
	return c, func() {
		for _, p := range owned {
			C.free(p)
		}
	}
}
