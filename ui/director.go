package ui

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
	"lvsdeck/ui/paint"
	"lvsdeck/ui/text"
)

// directorScreen is what belongs to the director as a whole: timeouts, sync
// daemons, sysctls, and what the kernel brings.
type directorScreen struct {
	pick
	rows []directorRow // none before the first reading
}

// directorRow is one line of it.
type directorRow struct {
	section     string
	name, value string
	note        string // beside the value, when there is something to say
	about       string // below, when the cursor is on it
	rule        string // below that
	does        string // what enter does, or "" for nothing
	change      func(*Model) tea.Cmd
}

func directorCommands() []command {
	return []command{
		{"Director", []string{"D"}, "timeouts, sync daemons, sysctls and modules", "", openDirector, noDirector},
		{"Director", []string{unlockKey}, "unlock changing where another program manages the table", "", openUnlock, notGuarded},
	}
}

func noDirector(m *Model) string { return m.notRecorded("settings of the director") }

func openDirector(m *Model) tea.Cmd {
	d := &directorScreen{}
	m.push(d)
	return d.refresh(m)
}

// directorNow is one reading. Each part fails by itself.
type directorNow struct {
	info     part[ipvs.Info]
	timeouts part[ipvs.Timeouts]
	daemons  part[[]ipvs.Daemon]
	sysctls  part[[]netcfg.Value]
	modules  part[netcfg.Modules]
}

type part[T any] struct {
	is  T
	err error
}

func partOf[T any](is T, err error) part[T] { return part[T]{is, err} }

// refresh reads everything beside the loop.
func (d *directorScreen) refresh(m *Model) tea.Cmd {
	table, host := m.opts.Table, m.opts.System
	return readThen(nil, func(ctx context.Context, _ ipvs.Table) (directorNow, error) {
		return directorNow{
			partOf(table.Info(ctx)), partOf(table.Timeouts(ctx)), partOf(table.Daemons(ctx)),
			partOf(host.List()), partOf(host.Modules()),
		}, nil
	}, func(_ *Model, now directorNow) {
		d.rows = slices.Concat(kernelRows(now), timeoutRows(now.timeouts), daemonRows(now.daemons), sysctlRows(now.sysctls))
		d.at = min(d.at, len(d.rows)-1)
	})
}

// failed is the one row of a section that could not be read.
func failed(section string, err error) []directorRow {
	return []directorRow{{section: section, name: "not known", about: err.Error()}}
}

func kernelRows(now directorNow) []directorRow {
	const section = "KERNEL"
	var rows []directorRow
	if now.info.err != nil {
		rows = failed(section, now.info.err)
	} else {
		rows = []directorRow{
			{section: section, name: "IPVS", value: now.info.is.Version.String(), about: "IPVS's own version, not the kernel's."},
			{section: section, name: "connection table", value: strconv.FormatUint(uint64(now.info.is.TableSize), 10), note: "buckets",
				about: "Its size is chosen when the module is loaded: options ip_vs conn_tab_bits=20 in /etc/modprobe.d makes 2 to the power of 20. Since Linux 7.1 it grows by itself, and is 0 until there has been a service."},
		}
	}
	m := now.modules.is
	if now.modules.err != nil {
		return append(rows, directorRow{section: section, name: "modules", value: "not known", about: now.modules.err.Error()})
	}
	about := "What else this kernel could load is not known: its lists of modules are not on this host."
	if m.Listed {
		more := slices.DeleteFunc(slices.Clone(m.Loadable), func(name string) bool { return m.State(name) == netcfg.Loaded })
		about = "The kernel loads these when a service asks for them: " + cmp.Or(shortModules(more), "none") + "."
	}
	here := slices.Concat(m.BuiltIn, m.Loaded)
	return append(rows, directorRow{section: section, name: "modules", value: strconv.Itoa(len(here)), note: shortModules(here), about: about})
}

// shortModules leaves the beginning out that all have.
func shortModules(names []string) string {
	var short []string
	for _, n := range names {
		short = append(short, strings.TrimPrefix(n, "ip_vs_"))
	}
	return strings.Join(short, " ")
}

func timeoutRows(now part[ipvs.Timeouts]) []directorRow {
	const section = "TIMEOUTS"
	if now.err != nil {
		return failed(section, now.err)
	}
	row := func(name string, seconds uint32, about string) directorRow {
		return directorRow{
			section: section, name: name, value: strconv.FormatUint(uint64(seconds), 10), note: "s", about: about,
			does: "edit", change: func(m *Model) tea.Cmd { return openTimeouts(m, now.is) },
		}
	}
	return []directorRow{
		row("tcp", now.is.TCP, "How long an established TCP connection may be silent before the director forgets it."),
		row("tcp fin", now.is.TCPFin, "How long the director remembers a TCP connection after its FIN."),
		row("udp", now.is.UDP, "How long a UDP client without packets stays with its server."),
	}
}

func daemonRows(now part[[]ipvs.Daemon]) []directorRow {
	const section = "SYNC"
	if now.err != nil {
		return failed(section, now.err)
	}
	about := map[ipvs.DaemonRole]string{
		ipvs.Master: "The master daemon tells other directors the connections of this one. ",
		ipvs.Backup: "The backup daemon learns connections from another director's master. ",
	}
	var rows []directorRow
	for _, role := range []ipvs.DaemonRole{ipvs.Master, ipvs.Backup} {
		r := directorRow{
			section: section, name: role.String(), value: "not running", about: about[role] + "Services and weights are never told.",
			does: "start", change: func(m *Model) tea.Cmd { return openStartDaemon(m, role) },
		}
		if i := slices.IndexFunc(now.is, func(d ipvs.Daemon) bool { return d.Role == role }); i >= 0 {
			d := now.is[i]
			r.value, r.does = "runs on "+d.Interface, "stop"
			r.note = fmt.Sprintf("sync id %d", d.SyncID)
			r.rule = fmt.Sprintf("group %s, port %d, ttl %d, messages of %d bytes at most", d.Group, d.Port, d.TTL, d.MaxLen)
			r.change = func(m *Model) tea.Cmd { return confirmStopDaemon(m, d) }
		}
		rows = append(rows, r)
	}
	return rows
}

