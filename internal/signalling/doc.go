// Package signalling answers how two WebRTC peers find one another: it speaks the HELLO/SESSION protocol of the
// GStreamer sendrecv family, as a server and as a client.
//
// A [Server] is an http.Handler that registers peers, joins them in sessions and rooms and relays what they say. A
// streamer in the same process takes part through [Server.Register]; it alone may hold many sessions at once. A
// [Client] registers with such a server elsewhere, calls a peer, waits to be called, or serves a room, and comes back by
// itself after any failure.
//
// The package knows nothing of media: a [Media] makes one [Session] per remote peer, and the two exchange [sdp.Message]
// values. It does not authenticate anybody and does not speak WHEP.
//
//	srv := signalling.NewServer(signalling.ServerOptions{Logger: log})
//	if err := srv.Register("camera", media); err != nil { ... }
//	mux.Handle("/ws", srv)
//	err := srv.Run(ctx) // until ctx ends; then every socket is closed
//
// What is said on the wire, and what the limits are, is written down in docs/PROTOCOL.md.
package signalling
