package trial

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"boardcast/pipeline"
)

// Cache remembers verdicts in a file, as long as the environment stays the same. Of other environments (a camera unplugged, another
// kernel) the newest few are kept. The nil *Cache remembers nothing.
//
// # Concurrency
//
// Safe for concurrent use. Where two processes have one file, one of them may lose its newest verdicts, and nothing else.
type Cache struct {
	file string
	mu   sync.Mutex
	data cacheFile
}

// cacheFile is the file's content, the environment in use first.
type cacheFile struct {
	Machines []cachedMachine `json:"machines"`
}

type cachedMachine struct {
	Environment string                      `json:"environment"`
	Verdicts    map[string]pipeline.Verdict `json:"verdicts"`
}

// mostMachines is how many environments are kept. It bounds the file, and is more than the cameras and kernels that somebody goes back
// and forth between.
const mostMachines = 8

// OpenCache reads the file's verdicts. A file that is missing or broken is an empty cache. fresh forgets the verdicts of this
// environment.
func OpenCache(file, environment string, fresh bool) *Cache {
	c := &Cache{file: file}
	if text, err := os.ReadFile(file); err == nil && json.Unmarshal(text, &c.data) != nil {
		c.data = cacheFile{}
	}
	current := cachedMachine{Environment: environment}
	c.data.Machines = slices.DeleteFunc(c.data.Machines, func(m cachedMachine) bool {
		if m.Environment != environment {
			return false
		}
		if !fresh {
			current = m
		}
		return true
	})
	if current.Verdicts == nil {
		current.Verdicts = map[string]pipeline.Verdict{}
	}
	c.data.Machines = append([]cachedMachine{current}, c.data.Machines...)
	c.data.Machines = c.data.Machines[:min(len(c.data.Machines), mostMachines)]
	return c
}

// Save writes the cache, whole or not at all. Without it the next start has to try everything again, and nothing else is lost.
func (c *Cache) Save() error {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	text, err := json.MarshalIndent(c.data, "", "  ")
	c.mu.Unlock()
	if err != nil {
		return fmt.Errorf("write trial cache: %w", err)
	}
	if err := writeFile(c.file, text); err != nil {
		return fmt.Errorf("write trial cache: %w", err)
	}
	return nil
}

func writeFile(file string, text []byte) error {
	dir := filepath.Dir(file)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".trials-*")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// specKey names a trial by all of its spec. When a row of the encoder table changes, its old verdicts are therefore not found any more.
func specKey(s Spec) string {
	text, err := json.Marshal(s)
	if err != nil {
		return "" // a spec has only strings and numbers, which always encode
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:12])
}

func (c *Cache) find(s Spec) (pipeline.Verdict, bool) {
	if c == nil {
		return pipeline.Verdict{}, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	v, ok := c.data.Machines[0].Verdicts[specKey(s)]
	return v, ok
}

func (c *Cache) keep(s Spec, v pipeline.Verdict) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.data.Machines[0].Verdicts[specKey(s)] = v
}

// nodePatterns are the device nodes that encoders and their converters stand on, under /dev.
var nodePatterns = []string{
	"video*", "dri/*", "mpp_service", "rga", "dma_heap/*", "nvhost-*", "v4l2-nv*", "nvidia*", "mxc_*", "vchiq",
}

// Environment names what a verdict depends on beside the trial: the kernel, GStreamer, the device nodes and this program. root is the
// machine's file system.
func Environment(root fs.FS, gstreamer pipeline.Version, program string) string {
	kernel, err := fs.ReadFile(root, "proc/sys/kernel/osrelease")
	if err != nil {
		kernel = []byte("unknown")
	}
	var nodes []string
	for _, p := range nodePatterns {
		found, err := fs.Glob(root, path.Join("dev", p))
		if err == nil {
			nodes = append(nodes, found...)
		}
	}
	slices.Sort(nodes)
	return fmt.Sprintf("kernel %s, GStreamer %v, boardcast %s, nodes %s",
		strings.TrimSpace(string(kernel)), gstreamer, program, strings.Join(nodes, " "))
}
