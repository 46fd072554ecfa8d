package configs

import (
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// Setting is one key in force, ready to be shown: Value is a bool, an int64
// (pixels, pictures or bits per second), a string or a []string, and holds no
// password.
type Setting struct {
	Key    string
	Value  any
	Source Source
}

// Text returns the value as a flag takes it (passwords aside).
func (s Setting) Text() string {
	switch v := s.Value.(type) {
	case []string:
		return strings.Join(v, ",")
	case int64:
		if k, _ := lookup(s.Key); k.Kind == KindBitrate {
			return Bitrate(v).String()
		}
	}
	return fmt.Sprint(s.Value)
}

// Settings returns every key in force in the order of the default file. It is
// empty for a Config that Load did not make.
func (c *Config) Settings() []Setting { return append([]Setting(nil), c.origin.settings...) }

// Source says where the key's value was given.
func (c *Config) Source(key string) Source {
	for _, s := range c.origin.settings {
		if s.Key == key {
			return s.Source
		}
	}
	return Source{}
}

// File returns the path of the settings file that was read, "" for none.
func (c *Config) File() string { return c.origin.file }

// String returns every key as key=value on one line, without passwords.
func (c *Config) String() string {
	words := make([]string, len(c.origin.settings))
	for i, s := range c.origin.settings {
		words[i] = s.Key + "=" + s.Text()
	}
	return strings.Join(words, " ")
}

// LogValue groups every key for slog, without passwords; video.width becomes
// video_width.
func (c *Config) LogValue() slog.Value {
	attrs := make([]slog.Attr, len(c.origin.settings))
	name := strings.NewReplacer(".", "_", "-", "_")
	for i, s := range c.origin.settings {
		attrs[i] = slog.String(name.Replace(s.Key), s.Text())
	}
	return slog.GroupValue(attrs...)
}

// plain turns a parsed value into what Setting.Value promises.
func plain(v any) any {
	switch v := v.(type) {
	case bool, string:
		return v
	case int:
		return int64(v)
	case Bitrate:
		return int64(v)
	case time.Duration:
		return shortDuration(v)
	case slog.Level:
		return strings.ToLower(v.String())
	case []any:
		texts := make([]string, len(v))
		for i, item := range v {
			texts[i] = fmt.Sprint(item)
		}
		return texts
	default:
		return fmt.Sprint(v)
	}
}
