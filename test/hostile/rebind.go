package hostile

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// foreign are requests that a page of another site has a browser make: one whose own name leads to the program's address, and
// one that says where it is from.
var foreign = []struct {
	method, path string
	host, origin string // empty: as an honest request
	status       int
}{
	{method: http.MethodGet, path: "/", host: "evil.example", status: http.StatusMisdirectedRequest},
	{method: http.MethodGet, path: "/api/status", host: "evil.example:8080", status: http.StatusMisdirectedRequest},
	{method: http.MethodGet, path: "/ws", host: "evil.example", origin: "http://evil.example", status: http.StatusMisdirectedRequest},
	{method: http.MethodPost, path: "/whep", host: "evil.example", origin: "http://evil.example", status: http.StatusMisdirectedRequest},
	{method: http.MethodPost, path: "/whep", host: "10.77.0.1.evil.example", status: http.StatusMisdirectedRequest},
	{method: http.MethodGet, path: "/ws", origin: "http://evil.example", status: http.StatusForbidden},
	{method: http.MethodPost, path: "/whep", origin: "http://evil.example", status: http.StatusForbidden},
	{method: http.MethodPost, path: "/whep", origin: "null", status: http.StatusForbidden},
}

// otherSite has a page of another site ask for the picture.
func otherSite(ctx context.Context, s Scene) (string, error) {
	var bad []error
	for i, f := range foreign {
		d := s.Door(i + 1)
		request, err := http.NewRequestWithContext(ctx, f.method, "http://"+d.Program+f.path, http.NoBody)
		if err != nil {
			return "", fmt.Errorf("make a request: %w", err)
		}
		if f.host != "" {
			request.Host = f.host
		}
		for name, value := range map[string]string{
			"Origin": f.origin, "Content-Type": "application/sdp", "Connection": "Upgrade", "Upgrade": "websocket",
			"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
		} {
			if value != "" && (f.path == "/ws" || name == "Origin" || name == "Content-Type") {
				request.Header.Set(name, value)
			}
		}
		reply, err := d.send(request)
		if err != nil || reply.Status != f.status {
			bad = append(bad, fmt.Errorf("%s %s of host %q and origin %q got %d (%w), want %d", f.method, f.path, f.host, f.origin, reply.Status, err, f.status))
		}
	}
	return fmt.Sprintf("%d of %d requests refused", len(foreign)-len(bad), len(foreign)), errors.Join(bad...)
}
