package access

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

const (
	// FileName is the name of the file of the keys in the state directory.
	FileName = "keys.json"
	// fileMode and folderMode keep the keys to the user of the program, and to root.
	fileMode   fs.FileMode = 0o600
	folderMode fs.FileMode = 0o700
	// others are the permissions of everybody else, of which there are to be none.
	others fs.FileMode = 0o077
	// largestFile is how many bytes of the file are read. The most named keys take half of that.
	largestFile = 256 << 10
)

// ErrUnwritable tells that there is no file of keys, and that none can be made. [OpenTemporary] serves until one can.
var ErrUnwritable = errors.New("the keys cannot be kept")

// FileError tells that the file of the keys is there, and cannot be used. It is never overwritten: somebody else may still have the
// links of its keys.
type FileError struct {
	Path   string
	Err    error
	remedy string
}

// Error says what was tried, and what the system or the parser said.
func (e *FileError) Error() string { return fmt.Sprintf("read the keys in %s: %v", e.Path, e.Err) }

// Unwrap returns the cause.
func (e *FileError) Unwrap() error { return e.Err }

// Hint returns a remedy in one line.
func (e *FileError) Hint() string { return e.remedy }

// folder is the state directory, in which the file of the keys lies.
type folder struct{ path string }

func (f folder) file() string { return filepath.Join(f.path, FileName) }

// stamp tells one state of the file from another. A file that was replaced has another inode.
type stamp struct {
	inode uint64
	size  int64
	nanos int64 // of the last change, since 1970
}

func stampOf(info fs.FileInfo) stamp {
	s := stamp{size: info.Size(), nanos: info.ModTime().UnixNano()}
	if sys, ok := info.Sys().(*syscall.Stat_t); ok {
		s.inode = sys.Ino
	}
	return s
}

// stat is the state of the file, the zero stamp where there is none.
func (f folder) stat() stamp {
	info, err := os.Lstat(f.file())
	if err != nil {
		return stamp{}
	}
	return stampOf(info)
}

// found is the file as it was read.
type found struct {
	record record
	stamp  stamp
	mended bool // others could read or write it, and no longer can
}

// read reads the file. The error wraps fs.ErrNotExist where there is none, and is a *FileError for any other reason.
func (f folder) read() (found, error) {
	file, err := os.OpenFile(f.file(), os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return found{}, fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	}
	if err != nil {
		return found{}, f.unusable(errors.Unwrap(err), f.remedy(err))
	}
	defer func() { _ = file.Close() }() // nothing was written
	info, err := file.Stat()
	if err != nil {
		return found{}, f.unusable(err, "")
	}
	if !info.Mode().IsRegular() {
		return found{}, f.unusable(errors.New("it is no plain file"), f.startAnew())
	}
	mended := info.Mode()&others != 0
	if mended {
		if err = file.Chmod(fileMode); err != nil {
			return found{}, f.unusable(fmt.Errorf("others may use it (%v), and that cannot be changed: %w", info.Mode(), errors.Unwrap(err)),
				"chmod 600 "+f.file())
		}
	}
	text, err := io.ReadAll(io.LimitReader(file, largestFile+1))
	if err == nil && len(text) > largestFile {
		err = fmt.Errorf("it is larger than %d bytes", largestFile)
	}
	if err != nil {
		return found{}, f.unusable(err, f.startAnew())
	}
	r, err := parseRecord(text)
	if err != nil {
		return found{}, f.unusable(err, f.startAnew())
	}
	return found{record: r, stamp: stampOf(info), mended: mended}, nil
}

func (f folder) unusable(err error, remedy string) *FileError {
	return &FileError{Path: f.file(), Err: err, remedy: remedy}
}

// remedy is for a file that cannot be opened.
func (f folder) remedy(err error) string {
	switch {
	case !errors.Is(err, fs.ErrPermission):
		return f.startAnew()
	case os.Geteuid() == 0:
		return ""
	default:
		return "only its owner and root may read it: try sudo, or give it to the user of the program (chown)"
	}
}

func (f folder) startAnew() string {
	return fmt.Sprintf("restore the file, or remove it: the next start makes new keys (rm %s)", f.file())
}

// write puts the record in the place of the file, whole or not at all.
func (f folder) write(r record) (err error) {
	text, err := r.text()
	if err != nil {
		return fmt.Errorf("write the keys: %w", err)
	}
	file, err := os.CreateTemp(f.path, "."+FileName+".*") // with mode 0600
	if err != nil {
		return fmt.Errorf("write the keys: %w", err)
	}
	defer func() {
		_ = file.Close() // a second time, where all went well
		if err != nil {
			_ = os.Remove(file.Name())
			err = fmt.Errorf("write the keys: %w", err)
		}
	}()
	if err = f.giveToOwner(file); err != nil {
		return err
	}
	if _, err = file.Write(text); err != nil {
		return err
	}
	if err = file.Sync(); err != nil {
		return err
	}
	return os.Rename(file.Name(), f.file())
}

// giveToOwner gives a file that root makes to the owner of the state directory: the service is to read what `sudo boardcast key`
// writes.
func (f folder) giveToOwner(file *os.File) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(f.path)
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok || owner.Uid == 0 {
		return nil
	}
	return file.Chown(int(owner.Uid), int(owner.Gid))
}

// lock makes the state directory where there is none, and keeps other programs from changing the keys until unlock is called.
func (f folder) lock() (unlock func(), err error) {
	if err = os.MkdirAll(f.path, folderMode); err != nil {
		return nil, err
	}
	dir, err := os.Open(f.path)
	if err != nil {
		return nil, err
	}
	if err = syscall.Flock(int(dir.Fd()), syscall.LOCK_EX); err != nil {
		_ = dir.Close()
		return nil, fmt.Errorf("lock %s: %w", f.path, err)
	}
	return func() { _ = dir.Close() }, nil // which unlocks it
}

// mend takes the permissions of others from the state directory. It reports whether there were any.
func (f folder) mend() (bool, error) {
	info, err := os.Stat(f.path)
	if err != nil || info.Mode()&others == 0 {
		return false, err
	}
	return true, os.Chmod(f.path, folderMode)
}
