package ui

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ops/plan"
	"lvsdeck/ops/task"
	"lvsdeck/ui/figure"
	"lvsdeck/ui/paint"
	"lvsdeck/ui/text"
)

// hearTasks takes over what tasks did: into the log, and for the operator.
func (m *Model) hearTasks() tea.Cmd {
	news := m.tasks.News()
	for _, r := range news.Ran {
		touched := map[int]plan.StepResult{}
		for i, s := range r.Steps {
			if s.State != plan.ToDo {
				touched[i] = s
			}
		}
		m.hands.keepLog(r.Plan.Items, touched)
	}
	if n := len(news.Ended); n > 0 {
		m.message = news.Ended[n-1]
	}
	if len(news.Ran) == 0 {
		return nil
	}
	return m.refreshLayers()
}

// tasksText is the running tasks in short, for the lower rule.
func (m *Model) tasksText() string {
	switch running := m.tasks.Running(); len(running) {
	case 0:
		return ""
	case 1:
		return running[0].Short
	default:
		return fmt.Sprintf("%d tasks running", len(running))
	}
}

// tasks lists the tasks, with all about the one under the cursor below.
type tasks struct {
	pick
	id int // of the task under the cursor: they change places when they end
}

func openTasks(m *Model) { m.push(&tasks{}) }

// all is the tasks as they are now, with the cursor on the one it was on.
func (l *tasks) all(m *Model) []task.Task {
	all := m.tasks.Tasks()
	for i, t := range all {
		if t.ID == l.id {
			l.at = i
		}
	}
	l.n = len(all)
	l.at = max(0, min(l.at, l.n-1))
	if l.n > 0 {
		l.id = all[l.at].ID
	}
	return all
}

// Key implements layer.
func (l *tasks) Key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	all := l.all(m)
	switch key := k.String(); {
	case key == "esc", key == "q", key == "t":
		m.drop(l)
	case len(all) == 0:
	case l.move(key):
		l.id = all[l.at].ID
	case key == "x" || key == "delete":
		m.tasks.Cancel(l.id)
		return m.hearTasks()
	case key == "f":
		if m.message = cannotChange(m); m.message == "" {
			return m.endHold(all[l.at].Key)
		}
	}
	return nil
}

// Paste implements layer.
func (l *tasks) Paste(*Model, string) {}

// taskState is the cells of a task's state, taskAbout the lines about one.
const (
	taskState = 10
	taskAbout = 6
)

// Body implements layer.
func (l *tasks) Body(m *Model, height int) []string {
	all := l.all(m)
	if len(all) == 0 {
		return wrapped(m, paint.Rest, "No task was begun. On a drained server, W waits until it is empty and removes it, and b brings it back in steps.", 1)
	}
	head := m.theme.Line(paint.Ground, m.width).Space(1).Left(paint.Rest, "STATE", taskState, "").Put(paint.Rest, "TASK").String()
	lines := []string{head}
	from, to := l.window(len(all), height-1-taskAbout)
	for i := from; i < to; i++ {
		lines = append(lines, taskLine(m, all[i], i == l.at))
	}
	rule := m.theme.Line(paint.Ground, m.width).Space(1).Fill(paint.Rest, m.signs.Rule, m.width-2).String()
	for len(lines) < height-taskAbout {
		lines = append(lines, "")
	}
	about := append([]string{rule}, m.aboutTask(all[l.at])...)
	return append(lines, about[:min(len(about), taskAbout)]...)
}

var taskStyles = [...]paint.Style{task.Running: paint.Accent, task.Done: paint.Rest, task.Stopped: paint.Warn, task.Cancelled: paint.Rest}

func taskLine(m *Model, t task.Task, current bool) string {
	base := paint.Ground
	if current {
		base = paint.Cursor
	}
	line := m.theme.Line(base, m.width).Space(1).Left(taskStyles[t.State], t.State.String(), taskState, "")
	return line.Put(paint.Plain, text.Cut(text.Clean(t.Title), line.Room()-1, m.signs.Cut)).String()
}

