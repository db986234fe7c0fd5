package ui

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ipvs"
	"lvsdeck/ops/keep"
	"lvsdeck/ops/plan"
	"lvsdeck/ui/paint"
	"lvsdeck/ui/text"
)

const keepGroup = "Keep"

// keepCommands are about the rules that outlive the host's next start.
func keepCommands() []command {
	const g = keepGroup
	return []command{
		{g, []string{"R"}, "rules: running and saved; save, load, snapshots", "", openRules, noRules},
		{g, nil, "save the running rules", "", openSave, cannotKeep},
		{g, nil, "restore the saved rules", "", loadSaved, cannotKeep},
		{g, nil, "go back to a snapshot", "", openSnapshots, cannotKeep},
	}
}

func noRules(m *Model) string {
	if m.canCompare() {
		return ""
	}
	if why := cannotChange(m); why != "" {
		return why
	}
	return "no file of rules is known here"
}

func cannotKeep(m *Model) string {
	if why := cannotChange(m); why != "" {
		return why
	}
	return noRules(m)
}

// rules is the screen of running beside saved. It shows the newest comparison,
// which is made anew after every plan.
type rules struct {
	scroll
	drawn []string // the difference, made once: there can be thousands
	of    *keep.Comparison
	width int
	theme *paint.Theme
}

func openRules(m *Model) tea.Cmd {
	m.push(&rules{})
	return m.compare()
}

// Key implements layer.
func (r *rules) Key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	keys := map[string]func(*Model) tea.Cmd{"s": openSave, "l": loadSaved, "t": openSnapshots}
	switch key := k.String(); {
	case key == "esc", key == "q", key == "R":
		m.drop(r)
	case r.move(key):
	case keys[key] != nil:
		return m.run(&command{run: keys[key], why: cannotKeep})
	}
	return nil
}

// Paste implements layer.
func (r *rules) Paste(*Model, string) {}

// Body implements layer.
func (r *rules) Body(m *Model, height int) []string {
	lines := []string{m.theme.Line(paint.Ground, m.width).Space(1).Put(paint.Strong, "Rules: running beside saved").String()}
	c := m.kept.seen
	if c == nil {
		if m.kept.err == nil {
			return append(lines, "", m.theme.Line(paint.Ground, m.width).Space(1).Put(paint.Rest, "reading").String())
		}
		return append(append(lines, ""), wrapped(m, paint.Bad, m.signs.Problem+" "+m.kept.err.Error(), 1)...)
	}
	lines = append(lines, r.fact(m, "saved", savedText(m, c)), r.fact(m, "running", keep.Size(c.Running)), "")
	if m.kept.err != nil {
		lines = append(lines, wrapped(m, paint.Bad, m.signs.Problem+" not compared anew: "+m.kept.err.Error(), 1)...)
	}
	return append(lines, r.window(r.difference(m, c), max(1, height-len(lines)))...)
}

func (r *rules) fact(m *Model, label, value string) string {
	line := m.theme.Line(paint.Ground, m.width).Space(1).Left(paint.Rest, label, 9, "")
	return line.Put(paint.Plain, text.Cut(text.Clean(value), line.Room()-1, m.signs.Cut)).String()
}

// savedText is the file, its time in the zone of the clock, and its size.
func savedText(m *Model, c *keep.Comparison) string {
	if c.NoFile() {
		return m.opts.RulesFile + "   no such file"
	}
	out := m.opts.RulesFile
	if !c.Saved.Time.IsZero() {
		out += "   " + clockTime(m, c.Saved.Time)
	}
	if c.Err == nil {
		out += "   " + keep.Size(c.Saved.Rules)
	}
	return out
}

// clockTime is a time as the clock in the status line would show it.
func clockTime(m *Model, t time.Time) string {
	if m.live != nil {
		t = t.In(m.live.Time.Location())
	}
	return t.Format(time.DateTime)
}

