package access

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	keyA = "0123456789abcdefghjkmnpqrg"
	keyB = "zyxwvtsrqpnmkjhgfedcba9870"
)

// hex64 is a hash.
var hex64 = strings.Repeat("0f", 32)

func withNamed(named string) string {
	return `{"version": 1, "viewer": "` + keyA + `", "owner": "` + keyB + `", "named": [` + named + `]}`
}

// records are files of keys; want is a part of the error, "" for a right one.
var records = []struct{ about, text, want string }{
	{"both keys", `{"version": 1, "viewer": "` + keyA + `", "owner": "` + keyB + `"}`, ""},
	{"a named key", withNamed(`{"name": "a", "role": "viewer", "cameras": ["front"], "expires": "2030-01-02T03:04:05Z", "sha256": "` + hex64 + `"}`), ""},
	{"nothing", ``, "EOF"},
	{"cut off", `{"version": 1, "viewer": "` + keyA, "unexpected EOF"},
	{"no object", `[]`, "cannot unmarshal array"},
	{"null", `null`, "version 0 is not known"},
	{"a later version", `{"version": 2, "viewer": "` + keyA + `", "owner": "` + keyB + `"}`, "version 2 is not known"},
	{"a member that may restrict", `{"version": 1, "viewer": "` + keyA + `", "owner": "` + keyB + `", "hours": "9-17"}`, "unknown field"},
	{"a key of a named key", withNamed(`{"name": "a", "role": "viewer", "sha256": "` + hex64 + `", "hours": "9"}`), "unknown field"},
	{"text behind it", `{"version": 1, "viewer": "` + keyA + `", "owner": "` + keyB + `"} x`, "text follows"},
	{"no owner's key", `{"version": 1, "viewer": "` + keyA + `"}`, "owner: is not a key"},
	{"a password", `{"version": 1, "viewer": "secret1234", "owner": "` + keyB + `"}`, "viewer: is not a key"},
	{"a key with letters that look alike", `{"version": 1, "viewer": "` + keyA[:25] + `O", "owner": "` + keyB + `"}`, "viewer: is not a key"},
	{"one key for both roles", `{"version": 1, "viewer": "` + keyA + `", "owner": "` + keyA + `"}`, "viewer and owner have the same key"},
	{"one key under two names", withNamed(`{"name": "a", "role": "viewer", "sha256": "` + hex64 + `"}, {"name": "b", "role": "owner", "sha256": "` + hex64 + `"}`), "a and b have the same key"},
	{"one name twice", withNamed(`{"name": "a", "role": "viewer", "sha256": "` + hex64 + `"}, {"name": "a", "role": "owner", "sha256": "` + hex64[:62] + `00"}`), "the name a is taken"},
	{"a role as a name", withNamed(`{"name": "owner", "role": "viewer", "sha256": "` + hex64 + `"}`), "name of a role"},
	{"no name", withNamed(`{"role": "viewer", "sha256": "` + hex64 + `"}`), "is not a name"},
	{"no role", withNamed(`{"name": "a", "sha256": "` + hex64 + `"}`), "role is missing"},
	{"an unknown role", withNamed(`{"name": "a", "role": "admin", "sha256": "` + hex64 + `"}`), "is no role"},
	{"no hash", withNamed(`{"name": "a", "role": "viewer"}`), "sha256 is missing"},
	{"a short hash", withNamed(`{"name": "a", "role": "viewer", "sha256": "0f"}`), "not a SHA-256"},
	{"no cameras", withNamed(`{"name": "a", "role": "viewer", "cameras": [], "sha256": "` + hex64 + `"}`), "empty list"},
	{"an impossible camera", withNamed(`{"name": "a", "role": "viewer", "cameras": ["A b"], "sha256": "` + hex64 + `"}`), "is not a name"},
	{"an end that is no time", withNamed(`{"name": "a", "role": "viewer", "expires": "soon", "sha256": "` + hex64 + `"}`), "parsing time"},
}

func TestParseRecord(t *testing.T) {
	for _, test := range records {
		t.Run(test.about, func(t *testing.T) {
			_, err := parseRecord([]byte(test.text))
			switch {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("error %v, want one with %q", err, test.want)
			case err != nil && (strings.Contains(err.Error(), keyA) || strings.Contains(err.Error(), "secret1234")):
				t.Errorf("the error tells the key: %v", err)
			}
		})
	}
}

