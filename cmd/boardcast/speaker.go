package main

// hasSpeaker reports whether there is a speaker, busy or not. Until the devices are chosen it says so.
func hasSpeaker(all []stream) bool {
	select {
	case <-all[0].ready:
		return all[0].broadcast.HasSpeaker()
	default:
		return true
	}
}
