package plan

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lvsdeck/ipvs/memory"
)

func as(text string) *string { return &text }

// fileTests has a step for each kind of thing at a path.
func fileTests() []stepTest {
	return []stepTest{
		{
			ChangeFile{Path: "/etc/a b", After: as("one\nEOF\n"), Mode: 0o600},
			"make file /etc/a b", "install -m 600 /dev/stdin '/etc/a b' <<'EOFF'\none\nEOF\nEOFF",
			"remove file /etc/a b", "rm '/etc/a b'", Counts{Add: 1},
		},
		{
			ChangeFile{Path: "/etc/a", Before: as("one"), After: as("two"), Mode: 0o644},
			"write file /etc/a", "install -m 644 /dev/stdin /etc/a <<'EOF'\ntwo\nEOF",
			"write file /etc/a", "install -m 644 /dev/stdin /etc/a <<'EOF'\none\nEOF", Counts{Change: 1},
		},
		{
			ChangeFile{Path: "/etc/a", After: as("/etc/b"), Mode: fs.ModeSymlink},
			"make link /etc/a to /etc/b", "ln -s /etc/b /etc/a", "remove link /etc/a", "rm /etc/a", Counts{Add: 1},
		},
		{
			ChangeFile{Path: "/etc/a", After: as(""), Mode: fs.ModeDir | 0o700},
			"make directory /etc/a", "mkdir -m 700 /etc/a", "remove directory /etc/a", "rmdir /etc/a", Counts{Add: 1},
		},
	}
}

// tree is all that is below a directory.
func tree(t *testing.T, root string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		text, is, err := readPath(path)
		fmt.Fprintf(&b, "%s %v %q\n", strings.TrimPrefix(path, root), is, *text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// read is ReadFile of what can be changed.
func read(t *testing.T, path string, after *string, mode fs.FileMode) Item {
	t.Helper()
	s, err := ReadFile(path, after, mode)
	if err != nil {
		t.Fatal(err)
	}
	return Item{Step: s}
}

// TestFilesForthAndBack: what a plan makes, writes and removes is exactly as
// before when it is undone, and when a step of it fails.
func TestFilesForthAndBack(t *testing.T) {
	b := newBench(t, memory.New())
	root := t.TempDir()
	in := func(name string) string { return filepath.Join(root, name) }
	b.ok(os.WriteFile(in("old"), []byte("no end of line"), 0o640))
	b.ok(os.WriteFile(in("gone"), []byte("x\n"), 0o604))
	before := tree(t, root)
	p := Plan{Title: "files", Items: []Item{
		read(t, in("dir"), as(""), fs.ModeDir|0o700), read(t, in("dir/new"), as("new\n"), 0o600),
		read(t, in("old"), as("another\n"), 0o600), read(t, in("gone"), nil, 0o600),
		read(t, in("link"), as("/nowhere"), fs.ModeSymlink),
	}}
	if s, err := ReadFile(in("old"), as("no end of line"), 0o600); err != nil || !s.Same() {
		t.Errorf("%+v, %v", s, err)
	}
	r := b.run(p)
	want := " drwxr-xr-x \"\"\n/dir drwx------ \"\"\n/dir/new -rw------- \"new\\n\"\n/link Lrwxrwxrwx \"/nowhere\"\n/old -rw-r----- \"another\\n\"\n"
	equal(t, "applied", want, tree(t, root))
	if again := b.run(p); len(again.Steps) == 0 || again.Steps[0].State != Already || again.Steps[3].State != Already {
		t.Errorf("twice: %+v", again.Steps)
	}
	_, err := b.Undo(ctx, r.ID, nil)
	b.ok(err)
	equal(t, "undone", before, tree(t, root))

	p.Items = append(p.Items, Item{Step: ChangeFile{Path: in("old/below"), After: as(""), Mode: 0o600}})
	if r, err := b.Run(ctx, p, nil); err == nil || r.Outcome != WentBack {
		t.Errorf("a step that cannot be: %v, %v", r.Outcome, err)
	}
	equal(t, "taken back", before, tree(t, root))
}

// TestFilesThatMoved are left alone.
func TestFilesThatMoved(t *testing.T) {
	for name, move := range map[string]func(path string) error{
		"written":    func(path string) error { return os.WriteFile(path, []byte("theirs"), 0o600) },
		"removed":    os.Remove,
		"a link now": func(path string) error { return errors.Join(os.Remove(path), os.Symlink("/etc/passwd", path)) },
		"a dir now":  func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) },
	} {
		root := t.TempDir()
		path := filepath.Join(root, "f")
		if err := os.WriteFile(path, []byte("was"), 0o600); err != nil {
			t.Fatal(err)
		}
		step := read(t, path, as("will be"), 0o600).Step
		if err := move(path); err != nil {
			t.Fatal(err)
		}
		left := tree(t, root)
		if err := step.Do(ctx, Target{}); !errors.Is(err, ErrMoved) {
			t.Errorf("%s: %v", name, err)
		}
		equal(t, name, left, tree(t, root))
		if _, err := ReadFile(path, as("will be"), fs.ModeSymlink); err == nil && name == "written" {
			t.Errorf("%s: a file becomes a link", name)
		}
	}
	root := t.TempDir()
	dir := filepath.Join(root, "d")
	make := read(t, dir, as(""), fs.ModeDir|0o700).Step
	if err := make.Do(ctx, Target{}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "theirs"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := make.Undo().Do(ctx, Target{}); !errors.Is(err, ErrAlready) {
		t.Errorf("a directory in use: %v", err)
	}
	for name, text := range map[string]string{"large": strings.Repeat("x", MaxFile+1), "binary": "\xff"} {
		path := filepath.Join(root, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadFile(path, as(""), 0o600); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if _, err := ReadFile(filepath.Join(root, "new"), as(strings.Repeat("x", MaxFile+1)), 0o600); err == nil {
		t.Error("a file too large for the journal was taken")
	}
}

// TestEach goes on after a step that fails, and writes no journal.
func TestEach(t *testing.T) {
	b := newBench(t, memory.New())
	root := t.TempDir()
	p := Plan{Items: []Item{
		read(t, filepath.Join(root, "a"), as("a"), 0o600), {Step: ChangeFile{Path: filepath.Join(root, "no/b"), After: as(""), Mode: 0o600}},
		read(t, filepath.Join(root, "c"), as("c"), 0o600),
	}}
	r := Each(ctx, b.Target, p)
	if r.Outcome != Partly || r.Steps[0].State != Done || r.Steps[1].State != Failed || r.Steps[1].Err == nil || r.Steps[2].State != Done {
		t.Errorf("%s: %+v", r.Outcome, r.Steps)
	}
	if r := Each(ctx, b.Target, Plan{Items: p.Items[:1]}); r.Outcome != Applied || r.Steps[0].State != Already {
		t.Errorf("%s: %+v", r.Outcome, r.Steps)
	}
	if h := b.history(); len(h.Entries) != 0 {
		t.Errorf("the journal has %d plans", len(h.Entries))
	}
}
