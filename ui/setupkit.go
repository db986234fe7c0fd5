package ui

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ops/realserver"
	"lvsdeck/ops/setup"
	"lvsdeck/persist"
	"lvsdeck/ui/paint"
	"lvsdeck/ui/text"
)

// kitLines are what each real server needs, for the draft.
func kitLines(m *Model, d setup.Draft) (lines []string) {
	if d.Wish.Mode != setup.FullNAT {
		lines = append(lines, "", heading(m, "The real servers come first: K has their part as a script"))
	}
	for _, s := range d.Servers {
		steps, err := realserver.Steps(realserver.Of(d, s))
		lines = append(lines, "", heading(m, fmt.Sprintf("On %s: %s", s.Addr, countSteps(len(steps)))))
		switch {
		case err != nil:
			lines = append(lines, wrapped(m, paint.Bad, m.signs.Problem+" "+err.Error(), 1)...)
		case len(steps) == 0:
			lines = append(lines, wrapped(m, paint.Rest, "Nothing: it needs no more than a way to the director.", 1)...)
		}
		for i, step := range steps {
			lines = append(lines, wrapped(m, paint.Rest, step.Reason, 1)...)
			lines = append(lines, wrapped(m, paint.Plain, fmt.Sprintf("%d  %s", i+1, step), 1)...)
		}
	}
	return lines
}

func countSteps(n int) string {
	if n == 1 {
		return "1 step"
	}
	return fmt.Sprintf("%d steps", n)
}

// kit shows the script of one real server, to be copied or saved.
type kit struct {
	scroll
	draft setup.Draft
	at    int // which server
}

func openKits(m *Model, d setup.Draft, at int) tea.Cmd {
	m.push(&kit{draft: d, at: at})
	return nil
}

func (k *kit) script() (string, error) {
	return realserver.Script(realserver.Of(k.draft, k.draft.Servers[k.at]))
}

// Key implements layer.
func (k *kit) Key(m *Model, key tea.KeyPressMsg) tea.Cmd {
	n := len(k.draft.Servers)
	switch s := key.String(); {
	case s == "esc" || s == "q":
		m.drop(k)
	case s == "tab" || s == "right":
		k.at, k.top = (k.at+1)%n, 0
	case s == "shift+tab" || s == "left":
		k.at, k.top = (k.at+n-1)%n, 0
	case s == "h" || s == "a" || s == "u":
		k.login(m, map[string]string{"h": "check", "a": "apply", "u": "undo"}[s])
	case s == "c" || s == "s":
		script, err := k.script()
		if err != nil {
			m.message = err.Error()
			return nil
		}
		if s == "s" {
			return k.save(m, script)
		}
		m.message = "the script was sent to your terminal's clipboard"
		return tea.SetClipboard(script)
	default:
		k.move(s)
	}
	return nil
}

// save asks for a file.
func (k *kit) save(m *Model, script string) tea.Cmd {
	name := fmt.Sprintf("/root/lvsdeck-realserver-%s.sh", k.draft.Servers[k.at].Addr.Addr())
	m.push(&linePrompt{prompt: newPrompt("save to", "a file", strings.ReplaceAll(name, ":", "_")), done: func(m *Model, path string) (tea.Cmd, error) {
		if !filepath.IsAbs(path) {
			return nil, errors.New("the path must begin with /")
		}
		return func() tea.Msg {
			err := persist.WriteFile(path, func(w io.Writer) error {
				_, err := io.WriteString(w, script)
				return err
			})
			return besideMsg(func(m *Model) tea.Cmd {
				if err != nil {
					m.tell("The script was not saved", err)
				} else {
					m.message = m.withPath("saved to ", path, "; on the server: sh "+filepath.Base(path)+" apply")
				}
				return nil
			})
		}, nil
	}})
	return nil
}

// Paste implements layer.
func (k *kit) Paste(*Model, string) {}

// Body implements layer.
func (k *kit) Body(m *Model, height int) []string {
	title := fmt.Sprintf("What %s needs, as a script", k.draft.Servers[k.at].Addr)
	if n := len(k.draft.Servers); n > 1 {
		title += fmt.Sprintf("   server %d of %d", k.at+1, n)
	}
	head := []string{heading(m, title)}
	script, err := k.script()
	if err != nil {
		return append(append(head, ""), wrapped(m, paint.Plain, err.Error(), 1)...)
	}
	head = append(head, wrapped(m, paint.Rest, "Run it there as root: check looks, apply does it, undo takes exactly that back. Twice does no harm.", 1)...)
	head = append(head, "")
	var lines []string
	for line := range strings.Lines(script) {
		style := paint.Plain
		if strings.HasPrefix(line, "#") {
			style = paint.Rest
		}
		line = strings.ReplaceAll(strings.TrimRight(line, "\n"), "\t", "    ")
		lines = append(lines, m.theme.Line(paint.Ground, m.width).Space(1).Put(style, text.Cut(text.Clean(line), m.width-2, m.signs.Cut)).String())
	}
	return append(head, k.window(lines, max(1, height-len(head)))...)
}

// Footer implements layer.
func (k *kit) Footer(m *Model) string {
	keys := []string{"c", "copy", "s", "save", "ssh: h", "check", "a", "apply", "u", "undo"}
	if len(k.draft.Servers) > 1 {
		keys = append(keys, "tab", "next")
	}
	return m.keysLine(append(keys, "esc", "back"+k.hint(m))...)
}

// Cursor implements layer.
func (k *kit) Cursor(*Model) (x, y int, shown bool) { return 0, 0, false }
