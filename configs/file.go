package configs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// largestFile is how many bytes of a settings file are read. All settings with
// their comments take a hundredth of that.
const largestFile = 1 << 20

// findFile returns the settings file to read, "" for none: the one asked for,
// else the first that is there in dirs.
func findFile(asked string, dirs []string) (string, error) {
	if asked != "" {
		return asked, nil
	}
	for _, dir := range dirs {
		path := filepath.Join(dir, FileName)
		switch _, err := os.Stat(path); {
		case err == nil:
			return path, nil
		case !errors.Is(err, fs.ErrNotExist):
			return "", fmt.Errorf("look for settings: %w", err)
		}
	}
	return "", nil
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	defer func() { _ = f.Close() }() // nothing was written
	if info, statErr := f.Stat(); statErr == nil && info.IsDir() {
		return nil, fmt.Errorf("read settings: %s is a directory, not a file", path)
	}
	data, err := io.ReadAll(io.LimitReader(f, largestFile+1))
	if err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	if len(data) > largestFile {
		return nil, fmt.Errorf("read settings: %s is larger than %d bytes", path, largestFile)
	}
	return data, nil
}
