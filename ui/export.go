package ui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"lvsdeck/ops"
	"lvsdeck/ops/conns"
	"lvsdeck/persist"
	"lvsdeck/ui/figure"
	"lvsdeck/ui/plain"
	"lvsdeck/ui/text"
)

// exportKey works on every screen on which nothing is typed.
const exportKey = "E"

func exportCommands() []command {
	return []command{
		{"View", []string{exportKey}, "write or copy what is on screen: text, CSV, JSON", "", openExport, nil},
	}
}

// exportable tells a screen on which the key is no letter.
func (m *Model) exportable() bool {
	switch top := m.top().(type) {
	case nil:
		return true
	case *form:
		return false
	case *menu:
		return top.title != exportTitle
	default:
		_, _, typing := top.Cursor(m)
		return !typing
	}
}

// sheet is a table that can be written and copied. It is made in the loop; what it
// does is done beside it, so that it must not look at what the loop changes.
type sheet struct {
	of    string // "4 services and 11 servers"
	write func(w io.Writer, format string) error
	cell  string                  // what the cursor is on, or ""
	row   func(w io.Writer) error // its row as text
}

// tabled is a screen with a table.
type tabled interface {
	sheet(*Model) sheet
}

// sheet is the table on screen; one without write is none.
func (m *Model) sheet() (s sheet) {
	switch top := m.top().(type) {
	case nil:
		if m.sample != nil {
			return m.servicesSheet()
		}
	case tabled:
		return top.sheet(m)
	}
	return s
}

// servicesSheet is the rows of the services screen, as filtered and sorted.
func (m *Model) servicesSheet() sheet {
	all, servers := *m.sample, 0
	all.Services = m.list.Shown()
	for _, s := range all.Services {
		servers += len(s.Servers)
	}
	store := m.opts.Store
	write := func(w io.Writer, sample *ops.Sample, format string) error {
		l := plain.Listing{Sample: sample}
		if store != nil {
			if err := l.Recall(store); err != nil {
				return err
			}
		}
		return l.Write(w, format)
	}
	out := sheet{
		of:    fmt.Sprintf("%d services and %d servers, as filtered and sorted", len(all.Services), servers),
		write: func(w io.Writer, format string) error { return write(w, &all, format) },
	}
	if row, ok := m.list.Current(); ok {
		one, service := *m.sample, *row.Service
		if out.cell, service.Servers = service.Name, nil; row.Server != nil {
			out.cell, service.Servers = row.Server.Name, []*ops.Server{row.Server}
		}
		one.Services = []*ops.Service{&service}
		out.row = func(w io.Writer) error { return write(w, &one, "table") }
	}
	return out
}

const exportTitle = "Write or copy"

// openExport offers what can be made of the screen as it is at this moment.
func openExport(m *Model) tea.Cmd {
	lines := strings.Split(ansi.Strip(m.draw()), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	screen := strings.Join(lines, "\n") + "\n"
	shown := func(w io.Writer) error {
		_, err := io.WriteString(w, screen)
		return err
	}
	table := m.sheet()
	offers := []offer{fileOffer("write the screen to a file", "As it stands here, as text without colours.", "txt", shown)}
	if table.write != nil {
		format := func(name string) func(io.Writer) error {
			return func(w io.Writer) error { return table.write(w, name) }
		}
		offers = append(offers,
			fileOffer("write the table to a file as CSV", table.of+", in exact numbers. Text that a spreadsheet would take for a formula gets a ' before it.", "csv", format(plain.CSV)),
			fileOffer("write the table to a file as JSON", table.of+", in exact numbers.", "json", format("json")))
	}
	if table.cell != "" {
		cell := text.Clean(table.cell)
		offers = append(offers,
			copyOffer("copy "+cell, func(w io.Writer) error { _, err := io.WriteString(w, cell); return err }),
			copyOffer("copy the row, in exact numbers", table.row))
	}
	offers = append(offers, copyOffer("copy the screen", shown))
	m.push(&menu{title: exportTitle, yes: "do it", offers: func(*Model) []offer { return offers }})
	return nil
}

// fileOffer asks for a file's name and writes it.
func fileOffer(name, about, ending string, write func(io.Writer) error) offer {
	return offer{name: name, about: about, do: func(m *Model) tea.Cmd {
		from := m.top()
		m.push(&linePrompt{prompt: newPrompt("file", "a name, or a path", m.fileName(ending)), done: func(m *Model, typed string) (tea.Cmd, error) {
			if typed == "" {
				return nil, errors.New("a file needs a name")
			}
			m.drop(from)
			return exportTo(typed, false, write), nil
		}})
		return nil
	}}
}

// fileName says whose the file is, and of when.
func (m *Model) fileName(ending string) string {
	host := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return -1
	}, m.opts.Host)
	return fmt.Sprintf("lvsdeck-%s-%s.%s", text.Or(host, "host"), m.clock().Format("20060102-150405"), ending)
}

