package access

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// open opens the keys of a directory, and returns what is logged.
func open(t *testing.T, dir string) (*Keys, *bytes.Buffer) {
	t.Helper()
	var out bytes.Buffer
	k, err := Open(dir, slog.New(slog.NewTextHandler(&out, nil)))
	if err != nil {
		t.Fatal(err)
	}
	return k, &out
}

func add(t *testing.T, k *Keys, g Grant) string {
	t.Helper()
	key, err := k.Add(g)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func modeOf(t *testing.T, path string) fs.FileMode {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}

func TestFirstOpenMakesKeysThatStay(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state", "boardcast")
	first, _ := open(t, dir)
	second, log := open(t, dir)
	if !first.Made() || second.Made() {
		t.Errorf("made by the first %v, by the second %v; want true, false", first.Made(), second.Made())
	}
	for _, role := range Roles() {
		if err := isKey(first.Key(role)); err != nil || first.Key(role) != second.Key(role) {
			t.Errorf("%s: the keys %q and %q are to be one key: %v", role, first.Key(role), second.Key(role), err)
		}
	}
	if got := modeOf(t, dir); got != folderMode {
		t.Errorf("the directory has mode %v", got)
	}
	if got := modeOf(t, first.Path()); got != fileMode {
		t.Errorf("the file has mode %v", got)
	}
	if log.Len() > 0 {
		t.Errorf("logged without need:\n%s", log)
	}
}

func TestTemporaryKeys(t *testing.T) {
	k := OpenTemporary()
	if g, err := k.Check("", k.Key(Owner)); err != nil || g.Role != Owner {
		t.Errorf("Check(owner's key) = %v, %v", g, err)
	}
	if !k.Made() || k.Kept() || k.Path() != "" {
		t.Errorf("made %v, kept %v, path %q", k.Made(), k.Kept(), k.Path())
	}
	if err := k.Renew(Viewer); !errors.Is(err, ErrNotKept) {
		t.Errorf("Renew: %v", err)
	}
}

func TestCheck(t *testing.T) {
	k, _ := open(t, t.TempDir())
	kitchen := add(t, k, Grant{Name: "kitchen", Role: Viewer, Cameras: []string{"front"}, Expires: time.Now().Add(time.Hour)})
	gone := add(t, k, Grant{Name: "gone", Role: Owner, Expires: time.Now().Add(-time.Second)})
	viewer := k.Key(Viewer)
	typed := strings.ToUpper(strings.NewReplacer("0", "O", "1", "l").Replace(viewer[:5] + " " + viewer[5:12] + "-" + viewer[12:]))
	for _, test := range []struct {
		about, name, key string
		want             string // the name of the key, "" for none
		err              error
	}{
		{"a viewer", "", viewer, "viewer", nil},
		{"an owner", "", k.Key(Owner), "owner", nil},
		{"a role as the user of HTTP Basic", "owner", k.Key(Owner), "owner", nil},
		{"another role's name", "owner", viewer, "", ErrUnknown},
		{"a named key", "", kitchen, "kitchen", nil},
		{"a named key by its name", "kitchen", kitchen, "kitchen", nil},
		{"a named key by another name", "viewer", kitchen, "", ErrUnknown},
		{"as a person types it", "", typed, "viewer", nil},
		{"expired", "", gone, "", ErrExpired},
		{"expired, by another name", "viewer", gone, "", ErrUnknown},
		{"none", "", "", "", ErrUnknown},
		{"blanks", "", " - ", "", ErrUnknown},
		{"one character less", "", viewer[1:], "", ErrUnknown},
		{"one character more", "", viewer + "0", "", ErrUnknown},
		{"a key and much more", "", viewer + strings.Repeat(" ", 1000), "", ErrUnknown},
		{"one that was never made", "", newKey(), "", ErrUnknown},
	} {
		t.Run(test.about, func(t *testing.T) {
			got, err := k.Check(test.name, test.key)
			if got.Name != test.want || !errors.Is(err, test.err) {
				t.Errorf("Check = %q, %v; want %q, %v", got.Name, err, test.want, test.err)
			}
			if err != nil && (got.Role != 0 || got.May("front")) {
				t.Errorf("with an error the grant is %+v", got)
			}
		})
	}
}

func TestGrantIsForItsCameras(t *testing.T) {
	for _, test := range []struct {
		about string
		grant Grant
		want  map[string]bool
	}{
		{"the zero grant", Grant{}, map[string]bool{"": false, "front": false}},
		{"all cameras", Grant{Role: Viewer}, map[string]bool{"": true, "front": true}},
		{"one camera", Grant{Role: Viewer, Cameras: []string{"front"}}, map[string]bool{"": false, "front": true, "rear": false}},
		{"none", Grant{Role: Owner, Cameras: []string{}}, map[string]bool{"": false, "front": false}},
	} {
		got := map[string]bool{}
		for camera := range test.want {
			got[camera] = test.grant.May(camera)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.about, diff)
		}
	}
}

