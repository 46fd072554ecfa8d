// Package signalling answers "how do two WebRTC peers find one another?". It speaks the HELLO/SESSION protocol of GStreamer's
// sendrecv examples, as a server and as a client.
//
// A [Server] is an http.Handler that registers peers, joins them in sessions and rooms, and relays their messages. A streamer in
// the same process takes part through [Server.Register]. Only such a local peer may have many sessions at once. A [Client]
// registers with a server elsewhere. It calls a peer, waits to be called or serves a room, and connects again after any failure.
//
// The package knows nothing of media: a [Media] opens one [Session] for each remote peer, and the two sides exchange values of
// type [sdp.Message]. It authenticates nobody and does not speak WHEP.
//
//	srv := signalling.NewServer(signalling.ServerOptions{Logger: log})
//	if err := srv.Register("camera", media); err != nil { ... }
//	mux.Handle("/ws", srv)
//	err := srv.Run(ctx) // until ctx ends; then every socket is closed
//
// docs/PROTOCOL.md describes the messages and the limits.
package signalling
