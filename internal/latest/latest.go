// Package latest answers "what is the newest": a channel with room for one value keeps the newest one for its receiver, and the sender
// never waits. It has no types and starts nothing.
//
//	changed := make(chan State, 1)
//	latest.Put(changed, now)
package latest

// Poke sends to a channel with room for one, unless a value already waits there.
func Poke(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Put leaves v in a channel with room for one, in the place of a value that still waits there. There is one sender.
func Put[T any](c chan T, v T) {
	for {
		select {
		case c <- v:
			return
		default:
		}
		select {
		case <-c:
		default:
		}
	}
}
