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
	if top, ok := m.top().(*menu); ok && top.title == exportTitle {
		return false
	}
	return !m.typing()
}

// typing tells a screen on which keys are letters.
func (m *Model) typing() bool {
	switch top := m.top().(type) {
	case nil:
		return false
	case *form:
		return true
	default:
		_, _, typing := top.Cursor(m)
		return typing
	}
}

const exportTitle = "Write or copy"

// tableForms are the forms of a table by the names that ui/plain knows.
var tableForms = map[string]struct{ name, ending, about string }{
	"table":   {"text", "txt", ", also what does not fit the screen."},
	plain.CSV: {"CSV", "csv", ", in exact numbers. Text that a spreadsheet would take for a formula gets a ' before it."},
	"json":    {"JSON", "json", ", in exact numbers."},
}

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
	forms := table.forms
	if table.write != nil && forms == nil {
		forms = []string{plain.CSV, "json", "table"}
	}
	for _, f := range forms {
		as := tableForms[f]
		offers = append(offers, fileOffer("write the table to a file as "+as.name, table.of+as.about, as.ending, func(w io.Writer) error { return table.write(w, f) }))
	}
	if table.cell != "" {
		cell := text.Clean(table.cell)
		offers = append(offers, copyOffer("copy "+cell, func(w io.Writer) error { _, err := io.WriteString(w, cell); return err }))
	}
	if table.row != nil {
		offers = append(offers, copyOffer("copy the row, in full", table.row))
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
			m.message = m.withPath("written: ", path, "")
		}
		return nil
	})
}

// withPath is words for the last line about a file. Where they do not fit, the
// directory is cut, not the file's name.
func (m *Model) withPath(before, path, after string) string {
	return before + text.CutLeft(text.Clean(path), m.width-2-text.Width(before+after), m.signs.Cut) + after
}

// writeNew writes a file that only its owner can read, whole or not at all. It
// answers fs.ErrExist when there is one and it is not to be replaced. The path is
// where the file is, whatever the working directory.
func writeNew(name string, replace bool, write func(io.Writer) error) (path string, err error) {
	if in, ok := strings.CutPrefix(name, "~/"); ok { // no shell is here to do it
		home, err := os.UserHomeDir()
		if err != nil {
			return name, fmt.Errorf("file %q: it is not known which directory ~ is (%w); give the whole path", name, err)
		}
		name = filepath.Join(home, in)
	}
	if path, err = filepath.Abs(name); err != nil {
		return name, err
	}
	if replace {
		return path, persist.WriteFile(path, write)
	}
	return path, persist.WriteNew(path, write)
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
