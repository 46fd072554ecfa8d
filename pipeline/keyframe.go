package pipeline

// KeyframeMethod is how an encoder is told to make a keyframe.
type KeyframeMethod int

// The methods known.
const (
	KeyframeEvent         KeyframeMethod = iota + 1 // upstream GstForceKeyUnit
	KeyframeForceIDR                                // the action signal force-IDR, not before the first picture
	KeyframeExtraControls                           // extra-controls of the running element set to force_key_frame
	KeyframeNone                                    // it cannot be told: a short GOP instead
)
