package access

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"time"
)

// entry is a key as it is compared.
type entry struct {
	hash  hash
	grant Grant
}

// end ends whoever came with the key. The mutex of the Keys is held.
func (e entry) end() {
	select {
	case <-e.grant.done:
	default:
		close(e.grant.done)
	}
}

// Keys are the keys of one state directory.
//
// # Concurrency
//
// Safe for concurrent use. Several programs may use one directory: each change is made under a lock, and [Keys.Run] takes up what
// another program has changed.
type Keys struct {
	folder folder
	kept   bool // in the folder; else for this run alone
	made   bool
	log    *slog.Logger

	mu      sync.RWMutex
	record  record
	entries []entry
	stamp   stamp // of the file that was looked at last
}

// Open reads the keys in a state directory, or makes the directory and the first keys. The error wraps [ErrUnwritable] where there
// are none and none can be made, and is a [*FileError] where they are there and cannot be used.
func Open(dir string, log *slog.Logger) (*Keys, error) {
	k := &Keys{folder: folder{dir}, kept: true, log: log}
	from, err := k.folder.read()
	if errors.Is(err, fs.ErrNotExist) {
		from, err = k.make()
	}
	if err != nil {
		return nil, err
	}
	k.warnOfModes(from)
	k.take(from.record, from.stamp)
	return k, nil
}

// OpenTemporary makes keys for this run alone.
func OpenTemporary() *Keys {
	k := &Keys{made: true, log: slog.New(slog.DiscardHandler)}
	k.take(newRecord(), stamp{})
	return k
}

// make makes the first keys, unless another program was faster.
func (k *Keys) make() (found, error) {
	unlock, err := k.folder.lock()
	if err != nil {
		return found{}, fmt.Errorf("%w: %w", ErrUnwritable, err)
	}
	defer unlock()
	from, err := k.folder.read()
	if !errors.Is(err, fs.ErrNotExist) {
		return from, err
	}
	if err := k.folder.write(newRecord()); err != nil {
		return found{}, fmt.Errorf("%w: %w", ErrUnwritable, err)
	}
	k.made = true
	return k.folder.read()
}

// warnOfModes tells that others could have read the keys.
func (k *Keys) warnOfModes(from found) {
	if from.mended {
		k.log.Warn("others could read the keys, and no longer can", "path", k.folder.file(),
			"hint", "`boardcast key --new` makes new keys, if somebody may have read them")
	}
	switch mended, err := k.folder.mend(); {
	case err != nil:
		k.log.Warn("others can look into the directory of the keys", "path", k.folder.path, "error", err, "hint", "chmod 700 "+k.folder.path)
	case mended:
		k.log.Info("the directory of the keys is closed to others now", "path", k.folder.path)
	}
}

// Made reports whether this Keys have made the first keys: nobody has been shown them yet.
func (k *Keys) Made() bool { return k.made }

// Kept reports whether the keys outlive the program.
func (k *Keys) Kept() bool { return k.kept }

// Path is the file that holds the keys, "" for keys that are not kept.
func (k *Keys) Path() string {
	if !k.kept {
		return ""
	}
	return k.folder.file()
}

// Key returns the role's key itself, to be shown to whoever owns the board. It must not be logged.
func (k *Keys) Key(role Role) string {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if plain := k.record.plain(role); plain != nil {
		return *plain
	}
	return ""
}

// Grants lists what each key allows: first the roles' keys, then the named keys in the order in which they were added.
func (k *Keys) Grants() []Grant {
	k.mu.RLock()
	defer k.mu.RUnlock()
	all := make([]Grant, 0, len(k.entries))
	for _, e := range k.entries {
		all = append(all, e.grant)
	}
	return all
}

// Check returns what a key allows. With a name, the key has to be the one of this name; "" stands for any. The error is [ErrUnknown]
// or [ErrExpired]. All keys are compared, each in constant time, so that the time that it takes tells nothing of them.
func (k *Keys) Check(name, key string) (Grant, error) {
	asked := hashOf(tidy(key))
	k.mu.RLock()
	defer k.mu.RUnlock()
	at := -1
	for i := range k.entries {
		at = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(asked[:], k.entries[i].hash[:]), i, at)
	}
	if at < 0 {
		return Grant{}, ErrUnknown
	}
	switch grant := k.entries[at].grant; {
	case name != "" && name != grant.Name:
		return Grant{}, ErrUnknown
	case grant.expired(time.Now()):
		return Grant{}, ErrExpired
	default:
		return grant, nil
	}
}

// take puts a record in force. Whoever came with a key that is no longer there, or that allows something else now, is ended.
func (k *Keys) take(r record, s stamp) {
	k.mu.Lock()
	defer k.mu.Unlock()
	fresh := r.entries()
	for _, old := range k.entries {
		if at := stays(old, fresh); at >= 0 {
			fresh[at].grant.done = old.grant.done
		} else {
			old.end()
		}
	}
	k.record, k.entries, k.stamp = r, fresh, s
}

// stays is where an entry is found again unchanged, -1 for nowhere.
func stays(old entry, fresh []entry) int {
	for i, e := range fresh {
		if e.hash == old.hash && e.grant.same(old.grant) {
			return i
		}
	}
	return -1
}
