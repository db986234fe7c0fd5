package vm

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func read(dir, text string) *outcome {
	o := &outcome{dir: dir}
	o.read(strings.NewReader(text), func() {})
	return o
}

func TestOutcome(t *testing.T) {
	for text, want := range map[string]outcome{
		``:                                   {},
		"{\"Up\":true}\n":                    {},
		"{\"Up\":true}\n{\"Exit\":0}\n":      {ended: true},
		"{\"Exit\":3}\n{\"Exit\":4}\n":       {ended: true, exit: 3},
		"Kernel panic - not syncing\r\n":     {},
		"{\"Up\":true}\n{\"Exit\":":          {},
		"{\"Up\":true}\nnoise{\"Exit\":0}\n": {},
	} {
		if got := read("", text); got.ended != want.ended || got.exit != want.exit || got.err != nil {
			t.Errorf("%q: %+v", text, *got)
		}
	}
	if o := read("", `{"Fail":"no such program"}`); !o.known() || !strings.Contains(o.err.Error(), "no such program") {
		t.Errorf("a failure is told as %+v", *o)
	}
}

func TestOutcomeFiles(t *testing.T) {
	dir := t.TempDir()
	const file, exit = `{"File":"shots/one.txt","Data":"aGVsbG8="}`, `{"Exit":0}`
	if o := read(dir, file+exit); o.err != nil || !o.ended {
		t.Fatalf("%+v", *o)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "shots", "one.txt")); string(got) != "hello" {
		t.Errorf("the file holds %q, %v", got, err)
	}
	if o := read("", file+exit); o.err != nil {
		t.Errorf("a file nobody asked for: %v", o.err)
	}
	for _, name := range []string{"../escape", "/etc/escape", "a/../../escape"} {
		if o := read(dir, `{"File":"`+name+`","Data":""}`+exit); o.err == nil {
			t.Errorf("%s was written", name)
		}
	}
}

func FuzzOutcome(f *testing.F) {
	f.Add("{\"Up\":true}\n{\"File\":\"a\",\"Data\":\"aGk=\"}\n{\"Exit\":1}\n")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		o := read(filepath.Join(dir, "in"), text)
		if o.ended && !strings.Contains(strings.ToLower(text), "exit") && o.err == nil {
			t.Errorf("%q was taken for an end", text)
		}
		if got, _ := filepath.Glob(filepath.Join(dir, "*")); len(got) > 1 {
			t.Errorf("%q wrote %v", text, got)
		}
	})
}

func TestTail(t *testing.T) {
	var c tail
	if !c.Empty() || c.String() != "" {
		t.Error("a new tail is not empty")
	}
	for range 5000 {
		c.Write([]byte("line of some length\r\n"))
	}
	c.Write([]byte("last\r\n"))
	lines := strings.Split(c.String(), "\n")
	if len(lines) != tailLines || lines[len(lines)-1] != "last" || lines[0] != "line of some length" {
		t.Errorf("%d lines, from %q to %q", len(lines), lines[0], lines[len(lines)-1])
	}
}