// aboutTask is how a task stands, what is left of its server, and why.
func (m *Model) aboutTask(t task.Task) []string {
	if t.State != task.Running {
		lines := wrapped(m, paint.Plain, t.Word, 1)
		return append(lines, wrapped(m, paint.Rest, "took "+figure.Span(t.Ended.Sub(t.Began)), 1)...)
	}
	lines := wrapped(m, paint.Strong, t.Progress, 1)
	if t.Word != "" {
		lines = append(lines, wrapped(m, paint.Warn, m.signs.Problem+" "+t.Word, 1)...)
	}
	v, ok := m.tasks.Verdict(t.Key)
	if !ok {
		return lines
	}
	lines = append(lines, wrapped(m, paint.Plain, strings.TrimSpace(v.Left+"   "+v.Estimate+"   "+v.Trend), 1)...)
	for i, why := range v.Why {
		style := paint.Rest
		if i == 0 && v.Held {
			why, style = why+"; f ends that", paint.Warn
		}
		lines = append(lines, wrapped(m, style, why, 1)...)
	}
	return lines
}

// Footer implements layer.
func (l *tasks) Footer(m *Model) string {
	if l.n == 0 {
		return m.keysLine("esc", "back")
	}
	return m.keysLine("x", "cancel it", "esc", "back")
}

// Cursor implements layer.
func (l *tasks) Cursor(*Model) (x, y int, shown bool) { return 0, 0, false }

// leave asks before the console ends while a plan or tasks are running.
type leave struct{}

// quit leaves, or asks first. A plan that is running is never left in the middle.
func (m *Model) quit() tea.Cmd {
	_, asked := m.top().(*leave)
	if m.hands.busy == "" && (asked || m.tooSmall() || len(m.tasks.Running()) == 0 && m.pending.Pending == nil) {
		return tea.Quit
	}
	if asked {
		return nil
	}
	m.push(&leave{})
	return nil
}

// Key implements layer.
func (l *leave) Key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	switch k.String() {
	case "enter", "y":
		if m.hands.busy == "" {
			return tea.Quit
		}
		m.hands.stop()
	case "esc", "n", "q":
		m.drop(l)
	}
	return nil
}

// Paste implements layer.
func (l *leave) Paste(*Model, string) {}

// Body implements layer.
func (l *leave) Body(m *Model, height int) []string {
	if m.hands.busy != "" {
		lines := []string{m.theme.Line(paint.Ground, m.width).Space(1).Put(paint.Strong, "A change is being made: stop it?").String(), ""}
		lines = append(lines, wrapped(m, paint.Plain, fmt.Sprintf("%s (%d of %d)", m.hands.busy, m.hands.at.Load(), m.hands.steps), 1)...)
		lines = append(lines, wrapped(m, paint.Rest, "Stopping takes back what it did so far. Or wait until it is done.", 1)...)
		return lines[:min(len(lines), height)]
	}
	running := m.tasks.Running()
	title := "A task is running: leave it?"
	if len(running) != 1 {
		title = fmt.Sprintf("%d tasks are running: leave them?", len(running))
	}
	if len(running) == 0 && m.pending.Pending != nil {
		lines := []string{heading(m, "A change waits to be confirmed: leave the console?"), ""}
		lines = append(lines, wrapped(m, paint.Plain, m.pending.Pending.Title+" is taken back in time unless you give, in any login:", 1)...)
		lines = append(lines, wrapped(m, paint.Strong, "lvsdeck confirm", 3)...)
		return lines[:min(len(lines), height)]
	}
	if len(running) == 0 {
		title = "Leave the console?"
	}
	lines := []string{m.theme.Line(paint.Ground, m.width).Space(1).Put(paint.Strong, title).String(), ""}
	lines = append(lines, wrapped(m, paint.Rest, "Tasks end with the console. What they did stays; what they had still to do is not done.", 1)...)
	for _, t := range running {
		lines = append(lines, taskLine(m, t, false))
	}
	return lines[:min(len(lines), height)]
}

// Footer implements layer.
func (l *leave) Footer(m *Model) string {
	if m.hands.busy != "" {
		return m.keysLine(m.signs.Enter, "stop it, take it back", "esc", "wait")
	}
	if len(m.tasks.Running()) == 0 {
		return m.keysLine(m.signs.Enter, "leave", "esc", "stay")
	}
	return m.keysLine(m.signs.Enter, "leave, they end", "esc", "stay")
}

// Cursor implements layer.
func (l *leave) Cursor(*Model) (x, y int, shown bool) { return 0, 0, false }
