package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
	"time"
)

//go:embed page/*.html page/*.css page/*.js page/*.svg
var pageFS embed.FS

// contentTypes takes the place of the system's table, which differs from machine to machine.
var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
}

// pageFile is one embedded file. Browsers keep it, and ask each time by its ETag whether it has changed. So a page never consists of
// files of two versions of the program.
type pageFile struct {
	body        []byte
	etag        string
	contentType string
}

// documents are the files that are no part of a page but a page. The table has rows for what they answer.
var documents = []string{"index.html", "enter.html", "locked.html"}

// pageFiles returns the embedded files by name.
func pageFiles() map[string]*pageFile {
	files := map[string]*pageFile{}
	entries, err := pageFS.ReadDir("page")
	if err != nil {
		panic("web: embedded page: " + err.Error())
	}
	for _, e := range entries {
		body, err := pageFS.ReadFile(path.Join("page", e.Name()))
		if err != nil {
			panic("web: embedded page: " + err.Error())
		}
		sum := sha256.Sum256(body)
		files[e.Name()] = &pageFile{body, `"` + hex.EncodeToString(sum[:8]) + `"`, contentTypes[path.Ext(e.Name())]}
	}
	return files
}

// ServeHTTP answers GET and HEAD. A browser that has this version gets 304.
func (f *pageFile) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", f.contentType)
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("ETag", f.etag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.body))
}
