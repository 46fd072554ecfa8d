package produce

import (
	"errors"

	"boardcast/pipeline"
)

// briefly is the text of an error for viewers and for the status. It leaves out the remedy, which stands in the log.
func briefly(err error) string {
	var brief interface{ Brief() string }
	if errors.As(err, &brief) {
		return brief.Brief()
	}
	return err.Error()
}

// learnt takes what was found out of the device that failed, and has the placeholder say it.
func (p *Producer) learnt(why string) {
	if p.serving != nil && !p.serving.Placeholder {
		return // the device has come back meanwhile
	}
	p.retry.reason = why
	p.show()
	if p.serving == nil || p.serving.Says == nil {
		return
	}
	if err := p.serving.stage.Set(pipeline.WordsName, "text", p.serving.Says(why)); err != nil {
		p.log.Debug("set the placeholder's text", "error", err) // without Pango the placeholder has no text
	}
}

// forgetReason forgets why a placeholder served, once something better serves.
func (p *Producer) forgetReason() {
	if !p.serving.Placeholder {
		p.retry.reason = ""
		p.show()
	}
}