func TestRolesAreOrdered(t *testing.T) {
	if none := Role(0); none >= Viewer || Viewer >= Owner {
		t.Error("a role of less is not below one of more")
	}
}

// ended reports whether whoever came with the grant is to be ended.
func ended(g Grant) bool {
	select {
	case <-g.Done():
		return true
	default:
		return false
	}
}

func check(t *testing.T, k *Keys, key string) Grant {
	t.Helper()
	g, err := k.Check("", key)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestAnotherProgramsChangeIsFollowed has one Keys serve and another change, as `boardcast key` does.
func TestAnotherProgramsChangeIsFollowed(t *testing.T) {
	for _, test := range []struct {
		about  string
		change func(*Keys) error
		want   []string // whose holders are ended
	}{
		{"a new viewer's key", func(k *Keys) error { return k.Renew(Viewer) }, []string{"viewer"}},
		{"a new owner's key", func(k *Keys) error { return k.Renew(Owner) }, []string{"owner"}},
		{"both new", func(k *Keys) error { return k.Renew(Roles()...) }, []string{"viewer", "owner"}},
		{"a named key removed", func(k *Keys) error { return k.Remove("guest") }, []string{"guest"}},
		{"a key added", func(k *Keys) error { _, err := k.Add(Grant{Name: "new", Role: Viewer}); return err }, nil},
		{"a named key made anew", func(k *Keys) error {
			if err := k.Remove("guest"); err != nil {
				return err
			}
			_, err := k.Add(Grant{Name: "guest", Role: Viewer})
			return err
		}, []string{"guest"}},
	} {
		t.Run(test.about, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				serving, _ := open(t, t.TempDir())
				keys := []string{serving.Key(Viewer), serving.Key(Owner), add(t, serving, Grant{Name: "guest", Role: Viewer})}
				var grants []Grant
				for _, key := range keys {
					grants = append(grants, check(t, serving, key))
				}
				go func() { _ = serving.Run(t.Context()) }()
				other, _ := open(t, serving.folder.path)
				if err := test.change(other); err != nil {
					t.Fatal(err)
				}
				<-time.After(time.Second)
				synctest.Wait()
				var got []string
				for i, g := range grants {
					if ended(g) {
						got = append(got, g.Name)
						if _, err := serving.Check("", keys[i]); !errors.Is(err, ErrUnknown) {
							t.Errorf("the old key of %s: %v", g.Name, err)
						}
					}
				}
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("ended (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(other.Grants(), serving.Grants(), cmp.Comparer(Grant.same)); diff != "" {
					t.Errorf("what is served (-changed +served):\n%s", diff)
				}
			})
		})
	}
}

func TestKeyExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, _ := open(t, t.TempDir())
		key := add(t, k, Grant{Name: "guest", Role: Viewer, Expires: time.Now().Add(time.Hour)})
		guest, stays := check(t, k, key), check(t, k, k.Key(Viewer))
		go func() { _ = k.Run(t.Context()) }()
		<-time.After(time.Hour - time.Second)
		if ended(guest) {
			t.Error("ended before its time")
		}
		<-guest.Done() // or the test hangs
		if over := time.Since(guest.Expires); over < 0 || over > time.Second {
			t.Errorf("ended %v after it expired", over)
		}
		if _, err := k.Check("", key); !errors.Is(err, ErrExpired) {
			t.Errorf("Check = %v", err)
		}
		if ended(stays) {
			t.Error("a key that does not expire was ended")
		}
		if err := k.Remove("guest"); err != nil { // ends it no second time
			t.Error(err)
		}
	})
}

