package signalling

// Keys of this package's log attributes.
const (
	keyAttempt  = "attempt"
	keyCode     = "code"
	keyDelay    = "delay_seconds"
	keyError    = "error"
	keyID       = "id"
	keyOpen     = "open"
	keyPeer     = "peer"
	keyReason   = "reason"
	keyRemote   = "remote"
	keyRoom     = "room"
	keyServer   = "server"
	keySize     = "size_bytes"
	keyState    = "state"
	keyAnswer   = "answer"
	keyHangUp   = "hang_up"
	keyCallable = "callable"
)
