package ui

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ops/setup"
	"lvsdeck/ui/paint"
)

// topology is a mode as it is shown to be chosen.
type topology struct {
	mode    setup.Mode
	picture string
	when    string
	costs   string
}

// topologies are in the order of setup.Modes.
var topologies = []topology{
	{setup.NAT, `
 clients ═══▶ ┌──────────┐ ═══▶ server 10.0.3.11:8080
              │ director │ ═══▶ server 10.0.3.12:8080
         ◀═══ │ VIP  DIP │ ◀═══ whose gateway is the DIP`,
		"The servers stand behind the director or can send their answers by it. Ports may differ.",
		"All traffic passes the director, both ways. Servers see their clients' addresses."},
	{setup.DR, `
 clients ═══▶ director VIP ═══▶ server with the VIP on lo
    ▲                              ║
    ╚════════════ answers ═════════╝ one segment`,
		"The servers stand on the director's own segment and can be changed. The fastest there is: answers, such as downloads, never touch the director.",
		"Servers need the VIP and must be silent about it. Ports must be equal."},
	{setup.TUN, `
 clients ═══▶ director VIP ═══▶ ~ tunnel ~ ═══▶ server with the VIP
    ▲                                              ║
    ╚══════════════════ answers ═══════════════════╝ anywhere`,
		"The servers stand behind routers or at other sites, and can be changed. Answers never touch the director.",
		"Servers need a tunnel device with the VIP, and their provider must let the VIP out. Packets grow: watch the MTU."},
	{setup.FullNAT, `
 clients ═══▶ ┌──────────┐ ═══▶ server, as it is
              │ director │ ═══▶ server, as it is
         ◀═══ │ VIP  DIP │ ◀═══ they answer the DIP`,
		"The servers cannot be changed: Windows, appliances, another team's. Or their clients stand in their own network.",
		"Servers see the director as client of everything. All traffic passes it; some 64,000 connections to each server."},
}

// inASCII draws the pictures on other terminals.
var inASCII = strings.NewReplacer("═", "=", "▶", ">", "◀", "<", "║", "|", "╚", "+", "╝", "+", "▲", "^",
	"┌", "+", "┐", "+", "└", "+", "┘", "+", "│", "|", "─", "-")

// modes is the choice of how packets go.
type modes struct {
	at  int
	why string // what the questions came to
}

func openSetup(m *Model) tea.Cmd {
	m.push(&modes{at: 1})
	return nil
}

// Key implements layer.
func (s *modes) Key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	switch key := k.String(); key {
	case "esc", "q":
		m.drop(s)
	case "up", "k", "left":
		s.at = (s.at + len(topologies) - 1) % len(topologies)
	case "down", "j", "right", "tab":
		s.at = (s.at + 1) % len(topologies)
	case "1", "2", "3", "4":
		s.at = int(key[0] - '1')
	case "?":
		openModeQuestions(m, s)
	case "enter":
		return openSetupForm(m, topologies[s.at].mode)
	}
	return nil
}

// Paste implements layer.
func (s *modes) Paste(*Model, string) {}

// Body implements layer. All pictures are shown where they fit, else the chosen
// one.
func (s *modes) Body(m *Model, height int) []string {
	head := []string{m.theme.Line(paint.Ground, m.width).Space(1).Put(paint.Strong, "Set up a service: how shall packets go?").String(), ""}
	for i, t := range topologies {
		head = append(head, s.choice(m, i, t))
	}
	if s.why != "" {
		head = append(append(head, ""), wrapped(m, paint.Plain, s.why, 1)...)
	}
	var all []string
	for i := range topologies {
		all = append(append(all, ""), s.drawn(m, i)...)
	}
	if len(head)+len(all) > height {
		all = append([]string{""}, s.drawn(m, s.at)...)
	}
	lines := append(head, all...)
	return lines[:min(len(lines), height)]
}

func (s *modes) choice(m *Model, i int, t topology) string {
	style, sign := paint.Plain, " "
	if i == s.at {
		style, sign = paint.Accent, m.signs.Closed
	}
	line := m.theme.Line(paint.Ground, m.width).Space(1).Put(style, sign).Space(1).Put(style, string(rune('1'+i))).Space(1)
	return line.Left(style, t.mode.String(), 10, "").Put(paint.Rest, map[setup.Mode]string{
		setup.NAT: "through the director both ways", setup.DR: "servers answer clients, on one segment",
		setup.TUN: "servers answer clients, from anywhere", setup.FullNAT: "servers stay as they are",
	}[t.mode]).String()
}

func (s *modes) drawn(m *Model, i int) (lines []string) {
	t, style := topologies[i], paint.Rest
	if i == s.at {
		style = paint.Plain
	}
	picture := strings.Trim(t.picture, "\n")
	if m.signs == paint.ASCII {
		picture = inASCII.Replace(picture)
	}
	for line := range strings.SplitSeq(picture, "\n") {
		lines = append(lines, m.theme.Line(paint.Ground, m.width).Put(style, line).String())
	}
	lines = append(lines, "")
	lines = append(lines, wrapped(m, style, "Choose "+t.mode.String()+" when: "+t.when, 1)...)
	return append(lines, wrapped(m, style, "What it takes: "+t.costs, 1)...)
}

// Footer implements layer.
func (s *modes) Footer(m *Model) string {
	return m.keysLine(m.signs.Enter, "go on with "+topologies[s.at].mode.String(), m.signs.Arrows, "choose", "?", "help me choose", "esc", "back")
}

// Cursor implements layer.
func (s *modes) Cursor(*Model) (x, y int, shown bool) { return 0, 0, false }

// Questions that lead to a mode.
const (
	askChange  = "change"
	askSegment = "segment"
	askPorts   = "ports"
)

func openModeQuestions(m *Model, s *modes) {
	yes, no := option{"yes", ""}, option{"no", ""}
	m.openForm(&form{title: "A few questions, to choose how packets go", fields: []*field{
		chosenField(askChange, "changeable", "yes", option{"yes", "an address and some settings on each server"}, option{"no", "Windows, appliances, not ours"}),
		chosenField(askSegment, "near", "yes", option{"yes", "servers on a segment of the director, no router between"}, option{"no", "behind routers, at other sites"}),
		chosenField(askPorts, "same port", "yes", yes, no).hinted("servers listen on the port that clients use"),
	}, finish: func(m *Model, f *form) tea.Cmd {
		mode, why := recommend(f.get(askChange) == "yes", f.get(askSegment) == "yes", f.get(askPorts) == "yes")
		for i := range topologies {
			if topologies[i].mode == mode {
				s.at, s.why = i, mode.String()+": "+why
			}
		}
		m.pop()
		return nil
	}})
}

// recommend chooses a mode.
func recommend(changeable, near, samePort bool) (setup.Mode, string) {
	switch {
	case !changeable:
		return setup.FullNAT, "the servers stay as they are; they will see the director as their client."
	case samePort && near:
		return setup.DR, "servers near by with the same port answer clients themselves, which costs the director least."
	case samePort:
		return setup.TUN, "a tunnel reaches servers behind routers, and they answer clients themselves."
	case near:
		return setup.NAT, "only NAT changes ports, and servers near by can send their answers by the director."
	}
	return setup.FullNAT, "only NAT changes ports, and from behind routers answers find back to the director only when it is the client."
}
