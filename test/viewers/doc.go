// Package viewers watches a boardcast without a browser: viewers written with pion, any number of them in a process of its
// own that can be stopped and killed, spoken to by lines of JSON. They call the program on its own server as a page does,
// count what they get, and behave as badly as they are told to. The process is the test binary itself: its TestMain calls
// Host first, and its tests call Start.
package viewers
