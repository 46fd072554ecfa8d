package signalling

import (
	"io"
	"net/http"
)

// HealthPath is where the reference server answers health checks.
const HealthPath = "/health"

// WithHealth answers GET on exactly path, without a query, with 200 "OK\n", as the reference server does. That goes for WebSocket
// handshakes on the path too. All other requests are left to next. It is for a server that stands alone.
func WithHealth(path string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.RequestURI != path || r.Method != http.MethodGet {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/plain")
		w.Header().Set("Connection", "close")
		_, _ = io.WriteString(w, "OK\n") // an error means that the client has gone
	})
}

func upgradeRequired(w http.ResponseWriter) {
	w.Header().Set("Connection", "Upgrade")
	w.Header().Set("Upgrade", "websocket")
	http.Error(w, "this is a WebSocket server: plain HTTP is of no use here", http.StatusUpgradeRequired)
}
