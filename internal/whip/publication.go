package whip

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"boardcast/internal/sdp"
)

// publication is a session at a media server.
type publication struct {
	answer   string
	resource *url.URL // the session's URL; nil when the server told none
	etag     string
	links    []string
}

// refused is a server's answer other than 201.
type refused struct {
	status     string
	code       int
	retryAfter time.Duration
}

func (r *refused) Error() string { return "server answered " + r.status }

// lasting says whether the server will refuse the same request again until somebody changes something.
func (r *refused) lasting() bool {
	passing := []int{http.StatusRequestTimeout, http.StatusConflict, http.StatusTooEarly, http.StatusTooManyRequests}
	return r.code < 500 && !slices.Contains(passing, r.code)
}

// hint is a remedy for the status.
func (r *refused) hint() string {
	hints := map[int]string{
		http.StatusUnauthorized:         "whip.token is wrong, missing or expired",
		http.StatusForbidden:            "whip.token does not allow to publish there",
		http.StatusNotFound:             "look at the path of whip.url: the server has no such endpoint or stream",
		http.StatusMethodNotAllowed:     "whip.url is no WHIP endpoint",
		http.StatusUnsupportedMediaType: "whip.url is no WHIP endpoint",
		http.StatusNotAcceptable:        "the server takes neither H264 nor VP8 with opus: try video.codec",
		http.StatusUnprocessableEntity:  "the server takes neither H264 nor VP8 with opus: try video.codec",
	}
	if hint, known := hints[r.code]; known {
		return hint
	}
	if r.code < 400 {
		return "whip.url is no WHIP endpoint: those answer 201, or redirect by 307 or 308"
	}
	return "look at whip.url and at the server's log"
}

// request makes a request that carries the token.
func (c *Client) request(ctx context.Context, method string, u *url.URL, mediaType, body string) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, method, u.String(), strings.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%s %s: impossible request", method, shown(u))
	}
	if mediaType != "" {
		r.Header.Set("Content-Type", mediaType)
	}
	if c.opts.Token != "" {
		r.Header.Set("Authorization", "Bearer "+c.opts.Token)
	}
	return r, nil
}

// do sends a request. The caller closes the body of the answer. Errors do not show the URL's query.
func (c *Client) do(r *http.Request) (*http.Response, error) {
	resp, err := c.http.Do(r)
	if whole, ok := errors.AsType[*url.Error](err); ok {
		err = whole.Err
	}
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", r.Method, shown(r.URL), err)
	}
	return resp, nil
}

// post sends the offer, and follows redirects. Beside an error it may return a publication, which then has to be ended.
func (c *Client) post(ctx context.Context, endpoint *url.URL, offer string) (*publication, error) {
	const hops = 5 // redirects: a server needs one or two, and more may be a loop
	for range hops {
		r, err := c.request(ctx, http.MethodPost, endpoint, sdpType, offer)
		if err != nil {
			return nil, err
		}
		resp, err := c.do(r)
		if err != nil {
			return nil, err
		}
		moved := resp.StatusCode == http.StatusTemporaryRedirect || resp.StatusCode == http.StatusPermanentRedirect
		if !moved {
			return publicationOf(endpoint, resp)
		}
		_ = resp.Body.Close()
		if endpoint, err = follow(endpoint, resp.Header.Get("Location")); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("redirected more than %d times", hops)
}

// follow is the URL that a Location header names. The token is sent there too, because a server that has the token named it. A
// Location that leads from https to http is refused: the token would be sent unencrypted.
func follow(from *url.URL, location string) (*url.URL, error) {
	to, err := from.Parse(location)
	switch {
	case location == "" || err != nil || to.Host == "" || to.Scheme != "https" && to.Scheme != "http":
		return nil, errors.New("the server's Location can't be used")
	case from.Scheme == "https" && to.Scheme == "http":
		return nil, errors.New("the server's Location leads from https to http")
	}
	to.User, to.Fragment = nil, ""
	return to, nil
}

// publicationOf reads the answer to an offer, and closes its body.
func publicationOf(endpoint *url.URL, resp *http.Response) (*publication, error) {
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusCreated {
		return nil, &refused{resp.Status, resp.StatusCode, retryAfter(resp.Header.Get("Retry-After"))}
	}
	p := &publication{etag: resp.Header.Get("ETag"), links: resp.Header.Values("Link")}
	if location, err := follow(endpoint, resp.Header.Get("Location")); err == nil {
		p.resource = location
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxSDP+1))
	if err != nil {
		return p, fmt.Errorf("read the answer: %w", err)
	}
	if len(text) > maxSDP {
		return p, fmt.Errorf("the server's answer is larger than %d bytes", maxSDP)
	}
	kind := resp.Header.Get("Content-Type") // some servers send no Content-Type
	if given, _, err := mime.ParseMediaType(kind); kind != "" && (err != nil || given != sdpType) {
		return p, errors.New("the server's answer is not " + sdpType)
	}
	if _, err := sdp.Parse(string(text)); err != nil {
		return p, fmt.Errorf("the server's answer is %w", err)
	}
	p.answer = string(text)
	return p, nil
}

// retryAfter reads the seconds of a Retry-After header. A date, which hardly any server sends, counts as no header.
func retryAfter(text string) time.Duration {
	seconds, err := strconv.Atoi(text)
	if err != nil || seconds < 0 {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, retryAfterMost)
}

// trickle tells the server of ICE candidates that were found after the offer was sent. A server that does not take them goes on with
// those of the offer.
func (c *Client) trickle(ctx context.Context, p *publication, offer string, late []sdp.Message, end bool) {
	d, err := sdp.Parse(offer)
	if err != nil || p.resource == nil {
		return
	}
	r, err := c.request(ctx, http.MethodPatch, p.resource, fragmentType, fragmentOf(d, late, end).String())
	if err != nil {
		return
	}
	if p.etag != "" {
		r.Header.Set("If-Match", p.etag)
	}
	resp, err := c.do(r)
	if err != nil {
		c.log.Debug("candidates not sent", keyError, err)
		return
	}
	_ = resp.Body.Close()
	c.log.Debug("candidates sent", keyStatus, resp.StatusCode)
}

// hangUp ends the session at the server, also when ctx has ended. The request has no If-Match: the session ends whichever ICE session
// it is in.
func (c *Client) hangUp(ctx context.Context, p *publication) {
	if p.resource == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), deleteLimit)
	defer cancel()
	r, err := c.request(ctx, http.MethodDelete, p.resource, "", "")
	if err != nil {
		return
	}
	resp, err := c.do(r)
	if err != nil {
		c.log.Debug("session not deleted", keyError, err)
		return
	}
	_ = resp.Body.Close()
	c.log.Debug("session deleted", keyStatus, resp.StatusCode)
}
