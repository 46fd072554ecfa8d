//go:build e2e

// Package e2e runs the built program against real browsers.
//
// The test binary moves into a network of its own: the program and the tests' own sockets live at BoardAddr, the
// browsers, in a second namespace, at BrowserAddr, with a veth pair between them and no way out. It also is the first
// process of its own process namespace, so that nothing outlives it, however it ends. TestMain runs the binary again by
// namespace.Run, and there calls Enter.
//
// StartBoardcast and StartServer run the program (BOARDCAST_BIN, else bin/boardcast) and check that it ends
// in order; Launch and Browser.Open give pages of real browsers, driven through browser/bridge.mjs. What a page shows is
// read from its RTCPeerConnection and its <video>, never from what the page says of itself.
//
// NewLinks makes networks of browsers behind links of their own: a rate with a queue, loss, delay and jitter, by a seed.
//
//	go test -tags e2e -count=1 ./test/e2e
//	go test -tags e2e -count=1 -run '^$' -bench Viewer ./test/e2e    # the cost of a viewer
//	go test -tags e2e -count=1 -run '^$' -bench Link -v ./test/e2e    # the bitrate on bad links, beside what is promised
//	BOARDCAST_AT=http://pi4:8080 go test -tags e2e -run TestBoard -v ./test/e2e    # a board's page, see board_test.go
package e2e
