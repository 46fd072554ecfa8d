// Package whip answers "how does a session begin over plain HTTP?", in both directions: an [Endpoint] is what players of
// WHEP (draft-ietf-wish-whep-03) POST their offers to, a [Client] publishes to a media server by WHIP (RFC 9725).
//
// The two are mirror images, an offer in a POST and an answer in its 201, and share the fragments of SDP (RFC 8840) in
// which candidates follow by PATCH. Neither restarts ICE: whoever has lost the connection begins anew. The package knows
// nothing of media; they are opened through [Media].
//
//	endpoint := whip.NewEndpoint(whip.EndpointOptions{Media: media, Allowed: hub.Allowed, Logger: logger})
//	http.Handle(whip.Path, endpoint)
//	http.Handle(whip.Path+"/", endpoint)
//
//	client := whip.NewClient(whip.ClientOptions{URL: "https://example.org/live/whip", Token: token, Logger: logger}, media)
//	return client.Run(ctx)
package whip
