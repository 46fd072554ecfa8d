package signalling

// Keys of this package's log attributes.
const (
	keyAttempt  = "attempt"
	keyDelay    = "delay_seconds"
	keyDuration = "duration_seconds"
	keyError    = "error"
	keyHint     = "hint"
	keyID       = "id"
	keyOpen     = "open"
	keyOrigin   = "origin"
	keyPartner  = "partner"
	keyPeer     = "peer"
	keyReason   = "reason"
	keyRemote   = "remote"
	keyRoom     = "room"
	keyServer   = "server"
	keySize     = "size_bytes"
	keyState    = "state"
	keyStatus   = "status"
	keyAnswer   = "answer"
	keyHangUp   = "hang_up"
	keyCallable = "callable"
)
