// Package agreement answers "what do both sides of a connection send and take": of a peer's offer, or of its answer to ours.
//
// [Agree] and [Accepted] make an [Agreement] of two things: a session description that internal/sdp has read, and what we have
// ([Terms]). Each [Part] says which codec is sent under which payload type, and what the peer may send. The preferences are what
// webrtcbin is told of the media of a section.
//
// All of it is values: the package holds no connection and sends nothing. internal/sdp reads and writes descriptions. pipeline/live knows
// when one is due.
//
//	agreed, err := agreement.Agree(offer, agreement.Terms{Codecs: codecs, Format: format}, agreement.Agreement{})
//	given, err := offer.Normalise(agreed.Served)
package agreement