// TestDamagedFileStays: Open refuses it with a remedy, makes no other keys, and leaves it as it was.
func TestDamagedFileStays(t *testing.T) {
	for _, test := range records {
		if test.want == "" {
			continue
		}
		t.Run(test.about, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), FileName)
			if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			k, err := Open(filepath.Dir(path), slog.New(slog.DiscardHandler))
			refused, ok := errors.AsType[*FileError](err)
			if k != nil || !ok || !strings.Contains(refused.Hint(), "rm "+path) || errors.Is(err, ErrUnwritable) {
				t.Errorf("Open = %v, %v; want a *FileError with a remedy", k, err)
			}
			if after, err := os.ReadFile(path); err != nil || string(after) != test.text {
				t.Errorf("the file is now %q, %v", after, err)
			}
		})
	}
}

// TestFileThatIsNone: what only looks like the file is not read. Whoever may write the directory must not have root read another's.
func TestFileThatIsNone(t *testing.T) {
	for _, test := range []struct {
		about string
		make  func(path string) error
		want  string
	}{
		{"a link", func(path string) error { return os.Symlink(filepath.Join(filepath.Dir(path), "elsewhere"), path) }, "symbolic links"},
		{"a directory", func(path string) error { return os.Mkdir(path, 0o700) }, "it is no plain file"},
		{"a pipe", func(path string) error { return syscall.Mkfifo(path, 0o600) }, "it is no plain file"},
		{"too large", func(path string) error { return os.WriteFile(path, []byte(strings.Repeat(" ", largestFile+1)), 0o600) }, "it is larger than"},
	} {
		t.Run(test.about, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), FileName)
			if err := os.WriteFile(filepath.Join(filepath.Dir(path), "elsewhere"), []byte(records[0].text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := test.make(path); err != nil {
				t.Fatal(err)
			}
			_, err := Open(filepath.Dir(path), slog.New(slog.DiscardHandler))
			if refused, ok := errors.AsType[*FileError](err); !ok || !strings.Contains(refused.Error(), test.want) {
				t.Errorf("Open: %v, want a *FileError with %q", err, test.want)
			}
		})
	}
}

func TestNewKey(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		key := newKey()
		if len(key) != keyLength || strings.Trim(key, letters) != "" || isKey(key) != nil || tidy(key) != key || seen[key] {
			t.Fatalf("%q is no good key", key)
		}
		seen[key] = true
	}
}

// FuzzParseRecord: what is accepted survives being written and read again, and holds no weak key.
func FuzzParseRecord(f *testing.F) {
	for _, test := range records {
		f.Add([]byte(test.text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := parseRecord(text)
		if err != nil {
			return
		}
		if isKey(r.Viewer) != nil || isKey(r.Owner) != nil || r.Viewer == r.Owner {
			t.Fatalf("accepted weak keys in %q", text)
		}
		written, err := r.text()
		if err != nil {
			t.Fatal(err)
		}
		again, err := parseRecord(written)
		if diff := cmp.Diff(r, again); err != nil || diff != "" {
			t.Fatalf("%v after writing %q (-read +again):\n%s", err, text, diff)
		}
	})
}

// FuzzCheck: nothing but a key gets in.
func FuzzCheck(f *testing.F) {
	k := OpenTemporary()
	k.take(record{Version: version, Viewer: keyA, Owner: keyB}, stamp{})
	for _, text := range []string{keyA, keyB, strings.ToUpper(keyA), keyA[:13] + "-" + keyA[13:], keyA[1:], keyA + "0", "", "\x00", "ı"} {
		f.Add("", text)
		f.Add("owner", text)
	}
	f.Fuzz(func(t *testing.T, name, text string) {
		g, err := k.Check(name, text)
		if err == nil && tidy(text) != k.Key(g.Role) || err == nil && name != "" && name != g.Name {
			t.Fatalf("Check(%q, %q) = %v", name, text, g)
		}
		if err != nil && g.Role != 0 {
			t.Fatalf("Check(%q, %q) has an error and a role", name, text)
		}
	})
}
