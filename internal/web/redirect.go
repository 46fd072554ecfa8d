package web

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
)

// maxDrained is how many bytes of a request's body are read before the connection is closed: as many as an offer of WHEP may have.
// Closing a connection with unread bytes would take the answer back.
const maxDrained = 64 << 10

// redirecting is the listener below TLS. It answers a connection that begins with plain HTTP by itself: with the address of the same
// page by https. So people who leave out the s, and links from before https was served, arrive all the same.
//
// The answer is 308, which keeps the method, and no-store: a browser that kept it could not be served by http again.
type redirecting struct {
	net.Listener
	known   hosts
	headers map[string]string // of every answer
}

// Accept returns a connection that looks at its first byte when it is first read from.
func (l redirecting) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &firstByte{Conn: c, server: l}, nil
}

// firstByte is a connection of TLS, or of plain HTTP. Only the TLS handshake reads from it at first, and net/http bounds the time of that.
type firstByte struct {
	net.Conn
	server redirecting
	seen   bool // the first byte was looked at
}

// NetConn returns the connection below, as that of TLS does.
func (c *firstByte) NetConn() net.Conn { return c.Conn }

// Read reads for TLS. To TLS a connection of plain HTTP has ended at once.
func (c *firstByte) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.seen || n == 0 {
		return n, err
	}
	c.seen = true
	if p[0] < 'A' || p[0] > 'Z' { // a method of HTTP begins with a letter, a record of TLS with a number below 32
		return n, err
	}
	c.answer(io.MultiReader(bytes.NewReader(p[:n]), c.Conn))
	return 0, io.EOF
}

// answer answers one request.
func (c *firstByte) answer(from io.Reader) {
	bounded := &io.LimitedReader{R: from, N: maxHeaderBytes}
	r, err := http.ReadRequest(bufio.NewReader(bounded))
	if err != nil {
		c.say(http.StatusBadRequest, "", "this address speaks https")
		return
	}
	switch {
	case r.Host == "": // HTTP 1.0: there is no name to go on to
		c.say(http.StatusBadRequest, "", "this address speaks https")
	case !c.server.known.allowed(r):
		c.say(http.StatusMisdirectedRequest, "", strangeName)
	default:
		to := url.URL{Scheme: "https", Host: r.Host, Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}
		c.say(http.StatusPermanentRedirect, to.String(), "this address speaks https: "+to.Scheme+"://"+to.Host+"/")
	}
	bounded.N = maxDrained
	_, _ = io.Copy(io.Discard, r.Body)
}

// say writes an answer. The connection is closed afterwards.
func (c *firstByte) say(code int, location, text string) {
	h := http.Header{}
	for name, value := range c.server.headers {
		h.Set(name, value)
	}
	h.Set("Cache-Control", "no-store")
	h.Set("Connection", "close")
	h.Set("Content-Length", strconv.Itoa(len(text)+1))
	h.Set("Content-Type", "text/plain; charset=utf-8")
	if location != "" {
		h.Set("Location", location)
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "HTTP/1.1 %d %s\r\n", code, http.StatusText(code))
	_ = h.Write(&out) // to a buffer
	fmt.Fprintf(&out, "\r\n%s\n", text)
	_, _ = c.Write(out.Bytes())
}
