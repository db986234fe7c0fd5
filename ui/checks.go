package ui

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
	"lvsdeck/ops/check"
	"lvsdeck/ui/figure"
)

// Checks looks beside the console for what is wrong; *check.Watch is one.
type Checks interface {
	// Latest is what the newest round came to, or nil before the first.
	Latest() *check.Report
	// LookNow makes a round, in which everything is read anew.
	LookNow(context.Context) (*check.Report, error)
	// Probe asks the servers of services by packets, and adds what it finds to the
	// latest report. Progress hears how many of all were asked.
	Probe(ctx context.Context, only func(ipvs.ServiceID) bool, progress func(asked, of int)) (check.Asked, error)
}

func checksCommands() []command {
	return []command{
		{"Services and servers", []string{"F"}, "checks: what is wrong, how it is known, and what ends it", "checks", openChecks, noChecks},
	}
}

func noChecks(m *Model) string {
	if m.opts.Checks == nil {
		return m.notRecordedOr("checks", "nothing is checked here")
	}
	return ""
}

// checks is the screen of what is wrong.
type checks struct {
	pick
	filter  string        // what findings must contain, in small letters
	on      check.Finding // under the cursor
	probing *probing
	looking bool // a round that was asked for is under way
	undone  bool // so the cursor waits at the worst for what comes back
}

// probing is a probe that goes on beside the loop.
type probing struct {
	of      string
	began   time.Time
	asked   atomic.Int64
	servers atomic.Int64 // of which those were asked, 0: not known yet
	stop    context.CancelFunc
	done    chan struct{}
}

func (p *probing) progress(asked, of int) {
	p.asked.Store(int64(asked))
	p.servers.Store(int64(of))
}

// openChecks opens the screen at the worst finding about the row under the cursor.
func openChecks(m *Model) tea.Cmd {
	m.takeReport()
	c := &checks{}
	if row, ok := m.list.Current(); ok {
		k := row.Key()
		c.at = max(0, slices.IndexFunc(m.findings(), func(f check.Finding) bool { return f.About(k.Service, k.Server) }))
	}
	c.hold(m)
	m.push(c)
	return nil
}

// shown are the findings that the filter picks.
func (c *checks) shown(m *Model) (some []check.Finding) {
	if c.filter == "" {
		return m.findings()
	}
	for _, f := range m.findings() {
		about := fmt.Sprintln(f.Severity, f.Check, f.Service, f.Server, f.Short)
		if strings.Contains(strings.ToLower(about), c.filter) {
			some = append(some, f)
		}
	}
	return some
}

// openCheckFilter asks what findings must contain.
func openCheckFilter(m *Model, c *checks) {
	m.push(&linePrompt{prompt: newPrompt("filter", "an address, a word of the finding, fault", c.filter), done: func(_ *Model, typed string) (tea.Cmd, error) {
		c.filter = strings.ToLower(typed)
		return nil, nil
	}})
}

// same tells that two rounds found one thing.
func same(a, b check.Finding) bool {
	return a.Check == b.Check && a.Service == b.Service && a.Server == b.Server
}

// hold remembers what the cursor is on.
func (c *checks) hold(m *Model) {
	c.on = check.Finding{}
	if all := c.shown(m); c.at < len(all) {
		c.on = all[c.at]
	}
}

// follow keeps the cursor on its finding; when that has gone, in its place.
func (c *checks) follow(m *Model) {
	all := c.shown(m)
	if c.undone {
		c.at, c.on = 0, check.Finding{}
	} else if c.at >= len(all) || !same(all[c.at], c.on) {
		if i := slices.IndexFunc(all, func(f check.Finding) bool { return same(f, c.on) }); i >= 0 {
			c.at = i
		}
	}
	c.at = max(0, min(c.at, len(all)-1))
	c.hold(m)
}

// refresh looks whether a plan has ended what was found.
func (c *checks) refresh(m *Model) tea.Cmd { return c.look(m) }

// Key implements layer.
func (c *checks) Key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	c.follow(m)
	c.n = len(c.shown(m))
	found := c.on.Check != ""
	switch key := k.String(); {
	case key == "esc" && c.probing != nil:
		c.probing.stop()
	case key == "esc" && c.filter != "":
		c.filter = ""
	case key == "esc", key == "q", key == "F":
		if c.probing != nil {
			c.probing.stop()
		}
		m.drop(c)
	case key == "/":
		openCheckFilter(m, c)
	case key == "r":
		return c.look(m)
	case key == "u":
		c.undone = cannotChange(m) == ""
		return m.run(&command{run: undo, why: cannotChange})
	case key == "p", key == "P":
		return c.ask(m, key == "P")
	case !found:
	case c.move(key):
		c.undone = false
		c.hold(m)
	case key == "enter", key == "f":
		return openFix(m, c.on)
	case key == "tab":
		m.push(&findingView{Finding: c.on})
	case key == "y" && c.on.Service == ipvs.ServiceID{}:
		m.message = "this is about the whole director: y asks about a service"
	case key == "y":
		return openWhy(m, c.on.Service, c.on.Server)
	}
	return nil
}