// exportTo writes a file beside the loop, and asks before it takes the place of
// another.
func exportTo(name string, replace bool, write func(io.Writer) error) tea.Cmd {
	return beside(func(context.Context) (string, error) { return writeNew(name, replace, write) }, func(m *Model, path string, err error) tea.Cmd {
		switch {
		case errors.Is(err, fs.ErrExist):
			m.push(&question{
				note: note{title: "Overwrite it?", text: path + " is there already."},
				yes:  "overwrite it", no: "leave it", do: func(*Model) tea.Cmd { return exportTo(name, true, write) },
			})
		case err != nil:
			m.tell("Nothing was written", err)
		default:
			m.message = "written: " + path
		}
		return nil
	})
}

// writeNew writes a file that only its owner can read, whole or not at all. It
// answers fs.ErrExist when there is one and it is not to be replaced. The path is
// where the file is, whatever the working directory.
func writeNew(name string, replace bool, write func(io.Writer) error) (path string, err error) {
	if path, err = filepath.Abs(name); err != nil {
		return name, err
	}
	if !replace { // its place is taken first: nobody else's file is lost
		f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return path, err
		}
		f.Close()
	}
	if err = persist.WriteFile(path, write); err != nil && !replace {
		os.Remove(path)
	}
	return path, err
}

// clipboardMost is how many bytes every terminal takes that takes any (hterm: a
// sequence of 100,000 in base64).
const clipboardMost = 74_994

// copyOffer sends a text to the terminal, which keeps it (OSC 52).
func copyOffer(name string, write func(io.Writer) error) offer {
	return offer{
		name: name,
		about: fmt.Sprintf("It is sent to the terminal's clipboard, also over SSH. A terminal may refuse it without a word; tmux passes it on with set-clipboard on. Up to %s bytes.",
			figure.Exact(clipboardMost)),
		do: func(m *Model) tea.Cmd {
			from := m.top()
			return beside(func(context.Context) (string, error) {
				var b strings.Builder
				err := write(&b)
				return b.String(), err
			}, func(m *Model, copied string, err error) tea.Cmd {
				m.drop(from)
				switch {
				case err != nil:
					m.tell("Nothing was copied", err)
				case len(copied) > clipboardMost:
					m.tell("Nothing was copied", fmt.Errorf("it is %s bytes, more than terminals take (%s): write a file", figure.Exact(uint64(len(copied))), figure.Exact(clipboardMost)))
				default:
					m.message = "sent to the terminal's clipboard; a terminal may refuse it"
					return tea.SetClipboard(copied)
				}
				return nil
			})
		},
	}
}

// sheet is the grouping on screen.
func (c *connections) sheet(*Model) (s sheet) {
	if c.view().result == nil {
		return s
	}
	all := *c.view().result
	ranking := *all.Ranking(c.by)
	all.Rankings = []conns.Ranking{ranking}
	s = sheet{
		of:    fmt.Sprintf("the %d largest groups by %s of %d", len(ranking.Groups), c.by, ranking.Met),
		write: func(w io.Writer, format string) error { return plain.Conns(w, &all, format) },
	}
	if g, ok := c.group(); ok {
		one := all
		one.Rankings = []conns.Ranking{{By: c.by, Groups: []conns.Group{g}, Met: 1}}
		s.cell, s.row = g.Name(c.by), func(w io.Writer) error { return plain.Conns(w, &one, "table") }
	}
	return s
}

// sheet is the page on screen.
func (l *connList) sheet(*Model) (s sheet) {
	if len(l.page.Rows) == 0 {
		return s
	}
	write := func(w io.Writer, rows []conns.Row, format string) error {
		out := plain.NewConnList(w, format, true)
		for _, r := range rows {
			out.Add(r)
		}
		return out.End()
	}
	rows, from := l.page.Rows, l.page.From
	s = sheet{
		of:    fmt.Sprintf("connections %d to %d of the list (lvsdeck conns --list writes all)", from+1, from+len(rows)),
		write: func(w io.Writer, format string) error { return write(w, rows, format) },
	}
	if l.at < len(rows) {
		one := rows[l.at : l.at+1]
		s.cell, s.row = one[0].Client.String(), func(w io.Writer) error { return write(w, one, "table") }
	}
	return s
}
