package ui

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/persist"
)

// choose goes to a offer of the menu and takes it.
func (d *director) choose(name string) (cmd tea.Cmd) {
	d.t.Helper()
	for i, c := range d.top().(*menu).offers(d.Model) {
		if strings.HasPrefix(c.name, name) {
			d.top().(*menu).at = i
			_, cmd = d.Update(keyMsg("enter"))
			return cmd
		}
	}
	d.t.Fatalf("no offer %q:\n%s", name, grid(d.Model))
	return nil
}

// export opens the menu, takes a offer and names the file that is proposed.
func (d *director) export(name string) (file string) {
	d.t.Helper()
	d.do("E")
	d.choose(name)
	return d.top().(*linePrompt).value()
}

// copied is what the last command of a chain hands to the terminal.
func (d *director) copied(name string) string {
	d.t.Helper()
	d.do("E")
	_, next := d.Update(d.choose(name)())
	if next == nil {
		return ""
	}
	return fmt.Sprint(next())
}

func TestExportTheScreen(t *testing.T) {
	t.Chdir(t.TempDir())
	d := newDirector(t)
	want := grid(d.Model)
	if file := d.export("write the screen"); file != "lvsdeck-dir-a-20260301-120433.txt" {
		t.Errorf("proposed: %q", file)
	}
	d.do("enter")
	const name = "lvsdeck-dir-a-20260301-120433.txt"
	d.sees("where it is", "written: ")
	text, err := os.ReadFile(name)
	d.must(err)
	if lines := strings.Split(string(text), "\n"); lines[3] != strings.Split(want, "\n")[3] || strings.ContainsRune(string(text), '\x1b') {
		t.Errorf("written:\n%s\nwant\n%s", text, want)
	}
	if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if d.top() != nil {
		t.Errorf("something is still open:\n%s", grid(d.Model))
	}
}