func sysctlRows(now part[[]netcfg.Value]) []directorRow {
	const section = "SYSCTLS"
	if now.err != nil {
		return failed(section, now.err)
	}
	var rows []directorRow
	for _, v := range now.is {
		r := directorRow{
			section: section, name: v.Name, value: v.Value, about: "Not known here.",
			does: "edit", change: func(m *Model) tea.Cmd { return openSysctl(m, v) },
		}
		if s, ok := netcfg.Find(v.Name); ok {
			r.about, r.rule = s.About, sysctlRule(s)
			if v.Differs() {
				r.note = "default " + s.Default
			}
		}
		if v.ReadOnly {
			r.note, r.does, r.change = "read-only here", "", nil
		}
		rows = append(rows, r)
	}
	return rows
}

// sysctlRule is "must be 0 or 1; default 0; since Linux 5.15".
func sysctlRule(s netcfg.Sysctl) string {
	rule := s.Rule
	if s.Default != "" {
		rule += "; default " + s.Default
	}
	if s.Since != "" {
		rule += "; since Linux " + s.Since
	}
	return rule
}

// Key implements layer.
func (d *directorScreen) Key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	switch key := k.String(); {
	case key == "esc" || key == "q" || key == "D":
		m.drop(d)
	case d.move(key) || len(d.rows) == 0:
	case key == "u":
		return m.run(&command{run: undo, why: cannotChange})
	case key == "enter" && d.rows[d.at].change == nil:
		m.message = "there is nothing to change here"
	case key == "enter":
		return m.run(&command{run: d.rows[d.at].change, why: cannotChange})
	}
	return nil
}

// Paste implements layer.
func (d *directorScreen) Paste(*Model, string) {}

// Widths of the director screen's columns.
const (
	directorSection = 8
	directorName    = 26
	directorValue   = 12
	directorNote    = 12
	directorAbout   = 50 // at least; else it stands below only
)

// Body implements layer. What the cursor is on is explained below, in the same
// number of lines for every row, so that the list stands still.
func (d *directorScreen) Body(m *Model, height int) []string {
	if len(d.rows) == 0 {
		return []string{m.theme.Line(paint.Ground, m.width).Space(1).Put(paint.Rest, "reading").String()}
	}
	most := 0
	for _, r := range d.rows {
		most = max(most, len(r.explained(m)))
	}
	most = min(most, height/3)
	from, to := d.window(len(d.rows), height-most-1)
	var lines []string
	for i := from; i < to; i++ {
		r := d.rows[i]
		lines = append(lines, d.line(m, r, i == d.at, i == from || d.rows[i-1].section != r.section))
	}
	for len(lines) < height-most-1 {
		lines = append(lines, "")
	}
	lines = append(lines, m.theme.Line(paint.Ground, m.width).Space(1).Fill(paint.Rest, m.signs.Rule, m.width-2).String())
	about := d.rows[d.at].explained(m)
	return append(lines, about[:min(most, len(about))]...)
}

func (r directorRow) explained(m *Model) []string {
	lines := wrapped(m, paint.Plain, r.about, 1)
	if r.rule != "" {
		lines = append(lines, wrapped(m, paint.Rest, r.rule, 1)...)
	}
	return lines
}

func (d *directorScreen) line(m *Model, r directorRow, current, first bool) string {
	base := paint.Ground
	if current {
		base = paint.Cursor
	}
	line := m.theme.Line(base, m.width).Space(1)
	section := ""
	if first {
		section = r.section
	}
	style := paint.Plain
	if strings.HasPrefix(r.note, "default ") {
		style = paint.Strong
	}
	line.Left(paint.Rest, section, directorSection, "").Space(1)
	line.Left(paint.Plain, text.Clean(r.name), directorName, m.signs.Cut).Space(1)
	value, note := text.Clean(r.value), text.Clean(r.note)
	if note == "" && text.Width(value) > directorValue {
		return line.Put(style, text.Cut(value, line.Room()-1, m.signs.Cut)).String()
	}
	line.Left(style, value, directorValue, m.signs.Cut).Space(1)
	if line.Room() < directorNote+directorAbout || text.Width(note) > directorNote {
		return line.Put(paint.Rest, text.Cut(note, line.Room()-1, m.signs.Cut)).String()
	}
	line.Left(paint.Rest, note, directorNote, m.signs.Cut).Space(1)
	return line.Put(paint.Rest, text.Cut(text.Clean(r.about), line.Room()-1, m.signs.Cut)).String()
}

// Footer implements layer.
func (d *directorScreen) Footer(m *Model) string {
	keys := []string{"u", "undo", "esc", "back"}
	if len(d.rows) > 0 && d.rows[d.at].does != "" {
		keys = append([]string{m.signs.Enter, d.rows[d.at].does}, keys...)
	}
	return m.keysLine(keys...)
}

// Cursor implements layer.
func (d *directorScreen) Cursor(*Model) (x, y int, shown bool) { return 0, 0, false }
