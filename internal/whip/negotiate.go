package whip

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"boardcast/internal/sdp"
)

// refusal is the HTTP error that a request is answered with.
type refusal struct {
	code       int
	text       string
	retryAfter int // seconds; 0 for no Retry-After header
}

func (r refusal) Error() string { return r.text }

func (r refusal) write(w http.ResponseWriter) {
	if r.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(r.retryAfter))
	}
	http.Error(w, r.text, r.code)
}

// fail answers a request with a refusal, or with 500 when the error is of another kind.
func (e *Endpoint) fail(w http.ResponseWriter, err error) {
	var r refusal
	if !errors.As(err, &r) {
		e.log.Error("session not made", keyError, err)
		r = refusal{code: http.StatusInternalServerError, text: "the session cannot be made"}
	}
	r.write(w)
}

// body reads the body of a request. It must have the media type, and at most so many bytes.
func body(w http.ResponseWriter, r *http.Request, mediaType string, most int64) (string, error) {
	if given, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || given != mediaType {
		return "", refusal{code: http.StatusUnsupportedMediaType, text: "the body must be " + mediaType}
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return "", refusal{
			code: http.StatusRequestEntityTooLarge,
			text: "the body is larger than " + strconv.FormatInt(tooLarge.Limit, 10) + " bytes",
		}
	case err != nil:
		return "", refusal{code: http.StatusBadRequest, text: "the body ends early"}
	}
	return string(text), nil
}

// create answers a POST: its offer makes a session with media.
func (e *Endpoint) create(w http.ResponseWriter, r *http.Request, media Media) {
	text, err := body(w, r, sdpType, maxSDP)
	if err != nil {
		e.fail(w, err)
		return
	}
	offer, err := parseOffer(text)
	if err != nil {
		e.log.Info("offer refused", keyError, err) // the media log their own refusals
		e.fail(w, err)
		return
	}
	select {
	case e.offers <- struct{}{}:
		defer func() { <-e.offers }()
	default:
		refusal{http.StatusServiceUnavailable, "too many offers at once", 1}.write(w)
		return
	}
	session, answer, err := e.negotiate(r, text, media)
	if err != nil {
		e.fail(w, err)
		return
	}
	id, etag := rand.Text(), `"`+rand.Text()+`"`
	e.mu.Lock()
	e.forgetEndedLocked()
	e.sessions[id] = resource{session, etag, offer}
	e.mu.Unlock()
	h := w.Header()
	h.Set("Content-Type", sdpType)
	h.Set("Location", location(r.URL.Path, id))
	h.Set("ETag", etag)
	h.Set("Accept-Patch", fragmentType)
	if e.opts.ICEServers != nil {
		for _, s := range e.opts.ICEServers() {
			h.Add("Link", s.link())
		}
	}
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, answer)
}

// location is the path of a session relative to the path of the POST: a proxy may have put both below a path of its own.
func location(path, id string) string {
	if path == Path {
		return strings.TrimPrefix(Path, "/") + "/" + id
	}
	return id
}

// parseOffer reads an offer, and refuses one that leaves nothing to play.
func parseOffer(text string) (sdp.Description, error) {
	offer, err := sdp.ParseOffer(text)
	switch {
	case errors.Is(err, sdp.ErrMalformed):
		return offer, refusal{code: http.StatusBadRequest, text: "the offer is " + err.Error()}
	case err != nil:
		return offer, refusal{code: http.StatusUnprocessableEntity, text: "the offer is refused: " + err.Error()}
	}
	plays := false
	for i, s := range offer.Sections {
		if s.Kind != "video" && s.Kind != "audio" || s.Rejected() {
			continue
		}
		plays = true
		if !s.Direction.Receives() {
			return offer, refusal{
				code: http.StatusUnprocessableEntity,
				text: fmt.Sprintf("section %d (%s): a=%s: a player offers recvonly or sendrecv", i, s.Kind, s.Direction),
			}
		}
	}
	if !plays {
		return offer, refusal{code: http.StatusUnprocessableEntity, text: "the offer has neither video nor audio"}
	}
	return offer, nil
}

// negotiate opens a session and returns it with its answer, ICE candidates included.
func (e *Endpoint) negotiate(r *http.Request, offer string, media Media) (Session, string, error) {
	ctx := r.Context()
	opening, cancelOpening := context.WithTimeout(ctx, openLimit)
	defer cancelOpening()
	said := newCollector()
	peer := e.nextPlayer()
	session, err := media.Open(opening, peer, e.opts.Address(r), said.send)
	switch {
	case errors.Is(err, ErrFull):
		return nil, "", refusal{http.StatusServiceUnavailable, "as many viewers as allowed", 10}
	case errors.Is(err, ErrLater):
		return nil, "", refusal{http.StatusServiceUnavailable, "not ready yet", 1}
	case err != nil:
		return nil, "", err
	}
	session.Receive(sdp.Message{Type: sdp.TypeOffer, SDP: offer, OneWay: true})
	answering, cancelAnswering := context.WithTimeout(ctx, answerLimit)
	defer cancelAnswering()
	answer, err := said.description(answering, session)
	words, no := errors.AsType[refusedByMedia](err)
	switch {
	case no:
		err = refusal{code: http.StatusUnprocessableEntity, text: words.Error()}
	case err == nil && slices.Contains(strings.Split(answer, "\r\n"), "a=sendonly"):
		return session, answer, nil
	case err == nil || errors.Is(err, errEnded):
		err = refusal{
			code: http.StatusUnprocessableEntity,
			text: "the offer cannot be answered: it must take video that is sent here, H264 or VP8, or opus alone",
		}
	case ctx.Err() == nil: // answerLimit is over
		err = refusal{http.StatusServiceUnavailable, "the media do not answer in time", 1}
	}
	session.Close() // the media log why the session ended
	return nil, "", err
}

// nextPlayer names a player: the protocol has no names.
func (e *Endpoint) nextPlayer() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.players++
	return "whep-" + strconv.Itoa(e.players)
}

// patch answers a PATCH: it takes ICE candidates. An ICE restart is refused and leaves the session as it is.
func (e *Endpoint) patch(w http.ResponseWriter, r *http.Request, id string) {
	text, err := body(w, r, fragmentType, maxFragment)
	if err != nil {
		e.fail(w, err)
		return
	}
	res, ok := e.find(id)
	if !ok {
		http.Error(w, "no such session", http.StatusNotFound)
		return
	}
	f, err := parseFragment(text)
	if err != nil {
		e.fail(w, refusal{code: http.StatusBadRequest, text: "the fragment is " + err.Error()})
		return
	}
	given := tags(r.Header.Values("If-Match"))
	switch {
	case len(given) > 0 && !slices.Contains(given, res.etag) && !slices.Contains(given, "*"):
		err = refusal{code: http.StatusPreconditionFailed, text: "If-Match names another ICE session"}
	case f.restarts(credentialsOf(res.offer)):
		err = refusal{code: http.StatusUnprocessableEntity, text: "ICE is not restarted here: POST a new offer"}
	}
	if err != nil {
		e.fail(w, err)
		return
	}
	for _, m := range f.messages(res.offer) {
		res.session.Receive(m)
	}
	w.WriteHeader(http.StatusNoContent)
}

// tags are the entity tags of If-Match. A "*" in quotes counts too: the draft's own example has it so.
func tags(values []string) []string {
	var found []string
	for tag := range strings.SplitSeq(strings.Join(values, ","), ",") {
		switch tag = strings.TrimSpace(tag); tag {
		case "":
		case `"*"`:
			found = append(found, "*")
		default:
			found = append(found, tag)
		}
	}
	return found
}