// look makes a round beside the loop.
func (c *checks) look(m *Model) tea.Cmd {
	if c.looking {
		return nil
	}
	c.looking = true
	return beside(m.opts.Checks.LookNow, func(m *Model, _ *check.Report, err error) tea.Cmd {
		c.looking = false
		m.takeReport()
		if err != nil {
			m.message = "not looked: " + err.Error()
		}
		return nil
	})
}

// ask says what a probe sends before it sends it.
func (c *checks) ask(m *Model, all bool) tea.Cmd {
	var id ipvs.ServiceID
	switch {
	case m.opts.Replay != nil:
		m.message = m.notRecorded("servers to probe")
		return nil
	case m.opts.Demo != "":
		m.message = madeUp
		return nil
	case c.probing != nil:
		m.message = "a probe of " + c.probing.of + " is going on: esc stops it"
		return nil
	case !all && c.on.Service == id:
		m.message = "this is about the whole director: P probes the servers of all services"
		return nil
	case m.live == nil:
		m.message = "nothing was read yet"
		return nil
	}
	of, only := "all services", func(ipvs.ServiceID) bool { return true }
	if !all {
		id = c.on.Service
		of, only = id.String(), func(v ipvs.ServiceID) bool { return v == id }
	}
	m.push(probeQuestion(of, asked(m.live, only), func(m *Model) tea.Cmd { return c.probe(m, of, only) }))
	return nil
}

// madeUp is why a demo asks nobody.
const madeUp = "these servers are made up: there is nobody to probe"

// probeQuestion says what a probe sends before it is sent.
func probeQuestion(of string, servers uint64, do func(*Model) tea.Cmd) *question {
	return &question{
		note: note{title: "Probe " + of + "?", text: fmt.Sprintf("Sent are: at most one SYN to each of %s, taken back with a RST, and ARP or neighbour questions for the VIP. None of it is in IPVS's figures.", figure.Count(servers)+" servers")},
		yes:  "send it", no: "send nothing", do: do,
	}
}

// asked is how many servers a probe asks, each once.
func asked(s *ops.Sample, only func(ipvs.ServiceID) bool) uint64 {
	servers := map[netip.Addr]bool{}
	for _, v := range s.Services {
		for _, r := range v.Servers {
			if only(v.ServiceID) && !v.IsMark() {
				servers[r.Addr.Addr()] = true
			}
		}
	}
	return uint64(len(servers))
}

// probe asks servers beside the loop.
func (c *checks) probe(m *Model, of string, only func(ipvs.ServiceID) bool) tea.Cmd {
	ctx, stop := context.WithCancel(context.Background())
	p := &probing{of: of, began: m.now(), stop: stop, done: make(chan struct{})}
	c.probing = p
	from := m.opts.Checks
	return tea.Batch(func() tea.Msg {
		defer close(p.done)
		answers, err := from.Probe(ctx, only, p.progress)
		stopped := ctx.Err() != nil
		stop()
		return besideMsg(func(m *Model) tea.Cmd {
			c.probing = nil
			m.takeReport()
			switch {
			case stopped:
				m.message = "the probe was stopped: nothing is said of what it asked"
			case err != nil:
				m.tell("Nothing could be probed", err)
			default:
				m.message = answers.String()
			}
			return nil
		})
	}, redrawUntil(p.done))
}

// Paste implements layer.
func (c *checks) Paste(*Model, string) {}

// Cursor implements layer.
func (c *checks) Cursor(*Model) (x, y int, shown bool) { return 0, 0, false }

// Footer implements layer.
func (c *checks) Footer(m *Model) string {
	var keys []string
	found := len(m.findings()) > 0
	if does := m.fixWord(c.on); found && does != "" {
		keys = []string{m.signs.Enter, does}
	}
	switch {
	case m.opts.Replay != nil: // nobody can be asked
	case found:
		keys = append(keys, "y", "why", "p", "probe", "P", "all", "r", "look")
	default:
		keys = []string{"P", "probe all", "r", "look again"}
	}
	if found {
		keys = append(keys, "/", "filter")
	}
	if !m.opts.Limits.ReadOnly {
		keys = append(keys, "u", "undo")
	}
	if found {
		keys = append(keys, "tab", "whole")
	}
	return m.keysLine(append(keys, "esc", "back")...)
}

// findingView is one finding on all of the screen.
type findingView struct {
	scroll
	check.Finding
}

// Key implements layer.
func (v *findingView) Key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	switch key := k.String(); key {
	case "esc", "q", "tab":
		m.drop(v)
	case "enter", "f":
		return openFix(m, v.Finding)
	default:
		v.move(key)
	}
	return nil
}

// Paste implements layer.
func (v *findingView) Paste(*Model, string) {}

// Body implements layer.
func (v *findingView) Body(m *Model, height int) []string {
	return v.window(append(findingLines(m, v.Finding), reliefLines(m, v.Finding)...), height)
}

// Footer implements layer.
func (v *findingView) Footer(m *Model) string {
	keys := []string{"esc", "back" + v.hint(m)}
	if does := m.fixWord(v.Finding); does != "" {
		keys = append([]string{m.signs.Enter, does}, keys...)
	}
	return m.keysLine(keys...)
}

// Cursor implements layer.
func (v *findingView) Cursor(*Model) (x, y int, shown bool) { return 0, 0, false }
