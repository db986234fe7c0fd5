package persist

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func add(t *testing.T, l Lines, line string) {
	t.Helper()
	if err := l.Append(func([]byte) []byte { return []byte(line + "\n") }); err != nil {
		t.Fatal(err)
	}
}

func TestLinesGrowAndAreBounded(t *testing.T) {
	s := store(t, Options{})
	l := NewLines(s, "words", 100)
	if text, err := l.Read(); err != nil || len(text) != 0 {
		t.Fatalf("nothing was written: %q, %v", text, err)
	}
	for i := range 50 {
		add(t, l, fmt.Sprintf("line %02d", i))
	}
	text, err := l.Read()
	if err != nil || !strings.HasSuffix(string(text), "line 48\nline 49\n") || len(text) > 2*100+1 {
		t.Errorf("%d bytes, %v: %q", len(text), err, text)
	}
	for _, name := range []string{"words", "words.1"} {
		if info, err := os.Stat(filepath.Join(s.Dir(), name)); err != nil || info.Mode().Perm() != 0o600 || info.Size() > 100 {
			t.Errorf("%s: %v %v", name, info, err)
		}
	}
	if err := l.Append(func([]byte) []byte { return nil }); err != nil {
		t.Error(err)
	}
	if again, _ := l.Read(); !bytes.Equal(again, text) {
		t.Error("nothing to add, and something changed")
	}
}

// TestLinesOfManyAtOnce: the bound holds however much comes at once.
func TestLinesOfManyAtOnce(t *testing.T) {
	s := store(t, Options{})
	l := NewLines(s, "words", 100)
	for _, what := range []string{"a", "b"} {
		add(t, l, strings.TrimSuffix(strings.Repeat(strings.Repeat(what, 9)+"\n", 100), "\n"))
	}
	add(t, l, "this is the end")
	text, err := l.Read()
	if want := strings.Repeat("bbbbbbbbb\n", 10) + "\nthis is the end\n"; err != nil || string(text) != want {
		t.Errorf("%q, %v", text, err)
	}
	add(t, l, strings.Repeat("x", 40)+"\n"+strings.Repeat("y", 150))
	if text, _ := l.Read(); string(text) != "this is the end\n\n"+strings.Repeat("y", 150)+"\n" {
		t.Errorf("a line that is longer than all: %q", text)
	}
}

func TestLinesAfterATornOne(t *testing.T) {
	s := store(t, Options{})
	l := NewLines(s, "words", 1000)
	path := filepath.Join(s.Dir(), "words")
	if err := os.WriteFile(path, []byte("whole\nto"), 0o600); err != nil {
		t.Fatal(err)
	}
	add(t, l, "next")
	if text, _ := l.Read(); string(text) != "whole\nto\nnext\n" {
		t.Errorf("%q", text)
	}
	full := Options{Dir: s.Dir(), Fault: func(op Op, p string, data []byte) (int, error) {
		if op == OpWrite && p == path {
			return 2, os.ErrPermission
		}
		return 0, nil
	}}
	if err := NewLines(store(t, full), "words", 1000).Append(func([]byte) []byte { return []byte("lost\n") }); err == nil {
		t.Error("a write that failed was not told")
	}
	if text, _ := l.Read(); string(text) != "whole\nto\nnext\n" {
		t.Errorf("half a line stays: %q", text)
	}
	if err := os.WriteFile(path, bytes.Repeat([]byte("0123456789\n"), 10_000), 0o600); err != nil {
		t.Fatal(err)
	}
	if text, _ := l.Read(); len(text) != 2000 {
		t.Errorf("%d bytes of a file that is too large were read", len(text))
	}
}

// TestLinesTogether lets several add what depends on what the others have added.
func TestLinesTogether(t *testing.T) {
	s := store(t, Options{})
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 25 {
				if err := NewLines(s, "words", 1<<20).Append(func(before []byte) []byte {
					return fmt.Appendf(nil, "%d\n", bytes.Count(before, []byte{'\n'}))
				}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	text, _ := NewLines(s, "words", 1<<20).Read()
	for i, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		if line != fmt.Sprint(i) {
			t.Fatalf("line %d is %q", i, line)
		}
	}
}
