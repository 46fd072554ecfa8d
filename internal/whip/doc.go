// Package whip answers "how does a session begin over plain HTTP?", in both directions. Players of WHEP
// (draft-ietf-wish-whep-03) POST their offers to an [Endpoint]. A [Client] publishes to a media server by WHIP (RFC 9725).
//
// Both ways are alike: a POST carries the offer, and its 201 the answer. Later ICE candidates follow by PATCH, in fragments of SDP
// (RFC 8840). Neither side restarts ICE: a side that has lost the connection begins another session. The package knows nothing of
// media: it opens them through [Media].
//
//	endpoint := whip.NewEndpoint(whip.EndpointOptions{Media: media, Allowed: hub.Allowed, Logger: logger})
//	http.Handle(whip.Path, endpoint)
//	http.Handle(whip.Path+"/", endpoint)
//
//	client := whip.NewClient(whip.ClientOptions{URL: "https://example.org/live/whip", Token: token, Logger: logger}, media)
//	return client.Run(ctx)
package whip