// difference is what loading the file would do, a line a step.
func (r *rules) difference(m *Model, c *keep.Comparison) []string {
	if r.of == c && r.width == m.width && r.theme == m.theme {
		return r.drawn
	}
	r.of, r.width, r.theme = c, m.width, m.theme
	switch {
	case c.NoFile():
		r.drawn = wrapped(m, paint.Plain, "Nothing was saved yet: the rules are lost with the next start. s writes them to "+m.opts.RulesFile+".", 1)
	case c.Err != nil:
		r.drawn = append(wrapped(m, paint.Bad, m.signs.Problem+" The file cannot be restored. s replaces it with what runs.", 1), "")
		for line := range strings.Lines(c.Err.Error()) {
			r.drawn = append(r.drawn, wrapped(m, paint.Plain, line, 1)...)
		}
	case c.Equal():
		r.drawn = wrapped(m, paint.Good, "Running and saved are the same.", 1)
	default:
		n := c.Plan.Counts()
		r.drawn = append(wrapped(m, paint.Plain, fmt.Sprintf("Loading the file would add %d, change %d and remove %d:", n.Add, n.Change, n.Remove), 1), "")
		for _, change := range keep.Changes(c.Plan) {
			r.drawn = append(r.drawn, changeLines(m, change)...)
		}
	}
	return r.drawn
}

var changeStyles = map[string]paint.Style{"+": paint.Good, "~": paint.Warn, "-": paint.Bad}

// changeLines is a change with its sign, over as many lines as it needs.
func changeLines(m *Model, c keep.Change) (lines []string) {
	sign := c.Sign
	for _, part := range wrap(c.Text, m.width-4) {
		line := m.theme.Line(paint.Ground, m.width).Space(1).Left(changeStyles[c.Sign], sign, 2, "")
		lines = append(lines, line.Put(changeStyles[c.Sign], part).String())
		sign = ""
	}
	return lines
}

// Footer implements layer.
func (r *rules) Footer(m *Model) string {
	return m.keysLine("s", "save", "l", "load", "t", "snapshots", "esc", "back"+r.hint(m))
}

// Cursor implements layer.
func (r *rules) Cursor(*Model) (x, y int, shown bool) { return 0, 0, false }

// openSave asks for the file, with the host's own in the line.
func openSave(m *Model) tea.Cmd {
	m.push(&linePrompt{prompt: newPrompt("save to", "a file", m.opts.RulesFile), done: saveTo})
	return nil
}

func saveTo(m *Model, path string) (tea.Cmd, error) {
	if !filepath.IsAbs(path) {
		return nil, errors.New("the path must begin with /")
	}
	table := m.hands.runner.Target.Table
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
		defer cancel()
		c, err := keep.Compare(ctx, table, path)
		return besideMsg(func(m *Model) tea.Cmd {
			if err != nil {
				m.tell("The rules were not saved", err)
				return nil
			}
			if lost := c.Plan.Counts().Add; lost > 0 {
				m.push(saveOver(path, c, lost))
				return nil
			}
			return m.save(path)
		})
	}, nil
}

// saveOver asks before rows leave the file that are nowhere else any more, as
// after a table was cleared.
func saveOver(path string, c *keep.Comparison, lost int) *question {
	return &question{
		note: note{
			title: fmt.Sprintf("%s has %s", path, keptRows(lost)),
			text:  "The file has " + keep.Size(c.Saved.Rules) + "; running are " + keep.Size(c.Running) + ".\nSaving takes out of the file what does not run.",
		},
		yes: "save all the same", no: "leave the file as it is",
		do: func(m *Model) tea.Cmd { return m.save(path) },
	}
}

func keptRows(n int) string {
	if n == 1 {
		return "a row that does not run"
	}
	return fmt.Sprintf("%d rows that do not run", n)
}

// save writes the running rules to a file.
func (m *Model) save(path string) tea.Cmd {
	table := m.hands.runner.Target.Table
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
		defer cancel()
		saved, err := keep.Save(ctx, table, path)
		return besideMsg(func(m *Model) tea.Cmd {
			if err != nil {
				m.tell("The rules were not saved", err)
				return nil
			}
			m.message = m.withPath("saved "+keep.Size(saved.Rules)+" to ", path, "")
			if why := saved.Warning(); why != "" {
				m.tell("Saved, and some of it is odd", errors.New(why))
			}
			return m.compare()
		})
	}
}

// loadSaved previews the way to the saved rules, and asks.
func loadSaved(m *Model) tea.Cmd {
	path := m.opts.RulesFile
	return m.makePlan(func(ctx context.Context, t ipvs.Table) (plan.Plan, error) {
		saved, err := keep.Open(path)
		if err != nil {
			return plan.Plan{}, err
		}
		return saved.Restoring(ctx, t, false)
	}, askFirst)
}
