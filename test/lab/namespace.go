//go:build lab

package lab

import "boardcast/test/namespace"

// The addresses of the tap device's two ends, and its name.
const (
	HostAddress  = "10.78.0.1"
	GuestAddress = "10.78.0.2"
	tapName      = "tap0"
)

// setUpNamespaces makes the new namespaces fit to live in, with the tap that the guest will be at.
func setUpNamespaces(temporary string) error {
	if err := namespace.SetUp(temporary); err != nil {
		return err
	}
	return namespace.IP(
		"tuntap add "+tapName+" mode tap",
		"addr add "+HostAddress+"/24 dev "+tapName,
		"link set "+tapName+" up",
	)
}