// TestExportOverwrites only when that is said, and says what is wrong with a path.
func TestExportOverwrites(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	d := newDirector(t)
	d.must(os.WriteFile("mine", []byte("precious"), 0o644))
	save := func(name string) {
		t.Helper()
		d.export("write the screen")
		d.fill(name)
		d.do("enter")
	}
	save("mine")
	d.sees("the question", "Overwrite it?", filepath.Join(dir, "mine"), "is there already")
	d.do("esc")
	if text, _ := os.ReadFile("mine"); string(text) != "precious" {
		t.Errorf("overwritten: %q", text)
	}
	save("mine")
	d.do("enter")
	if text, _ := os.ReadFile("mine"); !strings.Contains(string(text), "lvsdeck") {
		t.Errorf("not overwritten: %q", text)
	}
	save(filepath.Join(dir, "no", "such", "place"))
	says := func(want string) {
		t.Helper()
		if got := squeezed(d.Model); !strings.Contains(got, "Nothing was written") || !strings.Contains(got, want) {
			t.Errorf("want %q in\n%s", want, grid(d.Model))
		}
	}
	says("no such file or directory")
	d.do("enter")
	d.must(os.Symlink("mine", "link"))
	save("link")
	says("it is a symbolic link")
	d.do("enter")
	save(dir)
	says("it is a directory; name a file in it")
	d.do("enter")
	t.Setenv("HOME", dir)
	save("~/zz.txt")
	d.sees("a home", "written: "+filepath.Join(dir, "zz.txt"))
	t.Setenv("HOME", "")
	save("~/zz.txt")
	says("it is not known which directory ~ is")
	d.do("enter")
	save(" ")
	d.sees("no name", "a file needs a name")
	if left, _ := filepath.Glob(".*"); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// TestExportTheTable has what the filter shows, in the order of the sort, with
// names as no formula.
func TestExportTheTable(t *testing.T) {
	t.Chdir(t.TempDir())
	d := newDirector(t)
	web := d.live.Services[0]
	d.must(d.runner.Store.Labels().Update(func(all map[string]persist.Label) {
		all[persist.ServiceKey(web.ServiceID)] = persist.Label{Name: "=cmd|' /C calc'!A0"}
	}))
	d.do("/")
	d.types("10.0.3.1")
	d.do("enter")
	shown := d.list.Shown()
	d.export("write the table to a file as CSV")
	d.fill("t.csv")
	d.do("enter")
	f, err := os.Open("t.csv")
	d.must(err)
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	d.must(err)
	want := 1
	for _, s := range shown {
		want += 1 + len(s.Servers)
	}
	if len(rows) != want || len(shown) >= len(d.live.Services) || rows[1][3] != "'=cmd|' /C calc'!A0" {
		t.Errorf("%d rows, want %d: %q", len(rows), want, rows)
	}
	d.export("write the table to a file as JSON")
	d.fill("t.json")
	d.do("enter")
	text, err := os.ReadFile("t.json")
	d.must(err)
	var all struct{ Services []struct{ Address string } }
	if err := json.Unmarshal(text, &all); err != nil || len(all.Services) != len(shown) {
		t.Errorf("%v in\n%s", err, text)
	}
}

func TestCopy(t *testing.T) {
	d := newDirector(t)
	d.do("enter", "down")
	if got := d.copied("copy 10.0.3.11:443"); got != "10.0.3.11:443" {
		t.Errorf("copied %q", got)
	}
	d.sees("no promise", "sent to the terminal's clipboard; a terminal may refuse it")
	if got := d.copied("copy the row"); !strings.HasPrefix(got, "PROTO ") || strings.Count(got, "\n") != 3 || !strings.Contains(got, "10.0.3.11:443") {
		t.Errorf("copied %q", got)
	}
	if got := d.copied("copy the screen"); !strings.Contains(got, "10.0.3.12:443") || strings.Contains(got, "Write or copy") {
		t.Errorf("copied %q", got)
	}
}

// TestExportConnections has the grouping on screen, and the page of a list.
func TestExportConnections(t *testing.T) {
	t.Chdir(t.TempDir())
	d := connDirector(t, &connSource{text: connText()})
	d.do("C", "4")
	if got := d.copied("copy 10.0.3.11:443"); got != "10.0.3.11:443" {
		t.Errorf("copied %q", got)
	}
	save := func(file string) [][]string {
		t.Helper()
		d.export("write the table to a file as CSV")
		d.fill(file)
		d.do("enter")
		f, err := os.Open(file)
		d.must(err)
		defer f.Close()
		rows, err := csv.NewReader(f).ReadAll()
		d.must(err)
		return rows
	}
	if rows := save("groups.csv"); len(rows) != 5 || rows[1][2] != "10.0.3.11:443" || rows[0][4] != "connections" {
		t.Errorf("%q", rows)
	}
	d.do("l")
	if rows := save("list.csv"); len(rows) != 132 || rows[1][6] != "10.0.3.11:443" {
		t.Errorf("%d rows: %q", len(rows), rows[:2])
	}
}

// TestExportKeyIsALetter where something is typed.
func TestExportKeyIsALetter(t *testing.T) {
	d := newDirector(t)
	for _, keys := range [][]string{{"/"}, {":"}, {"m"}, {"A"}} {
		d.do(keys...)
		was := d.top()
		d.do("E")
		if d.top() != was {
			t.Errorf("%q: a menu opened:\n%s", keys, grid(d.Model))
		}
		d.do("ctrl+u", "esc", "esc")
	}
	d.do("?", "E")
	d.sees("a screen without a table", "write the screen to a file", "copy the screen")
	if n := len(d.top().(*menu).offers(d.Model)); n != 2 {
		t.Errorf("%d offers", n)
	}
}

// TestExportLists: what is no table of numbers goes as text or JSON.
func TestExportLists(t *testing.T) {
	t.Chdir(t.TempDir())
	d := newDirector(t)
	d.do("enter", "down", "+", "J")
	d.export("write the table to a file as text")
	d.fill("j.txt")
	d.do("enter")
	if text, err := os.ReadFile("j.txt"); err != nil || !strings.HasPrefix(string(text), "BEGUN ") || strings.Count(string(text), "\n") != 2 {
		t.Errorf("%v\n%s", err, text)
	}
	d.export("write the table to a file as JSON")
	d.fill("j.json")
	d.do("enter", "esc")
	var all []map[string]any
	if text, err := os.ReadFile("j.json"); err != nil || json.Unmarshal(text, &all) != nil || len(all) != 1 {
		t.Errorf("%v\n%s", err, text)
	}
	d.do("s")
	if got := d.copied("copy 10.0.3.11:443"); got != "10.0.3.11:443" {
		t.Errorf("of the large service: %q\n%s", got, grid(d.Model))
	}
	d.export("write the table to a file as CSV")
	d.fill("s.csv")
	d.do("enter")
	if text, err := os.ReadFile("s.csv"); err != nil || strings.Count(string(text), "\n") != 2+len(d.live.Services[0].Servers) {
		t.Errorf("%v\n%s", err, text)
	}
}

func TestExportScreens(t *testing.T) {
	layerScenes(t, "export", func(d *director) { d.do("enter", "down", "E", "down") })
}

// TestFileNamesAreWhole holds that a file's name is not cut where the line has room
// for it, and that a sign tells where it is.
func TestFileNamesAreWhole(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a-directory-with-a-name-that-takes-most-of-the-line")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	d := newDirector(t)
	d.Update(tea.WindowSizeMsg{Width: 60, Height: 16})
	d.opts.Host = "director"
	name := d.export("write the screen")
	d.sees("what is proposed", "file "+name)
	d.do("enter")
	d.sees("where it is", "written: …", "/"+name)
	d.push(&form{title: "one", fields: []*field{typedField("file", "file", name, "a name, or a path; only you can read it")}})
	d.do("end")
	d.sees("a form of one file", "  "+name, "a name, or a path; only you can read it")
	d.Update(tea.WindowSizeMsg{Width: 120, Height: 30})
	d.sees("and where there is room", "  "+name)
	long := strings.Repeat("x", 70)
	d.Update(tea.WindowSizeMsg{Width: 60, Height: 16})
	d.types(long)
	d.sees("its end", "  …xxx")
	d.do("home")
	d.sees("its beginning", "  "+name[:20], "xxx…")
	if x, _, _ := d.top().Cursor(d.Model); x != 1+formLabel+1+2 {
		t.Errorf("the cursor stands at %d", x)
	}
}
