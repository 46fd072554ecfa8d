// Package ice answers by which addresses, ports and relays a viewer is reached, where a firewall, a container or a router is in the way.
//
// It makes no media and checks no connection: webrtcbin's agent does. The package gives each viewer's agent what it may use, changes the
// ICE candidates that the viewer is told, and carries to the agents what comes in on the one TCP port and goes out to TURN by TLS.
//
//	paths := ice.New(ice.Options{Ports: ice.Range{First: 50000, Last: 50015}, Advertised: public})
//	path, err := paths.Join(nil)         // a viewer comes; the error wraps ErrNoPort when no port is left
//	for _, c := range path.Told(text) {} // what the viewer is told in place of an ICE candidate of the agent's
//	path.Leave()
package ice
