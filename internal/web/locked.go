package web

import (
	"bytes"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
)

// lockedPage takes a key in a form. It is what a person sees who comes without a right key.
var lockedPage = template.Must(template.ParseFS(pageFS, "page/locked.html"))

// lockedWords are what the locked page says of a refusal, for a person who may have no idea of keys. A refusal without words here is
// shown in its own.
var lockedWords = map[refusal]string{
	noKey:       "",
	wrongKey:    "That key is not right. It may have been changed or taken away.",
	expiredKey:  "That key has expired. Ask for another one.",
	tooManyKeys: "Too many wrong keys came from this network lately. Wait a minute, then try the right one.",
	otherCamera: "Your key is not for this camera.",
}

// locked answers with the locked page. It keeps what else stands in the address, such as the camera.
func (s *Server) locked(w http.ResponseWriter, r *http.Request, no refusal) {
	words, known := lockedWords[no]
	if !known {
		words = no.text
	}
	var body bytes.Buffer
	shown := struct {
		Words, Rest string
		Stays       bool // also with a right key
	}{words, withoutKey(r.URL), no == otherCamera}
	if err := lockedPage.Execute(&body, shown); err != nil {
		s.log.Error("the locked page cannot be made", slog.Any(keyError, err))
		http.Error(w, no.text, no.code)
		return
	}
	w.Header().Set("Content-Type", contentTypes[".html"])
	w.WriteHeader(no.code)
	_, _ = w.Write(body.Bytes())
}

// servePage answers with the page. Where the address holds a key, it first has the browser keep the key and go on to the address
// without it. That takes a page of our own: a browser does not send the cookie along a redirect that began at another site.
func (s *Server) servePage(w http.ResponseWriter, r *http.Request) {
	v, query := visitorOf(r.Context()), r.URL.Query()
	if camera := query.Get("camera"); camera != "" && !v.grant.May(camera) {
		w.Header().Set("Cache-Control", "no-store")
		s.locked(w, r, otherCamera)
		return
	}
	if !query.Has(keyWord) {
		s.files["index.html"].ServeHTTP(w, r)
		return
	}
	if v.by == byQuery {
		v.keepKey(w, r)
	}
	s.files["enter.html"].ServeHTTP(w, r)
}

// takeKey answers the locked page's form: the browser keeps the key, and opens the page.
func takeKey(w http.ResponseWriter, r *http.Request) {
	if v := visitorOf(r.Context()); v.by == byForm {
		v.keepKey(w, r)
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Location", "./"+withoutKey(r.URL)) // relative: a proxy may have put the board below a path of its own
	w.WriteHeader(http.StatusSeeOther)
}

// withoutKey is the query of an address without the key: "" or "?camera=front".
func withoutKey(u *url.URL) string {
	query := u.Query()
	query.Del(keyWord)
	if len(query) == 0 {
		return ""
	}
	return "?" + query.Encode()
}
