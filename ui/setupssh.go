package ui

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ops/realserver"
	"lvsdeck/ops/setup"
	"lvsdeck/ui/paint"
)

// Servers runs the script of real servers on them, as realserver.Remote.
type Servers interface {
	Do(ctx context.Context, w realserver.Want, command string, servers []string) []realserver.Result
}

// login asks as whom, and then runs a command of the script on all servers.
func (k *kit) login(m *Model, command string) {
	if m.opts.Servers == nil {
		m.message = "this is a demo: its servers are made up"
		return
	}
	m.push(&linePrompt{prompt: newPrompt(command+" on all servers by ssh, as", "a login", "root"), done: func(m *Model, user string) (tea.Cmd, error) {
		for _, s := range k.draft.Servers {
			if err := realserver.CheckDestination(user + "@" + s.Addr.Addr().String()); err != nil {
				return nil, errors.New("the login must be letters, digits and _ . -")
			}
		}
		r := &remote{draft: k.draft, command: command, user: user}
		m.push(r)
		return r.run(m), nil
	}})
}

// remote is what servers said to a command of their script.
type remote struct {
	scroll
	draft         setup.Draft
	command, user string
	results       []realserver.Result // nil: not yet
}

// run asks all servers at once; each has a script of its own.
func (r *remote) run(m *Model) tea.Cmd {
	servers := m.opts.Servers
	return beside(func(ctx context.Context) ([]realserver.Result, error) {
		results := make([]realserver.Result, len(r.draft.Servers))
		var all sync.WaitGroup
		for i, s := range r.draft.Servers {
			all.Go(func() {
				results[i] = servers.Do(ctx, realserver.Of(r.draft, s), r.command, []string{r.user + "@" + s.Addr.Addr().String()})[0]
			})
		}
		all.Wait()
		return results, nil
	}, func(_ *Model, results []realserver.Result, _ error) tea.Cmd {
		r.results = results
		return nil
	})
}

// Key implements layer.
func (r *remote) Key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	switch key := k.String(); {
	case key == "esc" || key == "q":
		m.drop(r)
	default:
		r.move(key)
	}
	return nil
}

// Paste implements layer.
func (r *remote) Paste(*Model, string) {}

// Body implements layer.
func (r *remote) Body(m *Model, height int) []string {
	lines := []string{heading(m, fmt.Sprintf("%s on %s by ssh, as %s", r.command, countServers(len(r.draft.Servers)), r.user)), ""}
	if r.results == nil {
		lines = append(lines, wrapped(m, paint.Rest, "waiting for the servers; a login that would ask for a password fails", 1)...)
	}
	for _, s := range r.results {
		style, word := paint.Good, "done"
		switch {
		case s.Err != nil || s.Code > 1:
			style, word = paint.Bad, "could not"
		case s.Code == 1:
			style, word = paint.Warn, "missing"
		}
		line := m.theme.Line(paint.Ground, m.width).Space(1).Left(style, word, 10, "").Put(paint.Strong, s.Where)
		lines = append(lines, line.String())
		if s.Err != nil {
			lines = append(lines, wrapped(m, paint.Plain, s.Err.Error(), 11)...)
		}
		for out := range strings.Lines(s.Output) {
			lines = append(lines, wrapped(m, paint.Rest, out, 11)...)
		}
	}
	return r.window(lines, height)
}

func countServers(n int) string {
	if n == 1 {
		return "1 server"
	}
	return fmt.Sprintf("%d servers", n)
}

// Footer implements layer.
func (r *remote) Footer(m *Model) string { return m.keysLine("esc", "back"+r.hint(m)) }

// Cursor implements layer.
func (r *remote) Cursor(*Model) (x, y int, shown bool) { return 0, 0, false }
