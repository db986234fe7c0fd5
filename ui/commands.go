package ui

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ui/paint"
	"lvsdeck/ui/services"
)

// command is one thing a key can do. Dispatch, the line of keys, help, palette
// and the written list of keys all come from these records.
type command struct {
	group string
	keys  []string // as Bubble Tea spells them; none: palette only
	name  string   // "open or close the service"
	short string   // in the line of keys; "" keeps it out of there
	run   func(*Model) tea.Cmd
	why   func(*Model) string // why it cannot be done now, or ""
}

// do wraps what needs no answer.
func do(f func(*Model)) func(*Model) tea.Cmd {
	return func(m *Model) tea.Cmd {
		f(m)
		return nil
	}
}

// noRows is why a command on a row cannot be done on an empty screen.
func noRows(m *Model) string {
	if _, ok := m.list.Current(); !ok {
		return "there is no row to do this on"
	}
	return ""
}

// commandTable is every command. Within a group they stand in the order an
// operator meets them; the line of keys takes as many of the short ones as fit,
// in this order.
func commandTable() []command {
	return slices.Concat(treeCommands(), serviceCommands(), graphCommands(), connsCommands(), checksCommands(), whyCommands(), pulseCommands(), alarmCommands(), changeCommands(), drainCommands(), blockCommands(), setupCommands(), journalCommands(), keepCommands(), directorCommands(), findCommands(), viewCommands(), exportCommands(), replayCommands(), moveCommands(), consoleCommands())
}

func treeCommands() []command {
	const g = "Services and servers"
	return []command{
		{g, []string{"enter"}, "open or close the service", "open", do(func(m *Model) { m.list.Toggle() }), noRows},
		{g, []string{"right", "l"}, "open it, then go to its first server", "", do(func(m *Model) { m.list.Open() }), noRows},
		{g, []string{"left", "h"}, "close it; from a server: go to its service", "", do(func(m *Model) { m.list.Close() }), noRows},
		{g, []string{"o"}, "open all, or close all", "", do(func(m *Model) { m.list.ToggleAll() }), noRows},
		{g, []string{"space"}, "mark or unmark the row", "", do(func(m *Model) { m.list.Mark() }), noRows},
		{g, []string{"ctrl+\\", "U"}, "take all marks away", "", do(func(m *Model) { m.list.Unmark() }), nil},
	}
}

func findCommands() []command {
	const g = "Find"
	return []command{
		{g, []string{"/"}, "filter rows", "filter", do(openFilter), nil},
		{g, []string{"!"}, "show only problems, or all", "problems", do(func(m *Model) { m.list.SetProblems(!m.list.Problems()) }), nil},
		{g, []string{"n"}, "go to the next problem", "", do(func(m *Model) { m.nextProblem(1) }), noRows},
		{g, []string{"N"}, "go to the problem before", "", do(func(m *Model) { m.nextProblem(-1) }), noRows},
		{g, []string{"esc"}, "clear the filter, then problems only", "", do(clearSearch), nil},
	}
}

func viewCommands() []command {
	const g = "View"
	list := []command{
		{g, []string{"t"}, "tasks: what goes on over time, and cancel", "", do(openTasks), nil},
		{g, []string{"tab"}, "show everything about the row, or not", "detail", do(func(m *Model) { m.detail = !m.detail }), noRows},
		{g, []string{">"}, "sort by the next column", "sort", do(func(m *Model) { m.services().StepSort(m.list, 1, m.width) }), nil},
		{g, []string{"<"}, "sort by the column before", "", do(func(m *Model) { m.services().StepSort(m.list, -1, m.width) }), nil},
		{g, []string{"r"}, "sort the other way round", "", do(reverseSort), nil},
		{g, []string{"p"}, "pause the picture, or go on; sampling never stops", "pause", do((*Model).togglePause), nil},
		{g, []string{"i"}, "read more often: a shorter interval", "", do(func(m *Model) { m.stepInterval(false) }), nil},
		{g, []string{"I"}, "read less often: a longer interval", "", do(func(m *Model) { m.stepInterval(true) }), nil},
	}
	for i, set := range services.Sets {
		list = append(list, command{g, []string{string(rune('1' + i))}, "columns: " + set.Title, "", do(func(m *Model) { m.set = i }), nil})
	}
	return list
}

func moveCommands() []command {
	const g = "Move"
	return []command{
		{g, []string{"up", "k"}, "one row up", "", do(func(m *Model) { m.list.Move(-1) }), nil},
		{g, []string{"down", "j"}, "one row down", "", do(func(m *Model) { m.list.Move(1) }), nil},
		{g, []string{"pgup", "ctrl+b"}, "one screen up", "", do(func(m *Model) { m.list.Page(-1) }), nil},
		{g, []string{"pgdown", "ctrl+f"}, "one screen down", "", do(func(m *Model) { m.list.Page(1) }), nil},
		{g, []string{"home", "g"}, "first row", "", do(func(m *Model) { m.list.Home() }), nil},
		{g, []string{"end", "G"}, "last row", "", do(func(m *Model) { m.list.End() }), nil},
	}
}

const consoleGroup = "Console"

func consoleCommands() []command {
	const g = consoleGroup
	return []command{
		{g, helpKeys, "all keys", "help", do(openHelp), nil},
		{g, []string{":", "ctrl+p"}, "find a command by name", "", do(openPalette), nil},
		{g, []string{"ctrl+l"}, "draw the screen anew", "", func(*Model) tea.Cmd { return tea.ClearScreen }, nil},
		{g, []string{"ctrl+z"}, "suspend; fg comes back", "", func(*Model) tea.Cmd { return tea.Suspend }, noShell},
		{g, []string{"q", "ctrl+c"}, "leave", "quit", (*Model).quit, nil},
		{g, nil, "use the mouse, or leave it to the terminal", "", do(func(m *Model) { m.mouse = !m.mouse }), nil},
	}
}

func (m *Model) nextProblem(step int) {
	if !m.list.NextProblem(step) {
		m.message = "no problem among the rows shown"
	}
}

// clearSearch undoes one thing at a time, the narrowest first.
func clearSearch(m *Model) {
	if !m.list.Filter().Empty() {
		m.list.SetFilter(services.Filter{})
		return
	}
	m.list.SetProblems(false)
}

func reverseSort(m *Model) {
	s := m.list.Sort()
	s.Desc = !s.Desc
	m.list.SetSort(s)
}

// keyName is a key as operators write it.
func keyName(key string, g *paint.Signs) string {
	switch key {
	case "enter":
		return g.Enter
	case "ctrl+\\":
		return "ctrl-\\"
	case "pgup":
		return "PgUp"
	case "pgdown":
		return "PgDn"
	}
	return strings.Replace(key, "ctrl+", "ctrl-", 1)
}

// keysOrName is where the keys are written; a command without one is found by its
// name.
func (c *command) keysOrName(g *paint.Signs) string {
	if len(c.keys) == 0 {
		return ":"
	}
	return c.keyNames(g)
}

// keyNames joins all keys of a command.
func (c *command) keyNames(g *paint.Signs) string {
	names := make([]string, len(c.keys))
	for i, k := range c.keys {
		names[i] = keyName(k, g)
	}
	return strings.Join(names, "  ")
}