// TestDamagedFileWhileServing: the keys in force stay, and it is logged once.
func TestDamagedFileWhileServing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, log := open(t, t.TempDir())
		viewer := check(t, k, k.Key(Viewer))
		go func() { _ = k.Run(t.Context()) }()
		if err := os.WriteFile(k.Path(), []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
		<-time.After(5 * time.Second)
		synctest.Wait()
		if ended(viewer) || check(t, k, k.Key(Viewer)).Role != Viewer {
			t.Error("the viewer's key is no longer in force")
		}
		if n := strings.Count(log.String(), "level=ERROR"); n != 1 {
			t.Errorf("%d errors logged, want 1:\n%s", n, log)
		}
	})
}

func TestLooseModesAreMended(t *testing.T) {
	k, _ := open(t, t.TempDir())
	for path, mode := range map[string]fs.FileMode{k.Path(): 0o644, k.folder.path: 0o755} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	_, log := open(t, k.folder.path)
	if file, dir := modeOf(t, k.Path()), modeOf(t, k.folder.path); file != fileMode || dir != folderMode {
		t.Errorf("modes %v and %v", file, dir)
	}
	if !strings.Contains(log.String(), "level=WARN") || !strings.Contains(log.String(), "boardcast key --new") {
		t.Errorf("no warning with a remedy:\n%s", log)
	}
}

func TestUnwritable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(filepath.Join(file, "below"), slog.New(slog.DiscardHandler)); !errors.Is(err, ErrUnwritable) {
		t.Errorf("Open below a file: %v", err)
	}
}

// TestWhatRootWritesIsTheServices: as root the file belongs to the owner of the directory. Anybody else's files are their own.
func TestWhatRootWritesIsTheServices(t *testing.T) {
	const service = 65534
	dir, want := t.TempDir(), os.Geteuid()
	if want == 0 {
		if err := os.Chown(dir, service, service); err == nil { // in a user namespace there may be no other user
			want = service
		}
	}
	k, _ := open(t, dir)
	if err := k.Renew(Viewer); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(k.Path())
	if err != nil {
		t.Fatal(err)
	}
	if got := int(info.Sys().(*syscall.Stat_t).Uid); got != want {
		t.Errorf("the file belongs to %d, want %d", got, want)
	}
}

// TestChangesOfSeveralPrograms: none is lost.
func TestChangesOfSeveralPrograms(t *testing.T) {
	const programs, each = 4, 8
	dir := t.TempDir()
	open(t, dir)
	var all sync.WaitGroup
	for program := range programs {
		k, _ := open(t, dir)
		all.Go(func() {
			for i := range each {
				if _, err := k.Add(Grant{Name: "key-" + string(rune('a'+program)) + string(rune('a'+i)), Role: Viewer}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	k, _ := open(t, dir)
	if got := len(k.Grants()); got != programs*each+len(Roles()) {
		t.Errorf("%d keys, want %d", got, programs*each+len(Roles()))
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("left in the directory: %v, %v", left, err)
	}
}

func TestAddRefuses(t *testing.T) {
	k, _ := open(t, t.TempDir())
	add(t, k, Grant{Name: "taken", Role: Viewer})
	before := k.record
	for name, g := range map[string]Grant{
		"a taken name":        {Name: "taken", Role: Viewer},
		"a role's name":       {Name: "owner", Role: Viewer},
		"no name":             {Role: Viewer},
		"a name with a colon": {Name: "a:b", Role: Viewer},
		"no role":             {Name: "a"},
		"no cameras":          {Name: "a", Role: Viewer, Cameras: []string{}},
		"an impossible one":   {Name: "a", Role: Viewer, Cameras: []string{"Front door"}},
	} {
		if key, err := k.Add(g); err == nil || key != "" {
			t.Errorf("%s: Add = %q, %v", name, key, err)
		}
	}
	if err := k.Remove("nobody"); !errors.Is(err, ErrUnknown) {
		t.Errorf("Remove(nobody): %v", err)
	}
	if after, _ := open(t, k.folder.path); !cmp.Equal(before, after.record) {
		t.Errorf("the file changed:\n%s", cmp.Diff(before, after.record))
	}
}

func TestNamedKeysAreNotKept(t *testing.T) {
	k, _ := open(t, t.TempDir())
	key := add(t, k, Grant{Name: "guest", Role: Viewer})
	text, err := os.ReadFile(k.Path())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), key) || !strings.Contains(string(text), "guest") {
		t.Errorf("the file holds the key itself, or lacks its name:\n%s", text)
	}
}
