package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"syscall"

	"boardcast/configs"
	"boardcast/internal/access"
	"boardcast/internal/doctor"
	"boardcast/internal/web"
)

// listen claims the page's port and prints the addresses at which a browser
// finds the page, and who is let in there. keys is nil where everybody is.
func listen(site *web.Server, cfg *configs.Config, keys *access.Keys, stdout io.Writer) error {
	if _, err := site.Listen(); err != nil {
		return nameHolder(err, cfg.Page.Listen)
	}
	urls := site.URLs()
	shown := urls
	if keys != nil && keys.Made() && isTerminal(stdout) {
		shown = linksTo(urls, keys.Key(access.Viewer))
	}
	writeAddresses(stdout, shown, cfg.Page.Listen)
	writeAccess(stdout, urls[0], keys)
	return nil
}

// writeAddresses prints where the page is. An address of loopback opens on this
// machine alone, and the line says why there is no other.
func writeAddresses(stdout io.Writer, urls []string, listen string) {
	where := ""
	if isLoopback(urls[0]) {
		where = " on this machine"
		if host, _, _ := net.SplitHostPort(listen); isEveryAddress(host) {
			where += " (no network is up; other machines reach the page once one is)"
		}
	}
	fmt.Fprintf(stdout, "boardcast %s: open %s in a browser%s\n", buildVersion(), urls[0], where)
	for _, u := range urls[1:] {
		fmt.Fprintf(stdout, "  or %s\n", u)
	}
}

func isLoopback(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return err == nil && ip.IsLoopback()
}

// isEveryAddress reports whether a host in listen stands for all addresses of
// the machine.
func isEveryAddress(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "" || err == nil && ip.IsUnspecified()
}

// nameHolder adds to the error for a port that is taken which program has it.
func nameHolder(err error, listen string) error {
	refused, ok := errors.AsType[*web.ListenError](err)
	if !ok || !errors.Is(err, syscall.EADDRINUSE) {
		return err
	}
	holder, ours := doctor.Holder(root(), listen)
	if holder == "" {
		return err
	}
	_, port, _ := net.SplitHostPort(listen) // as it was listened on, it has a port
	named := *refused
	named.Err = fmt.Errorf("port %s is in use by %s: %w", port, holder, syscall.EADDRINUSE)
	if ours {
		return hinted{&named, "boardcast runs already: `systemctl stop boardcast` ends it, if it is the service"}
	}
	return &named
}
