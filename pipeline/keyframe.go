package pipeline

// KeyframeMethod is how an encoder is told to make a keyframe.
type KeyframeMethod int

// The methods known.
const (
	KeyframeEvent         KeyframeMethod = iota + 1 // the upstream event GstForceKeyUnit
	KeyframeForceIDR                                // the action signal force-IDR, which does nothing before the first frame
	KeyframeExtraControls                           // the property extra-controls of the running element is set to force_key_frame
	KeyframeNone                                    // nothing does it, so keyframes come every second
)
