package certificate

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"
)

const (
	renewEvery  = time.Minute          // between two looks at the names and the clock: a new name is certified soon enough
	validFor    = 800 * 24 * time.Hour // Apple's systems take no certificate that is valid for more than 825 days
	renewBefore = 30 * 24 * time.Hour  // before the end: a board that is switched on once a month never shows one that has ended
	backdated   = 24 * time.Hour       // a viewer's clock may be behind the board's by this much
	maxIPv4     = 16                   // addresses of IPv4 in one certificate, those of other networks that the board was in included
	serialBits  = 127                  // of the serial number: random, so that no browser meets one twice
)

// earliest is before the first day on which this code ran. A board without a battery begins with an older clock. The certificate that
// it makes then must not have ended when the clock is set.
var earliest = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)

// Names are by what a board is opened.
type Names struct {
	Hosts     []string
	Addresses []netip.Addr
}

// SelfSigned shows a certificate for what names returns. It is kept, with its key, in a file in dir. It is made at the first call, and made
// anew 30 days before it ends, or when the board has a name or an address of IPv4 that it lacks. (Addresses of IPv6 change daily where a
// board keeps its own secret, so they are certified as they are, but are no reason for another certificate.) Where nothing can be written
// the certificate is for this run alone, and the log says so. An empty dir asks for that.
func SelfSigned(dir string, names func() Names, logger *slog.Logger) (*Shown, error) {
	s := &Shown{every: renewEvery}
	m := &maker{file: newStore(dir), names: names, now: time.Now, show: s.current.Store, log: logger}
	if m.current = m.file.read(logger); m.current == nil {
		logger.Debug("no self-signed certificate yet", slog.String(keyFile, m.file.path))
	}
	if m.look() == nil && m.current == nil {
		return nil, &Error{m.err, "give a certificate of your own: --tls-cert and --tls-key"}
	}
	s.look = m.look
	s.current.Store(m.current)
	return s, nil
}

// maker makes certificates, and knows the one that is shown.
type maker struct {
	file    store
	names   func() Names
	now     func() time.Time
	show    func(*tls.Certificate)
	log     *slog.Logger
	current *tls.Certificate // nil: none yet
	err     error            // why none could be made the last time
}

// look makes a certificate when the current one does not do any more.
func (m *maker) look() *tls.Certificate {
	now, names := m.now(), usable(m.names())
	reason := unfit(m.current, names, now)
	if reason == "" {
		return nil
	}
	next, err := selfSign(m.current, names, now)
	if err != nil {
		if m.err == nil {
			m.log.Warn("no self-signed certificate can be made", slog.Any(keyError, err))
		}
		m.err = err
		return nil
	}
	m.err = nil
	m.current = next
	m.show(next)
	m.log.Info("self-signed certificate made", slog.String(keyReason, reason),
		slog.String(keyFingerprint, Fingerprint(next.Leaf)), slog.Time(keyEnds, next.Leaf.NotAfter))
	m.file.write(next, m.log)
	return next
}

// unfit says why a certificate is to be replaced; "" when it is not. One that is not valid yet stays: the clock is not set yet.
func unfit(c *tls.Certificate, names Names, now time.Time) string {
	if c == nil {
		return "there is none yet"
	}
	if now.After(c.Leaf.NotAfter.Add(-renewBefore)) {
		return "the one before ends soon"
	}
	for _, host := range names.Hosts {
		if !slices.Contains(c.Leaf.DNSNames, host) {
			return "the one before lacks the name " + host
		}
	}
	for _, a := range names.Addresses {
		if a.Is4() && !slices.Contains(addresses(c.Leaf), a) {
			return "the one before lacks the address " + a.String()
		}
	}
	return ""
}

// selfSign makes a certificate for the names. It also has the addresses of IPv4 that the one before had: a board that is in two networks
// by turns then keeps one certificate, which viewers have accepted.
func selfSign(before *tls.Certificate, names Names, now time.Time) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), serialBits))
	if err != nil {
		return nil, fmt.Errorf("make a serial number: %w", err)
	}
	if now.Before(earliest) {
		now = earliest
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{Organization: []string{"boardcast"}, CommonName: commonName(names)},
		DNSNames:     names.Hosts,
		IPAddresses:  certified(before, names.Addresses),
		NotBefore:    now.Add(-backdated),
		NotAfter:     now.Add(validFor - backdated),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		// It is no authority: who trusts it trusts this board alone.
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("sign a certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("read our own certificate: %w", err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, nil
}

// commonName is what a browser lists the certificate by, which X.509 bounds.
func commonName(names Names) string {
	const longest = 64 // characters (RFC 5280, ub-common-name)
	for _, host := range names.Hosts {
		if host != "localhost" && len(host) <= longest {
			return host
		}
	}
	return "boardcast"
}

// certified lists the addresses for a certificate: all that the board has now, and then those of IPv4 that the certificate before had, up
// to a bound.
func certified(before *tls.Certificate, now []netip.Addr) []net.IP {
	all, ipv4 := slices.Clone(now), 0
	for _, a := range now {
		if a.Is4() {
			ipv4++
		}
	}
	if before != nil {
		for _, a := range addresses(before.Leaf) {
			if a.Is4() && ipv4 < maxIPv4 && !slices.Contains(all, a) {
				all, ipv4 = append(all, a), ipv4+1
			}
		}
	}
	ips := make([]net.IP, len(all))
	for i, a := range all {
		ips[i] = a.AsSlice()
	}
	return ips
}

// addresses are those that a certificate is for.
func addresses(c *x509.Certificate) []netip.Addr {
	var all []netip.Addr
	for _, ip := range c.IPAddresses {
		if a, ok := netip.AddrFromSlice(ip); ok {
			all = append(all, a.Unmap())
		}
	}
	return all
}

// usable leaves out what no certificate can hold or no browser can open, and what is there twice.
func usable(names Names) Names {
	var out Names
	for _, host := range names.Hosts {
		host = strings.ToLower(host)
		if hostForm(host) && !slices.Contains(out.Hosts, host) {
			out.Hosts = append(out.Hosts, host)
		}
	}
	for _, a := range names.Addresses {
		a = a.Unmap()
		opens := a.IsValid() && (a.Is4() || !a.IsLinkLocalUnicast()) && a.Zone() == ""
		if opens && !slices.Contains(out.Addresses, a) {
			out.Addresses = append(out.Addresses, a)
		}
	}
	return out
}

// hostForm says whether a name may stand in a certificate.
func hostForm(host string) bool {
	const longest = 253 // characters: DNS allows no more
	if host == "" || len(host) > longest || host[0] == '.' || host[len(host)-1] == '.' {
		return false
	}
	return !strings.ContainsFunc(host, func(r rune) bool { return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789-._", r) })
}
