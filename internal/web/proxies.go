package web

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// proxies are the addresses of reverse proxies that are believed. Anybody can send the headers in which a proxy tells who its client is. So
// they count in a request from one of these addresses alone.
type proxies []netip.Prefix

// believed has a handler see each request as the client of a believed proxy made it: with the client's address, and with TLS where the
// client speaks TLS with the proxy. So what is counted by address counts clients, and what must be known of the client's TLS (may a page of
// https come? is a cookie for https?) is known.
func (p proxies) believed(next http.Handler) http.Handler {
	if len(p) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(w, p.unwrapped(r)) })
}

// proxyHeaders are what a proxy adds. They are taken off a request whose proxy is believed.
var proxyHeaders = []string{"Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip"}

// unwrapped is the request as the client made it. A request that comes from elsewhere is left as it is.
func (p proxies) unwrapped(r *http.Request) *http.Request {
	remote, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !p.have(remote.Addr()) || !forwarded(r.Header) {
		return r
	}
	// In which network the proxy met this machine says nothing of the client's.
	r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, nil))
	r.Header = r.Header.Clone()
	hops, listed := parseForwarded(r.Header.Values("Forwarded")), parseListed(r.Header)
	if client := p.agreed(remote.Addr(), hops, listed); client != remote.Addr() {
		r.RemoteAddr = netip.AddrPortFrom(client, 0).String() // the client's port is not known
	}
	switch schemeOf(hops, listed) {
	case "https", "wss":
		if r.TLS == nil {
			r.TLS = &tls.ConnectionState{}
		}
	case "http", "ws":
		r.TLS = nil
	}
	for _, name := range proxyHeaders {
		r.Header.Del(name)
	}
	return r
}

// forwarded tells whether a proxy has said anything of its client. Else the request is one that the proxy's machine makes by itself.
func forwarded(h http.Header) bool {
	return slices.ContainsFunc(proxyHeaders, func(name string) bool { return h.Get(name) != "" })
}

// have tells whether a proxy at the address is believed.
func (p proxies) have(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	return slices.ContainsFunc(p, func(one netip.Prefix) bool { return one.Contains(a) })
}

// agreed is the client's address. There are two headers for it, and a proxy that sets one may pass on the other as a client has sent it. So
// where both are there they must say the same. Else the proxy itself counts as the client.
func (p proxies) agreed(proxy netip.Addr, hops, listed []hop) netip.Addr {
	a, b := p.client(proxy, hops), p.client(proxy, listed)
	switch {
	case len(hops) == 0:
		return b
	case len(listed) == 0 || a == b:
		return a
	default:
		return proxy
	}
}

// client follows the hops from the last one, which the believed proxy has told, to the first that is no believed proxy.
func (p proxies) client(proxy netip.Addr, hops []hop) netip.Addr {
	at := proxy
	for _, one := range slices.Backward(hops) {
		if !p.have(at) || !one.from.IsValid() {
			break
		}
		at = one.from
	}
	return at
}

// schemeOf is the scheme by which the believed proxy was reached; "" when it does not say, or says two.
func schemeOf(hops, listed []hop) string {
	var said []string
	for _, chain := range [][]hop{hops, listed} {
		if len(chain) > 0 && chain[len(chain)-1].scheme != "" {
			said = append(said, chain[len(chain)-1].scheme)
		}
	}
	if len(slices.Compact(said)) != 1 {
		return ""
	}
	return said[0]
}

// hop is what one proxy says of who came to it.
type hop struct {
	from   netip.Addr // the zero Addr where that is not said, or is no address
	scheme string     // in lower case; "" where that is not said
}

// parseListed reads X-Forwarded-For and X-Forwarded-Proto. The last hop has the last scheme.
func parseListed(h http.Header) []hop {
	var hops []hop
	if all := h.Values("X-Forwarded-For"); len(all) > 0 {
		for one := range strings.SplitSeq(strings.Join(all, ","), ",") {
			hops = append(hops, hop{from: node(strings.TrimSpace(one))})
		}
	}
	schemes := strings.Split(strings.Join(h.Values("X-Forwarded-Proto"), ","), ",")
	if last := strings.ToLower(strings.TrimSpace(schemes[len(schemes)-1])); last != "" {
		if len(hops) == 0 {
			hops = []hop{{}}
		}
		hops[len(hops)-1].scheme = last
	}
	return hops
}

// parseForwarded reads the lines of the header Forwarded (RFC 7239).
func parseForwarded(lines []string) []hop {
	var hops []hop
	for _, line := range lines {
		for _, element := range outsideQuotes(line, ',') {
			var one hop
			for _, pair := range outsideQuotes(element, ';') {
				name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
				switch value = unquoted(value); strings.ToLower(name) {
				case "for":
					one.from = node(value)
				case "proto":
					one.scheme = strings.ToLower(value)
				}
			}
			hops = append(hops, one)
		}
	}
	return hops
}

// outsideQuotes splits a text at a separator that does not stand between quotes.
func outsideQuotes(text string, separator byte) []string {
	var parts []string
	quoted, begin := false, 0
	for i := 0; i < len(text); i++ {
		switch {
		case quoted && text[i] == '\\':
			i++ // what follows is no quote
		case text[i] == '"':
			quoted = !quoted
		case text[i] == separator && !quoted:
			parts = append(parts, text[begin:i])
			begin = i + 1
		}
	}
	return append(parts, text[begin:])
}

// unquoted takes the quotes off. An address needs no escape.
func unquoted(text string) string { return strings.Trim(strings.TrimSpace(text), `"`) }

// node reads an address with or without a port; IPv6 stands in brackets where it has a port, and may elsewhere. Names such as "unknown" and
// "_hidden" are no address.
func node(text string) netip.Addr {
	if withPort, err := netip.ParseAddrPort(text); err == nil {
		return withPort.Addr().Unmap().WithZone("")
	}
	bare, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
	if err != nil {
		return netip.Addr{}
	}
	return bare.Unmap().WithZone("")
}
