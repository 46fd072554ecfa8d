// Package hostile is what a stranger on the network can do to a boardcast: peers that answer with descriptions no browser
// would write, and viewers that send what no viewer would. It knows the program only from outside, by HTTP, WebSocket, ICE,
// DTLS, SRTP and SCTP; what became of the program meanwhile is the business of the tests that use it (test/e2e).
//
// [Mutate] alters a session description by a seed: the same seed gives the same text. A [Peer] is one connection to the
// program; each of the [Attacks] is a row with a name, a size and a function.
package hostile
