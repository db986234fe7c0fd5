package vm

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"lvsdeck/lab/guest"
)

// outcome collects what the guest says over its notes line.
type outcome struct {
	dir   string // where its files go
	exit  int
	err   error // the job could not be run, or a file not be written
	ended bool  // the guest said how
}

func (o *outcome) known() bool { return o.ended || o.err != nil }

// read takes notes until the guest says how the job ended, or no more come. It
// calls up when the guest has opened the line.
func (o *outcome) read(notes io.Reader, up func()) {
	for in := json.NewDecoder(notes); !o.ended; {
		var n guest.Note
		if in.Decode(&n) != nil {
			return
		}
		switch {
		case n.Up:
			up()
		case n.Fail != "":
			o.err, o.ended = errors.New("the lab's guest cannot run the job: "+n.Fail), true
		case n.Exit != nil:
			o.exit, o.ended = *n.Exit, true
		case n.File != "":
			o.err = errors.Join(o.err, o.save(n.File, n.Data))
		}
	}
}

func (o *outcome) save(name string, data []byte) error {
	if o.dir == "" {
		return nil
	}
	if !filepath.IsLocal(name) {
		return fmt.Errorf("the lab's guest hands over a file named %q, which is outside its directory", name)
	}
	path := filepath.Join(o.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o644)
}

// tail keeps the end of what is written to it. It can be asked at any time.
type tail struct {
	mu   sync.Mutex
	text []byte
}

// What tail keeps, and of that what it shows.
const (
	tailBytes = 64 << 10
	tailLines = 100
)

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if extra := len(t.text) - tailBytes; extra > 0 {
		t.text = append(t.text[:0], t.text[extra:]...)
	}
	return len(p), nil
}

// Empty tells whether nothing was written.
func (t *tail) Empty() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.text) == 0
}

// String is the last lines, without the serial line's carriage returns.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := strings.TrimSpace(strings.ReplaceAll(string(t.text), "\r", ""))
	lines := strings.Split(text, "\n")
	return strings.Join(lines[max(0, len(lines)-tailLines):], "\n")
}
