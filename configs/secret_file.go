package configs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
)

const (
	// fileMark begins a value that is the name of a file, for keys that may hold a password. Twice it stands for itself.
	fileMark = "@"
	// credentialsEnv names the directory in which systemd puts what LoadCredential in a unit lists.
	credentialsEnv = "CREDENTIALS_DIRECTORY"
	// strangers are the permissions of users who are neither the owner nor in the group. A file of root's that the service may
	// read has the service's group.
	strangers fs.FileMode = 0o007
)

// credentialForm is the name of a credential. A name of another form is not repeated in an error: it may be a password.
var credentialForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)

// revealed is the value that stands for a text: the text itself, or what is in the file that it names.
func (l *loader) revealed(k Key, text string) (string, *fault) {
	name, isFile := strings.CutPrefix(text, fileMark)
	switch {
	case !k.holdsSecret() || !isFile:
		return text, nil
	case strings.HasPrefix(name, fileMark):
		return name, nil
	case filepath.IsAbs(name):
		return readSecret(name, true)
	case !credentialForm.MatchString(name):
		return "", &fault{reason: "begins with @, and names neither a file nor a credential", hint: secretHint}
	case l.credentials == "":
		return "", &fault{reason: "names a credential, and systemd gives none (" + credentialsEnv + " is not set)", hint: secretHint}
	default:
		return readSecret(filepath.Join(l.credentials, name), false)
	}
}

const secretHint = "@/path is a file, and @name a credential that LoadCredential=name:/path gives the service; a value that begins with @ is written with two"

// readSecret reads a file that holds one password, token or URL. With private it refuses one that others may read. (Whether they may
// read a credential is systemd's business.)
func readSecret(path string, private bool) (string, *fault) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", &fault{reason: "read the secret: " + err.Error(), hint: readHint(err, path)}
	}
	defer func() { _ = f.Close() }() // nothing was written
	info, err := f.Stat()
	switch {
	case err != nil:
		return "", &fault{reason: "read the secret: " + err.Error()}
	case !info.Mode().IsRegular():
		return "", &fault{reason: "read the secret: " + path + " is no file"}
	case private && info.Mode()&strangers != 0:
		return "", &fault{reason: fmt.Sprintf("others can read %s (%v)", path, info.Mode()), hint: closeHint(path)}
	}
	text, err := io.ReadAll(io.LimitReader(f, longestName+1))
	switch {
	case err != nil:
		return "", &fault{reason: "read the secret: " + err.Error()}
	case len(text) > longestName:
		return "", &fault{reason: fmt.Sprintf("read the secret: %s is longer than %d bytes", path, longestName)}
	case strings.TrimSpace(string(text)) == "":
		return "", &fault{reason: "read the secret: " + path + " is empty"}
	}
	return strings.TrimSpace(string(text)), nil
}

func readHint(err error, path string) string {
	if !errors.Is(err, fs.ErrPermission) {
		return secretHint
	}
	return "the user of the program has to read it: chown boardcast " + path + ", for the service"
}

func closeHint(path string) string {
	return fmt.Sprintf("chmod 600 %[1]s; for the service: chown root:boardcast %[1]s, and chmod 640 %[1]s", path)
}

// holdsPassword reports whether a part of the value is never shown.
func holdsPassword(value any) bool {
	switch v := value.(type) {
	case Secret:
		return !v.IsZero()
	case URL:
		return strings.Contains(v.String(), masked)
	default:
		return false
	}
}

// checkModes complains of a settings file that holds a password and that others may read.
func (l *loader) checkModes(path string) {
	if l.password.Line == 0 {
		return
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode()&strangers == 0 {
		return // a file that is gone by now was read all the same
	}
	l.problems = append(l.problems, &Problem{
		Source: l.password, Reason: fmt.Sprintf("a password stands here, and others can read the file (%v)", info.Mode()),
		hint: closeHint(path),
	})
}
