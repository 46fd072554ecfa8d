package doctor

import (
	"context"
	"net"
	"net/netip"
)

// access tells who is let in.
func access(_ context.Context, x *exam) Result {
	listen := x.request.Listen
	host, _, _ := net.SplitHostPort(listen)
	ip, err := netip.ParseAddr(host)
	switch {
	case !x.request.Open:
		return fine("nobody is let in without a key")
	case err == nil && ip.IsLoopback() || host == "localhost":
		return fine("open to every program of this machine (%s)", listen)
	default:
		return warn("open to everybody: whoever reaches "+listen+" may watch, listen and talk",
			"take open out of the settings: `boardcast key` shows the links of whom you want to let in")
	}
}
