package ui

import (
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
)

// noon is the time of every sample in tests.
var noon = time.Date(2026, 3, 1, 12, 4, 31, 0, time.UTC)

// fakeSource is a Source whose samples the test sets.
type fakeSource struct {
	latest   atomic.Pointer[ops.Sample]
	updated  chan struct{}
	interval time.Duration
	focus    []ipvs.ServiceID
	asked    int // readings asked for
}

func newFakeSource(s *ops.Sample) *fakeSource {
	f := &fakeSource{updated: make(chan struct{}, 1), interval: 2 * time.Second}
	f.latest.Store(s)
	return f
}

func (f *fakeSource) Latest() *ops.Sample         { return f.latest.Load() }
func (f *fakeSource) Updated() <-chan struct{}    { return f.updated }
func (f *fakeSource) SetInterval(d time.Duration) { f.interval = d }
func (f *fakeSource) Focus(ids []ipvs.ServiceID)  { f.focus = ids }
func (f *fakeSource) ReadNow()                    { f.asked++ }

func addr(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

// server makes a server with a few figures.
func server(at string, fwd ipvs.Forward, weight uint32, active, inactive, rate uint64) *ops.Server {
	a := addr(at)
	f := ops.Figures{Active: active, Inactive: inactive, Counted: true, PersistentKnown: true,
		Total: ipvs.Traffic{Conns: rate * 1000, InPackets: rate * 9000, InBytes: rate * 900_000},
		Rate:  ipvs.Traffic{Conns: rate, InPackets: rate * 9, InBytes: rate * 900}}
	if fwd == ipvs.Masq {
		f.Total.OutPackets, f.Total.OutBytes = rate*12_000, rate*9_000_000
		f.Rate.OutPackets, f.Rate.OutBytes = rate*12, rate*9000
	}
	return &ops.Server{Server: ipvs.Server{Addr: a, Forward: fwd, Weight: weight}, Name: a.String(),
		Figures: f, Was: f, Since: noon.Add(-5 * time.Minute), Seen: ipvs.Traffic{Conns: rate * 300}, Trend: ramp(rate)}
}

func ramp(rate uint64) *ops.Trend {
	t := &ops.Trend{}
	for i := range 40 {
		v := float32(rate) * float32(i%9+3) / 12
		t.Conns = append(t.Conns, v)
		t.Active = append(t.Active, v*5)
	}
	return t
}

// service sums its servers, as the sampler does.
func service(svc ipvs.Service, servers ...*ops.Server) *ops.Service {
	s := &ops.Service{Service: svc, Name: svc.ServiceID.Name(), Servers: servers, Since: noon.Add(-5 * time.Minute)}
	s.Counted, s.PersistentKnown = true, true
	for _, r := range servers {
		s.Active += r.Active
		s.Inactive += r.Inactive
		s.Total = s.Total.Add(r.Total)
		s.Rate = s.Rate.Add(r.Rate)
		s.Seen = s.Seen.Add(r.Seen)
		s.Forwards = s.Forwards.With(r.Forward)
		if r.Usable() {
			s.Up++
		}
		if r.Overloaded() {
			s.Overloaded++
		}
	}
	s.Was = s.Figures
	s.Trend = ramp(s.Rate.Conns)
	return s
}

func svc(p ipvs.Protocol, at, sched string) ipvs.Service {
	s := ipvs.NewService(ipvs.AddressService(p, addr(at)))
	s.Scheduler = sched
	return s
}

func sample(services ...*ops.Service) *ops.Sample {
	s := &ops.Sample{Seq: 1, Time: noon, Interval: 2 * time.Second, Services: services, Info: ipvs.Info{Version: 0x010201, TableSize: 4096}}
	s.Counted = true
	for _, v := range services {
		s.Servers += len(v.Servers)
		s.Active += v.Active
		s.Inactive += v.Inactive
		s.Total = s.Total.Add(v.Total)
		s.Rate = s.Rate.Add(v.Rate)
	}
	s.Was = s.Figures
	s.Trend = ramp(s.Rate.Conns)
	return s
}

// site is a small director with something of everything.
func site() *ops.Sample {
	sticky := svc(ipvs.TCP, "[2001:db8:1111:2222:3333:4444:5555:6666]:8443", "mh")
	sticky.SchedFlags = ipvs.SchedFlag1 | ipvs.SchedFlag2
	sticky.Persistence = ipvs.Persistence{On: true, Timeout: 360, Mask: 64}
	full := server("10.0.5.11:25", ipvs.Masq, 50, 480, 40, 3)
	full.Upper, full.Lower = 500, 400
	tunnel := server("198.51.100.7:0", ipvs.TunnelFwd, 10, 820, 140, 31)
	tunnel.Tunnel = ipvs.Tunnel{Type: ipvs.GUE, Port: 6080, Flags: ipvs.TunnelChecksum}
	mark := ipvs.NewService(ipvs.MarkService(7, ipvs.IPv4))
	mark.Scheduler = "sh"
	return sample(
		service(svc(ipvs.TCP, "203.0.113.10:443", "wlc"),
			server("10.0.3.11:443", ipvs.Direct, 100, 4103, 13_210, 701),
			server("10.0.3.12:443", ipvs.Direct, 100, 4098, 13_411, 699),
			server("10.0.3.13:443", ipvs.Direct, 0, 12, 3, 0),
			server("10.0.3.14:443", ipvs.Direct, 100, 4120, 13_500, 700)),
		service(svc(ipvs.TCP, "203.0.113.25:25", "wrr"),
			full, server("10.0.5.12:2525", ipvs.Masq, 50, 300, 20, 5)),
		service(svc(ipvs.UDP, "203.0.113.53:53", "rr"),
			server("10.0.4.1:53", ipvs.Masq, 1, 0, 4500, 4900), server("10.0.4.2:53", ipvs.Masq, 1, 0, 4510, 4880)),
		service(svc(ipvs.TCP, "203.0.113.80:80", "wlc"),
			server("10.0.3.21:80", ipvs.Direct, 0, 0, 0, 0)),
		service(sticky,
			server("[2001:db8:aaaa:bbbb:cccc:dddd:eeee:1]:8443", ipvs.Direct, 65_535, 90, 12, 4)),
		service(mark, tunnel),
	)
}

// console makes a model of a size that shows a sample.
func console(t testing.TB, s *ops.Sample, width, height int, change func(*Options)) (*Model, *fakeSource) {
	t.Helper()
	src := newFakeSource(s)
	opts := Options{Source: src, Host: "dir-a", Interval: 2 * time.Second}
	if change != nil {
		change(&opts)
	}
	m := New(opts)
	m.Init()
	m.Update(tea.ColorProfileMsg{Profile: colorprofile.ANSI256})
	m.Update(tea.WindowSizeMsg{Width: width, Height: height})
	return m, src
}

// press sends keys by their names.
func press(m *Model, keys ...string) (cmd tea.Cmd) {
	for _, k := range keys {
		_, cmd = m.Update(keyMsg(k))
	}
	return cmd
}

var namedKeys = map[string]rune{
	"enter": tea.KeyEnter, "esc": tea.KeyEscape, "tab": tea.KeyTab, "space": tea.KeySpace, "backspace": tea.KeyBackspace,
	"up": tea.KeyUp, "down": tea.KeyDown, "left": tea.KeyLeft, "right": tea.KeyRight,
	"f5": tea.KeyF5, "f6": tea.KeyF6, "f7": tea.KeyF7, "f8": tea.KeyF8, "delete": tea.KeyDelete, "pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown, "home": tea.KeyHome, "end": tea.KeyEnd, "f1": tea.KeyF1,
}

func keyMsg(k string) tea.KeyPressMsg {
	if rest, ok := strings.CutPrefix(k, "ctrl+"); ok {
		return tea.KeyPressMsg{Code: []rune(rest)[0], Mod: tea.ModCtrl}
	}
	if code, ok := namedKeys[k]; ok {
		text := ""
		if k == "space" {
			text = " "
		}
		return tea.KeyPressMsg{Code: code, Text: text}
	}
	return tea.KeyPressMsg{Code: []rune(k)[0], Text: k}
}

// typed sends a text letter by letter.
func typed(m *Model, s string) {
	for _, r := range s {
		if r == ' ' {
			press(m, "space")
			continue
		}
		press(m, string(r))
	}
}

// screen is what stands on the terminal: cells, as Bubble Tea would draw them.
func screen(m *Model) uv.ScreenBuffer {
	buf := uv.NewScreenBuffer(m.width, m.height)
	uv.NewStyledString(m.View().Content).Draw(buf, buf.Bounds())
	return buf
}

// grid is the screen as text, a line each, without trailing blanks.
func grid(m *Model) string {
	buf := screen(m)
	var b strings.Builder
	for y := range m.height {
		var line strings.Builder
		for x := 0; x < m.width; x++ {
			c := buf.CellAt(x, y)
			if c == nil || c.Content == "" {
				if c == nil || c.Width != 0 {
					line.WriteByte(' ')
				}
				continue
			}
			line.WriteString(c.Content)
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}

// styles is the screen's styles: a letter for each cell, in the order they were
// met, and what each letter stands for. A plain cell is a dot.
func styles(m *Model) string {
	buf := screen(m)
	letters := map[string]byte{"": '.'}
	var names []string
	var b strings.Builder
	for y := range m.height {
		var line strings.Builder
		for x := range m.width {
			name := ""
			if c := buf.CellAt(x, y); c != nil {
				name = strings.TrimSuffix(strings.TrimPrefix(c.Style.String(), "\x1b["), "m")
			}
			if _, ok := letters[name]; !ok {
				letters[name] = byte('a' + len(names))
				names = append(names, name)
			}
			line.WriteByte(letters[name])
		}
		b.WriteString(strings.TrimRight(line.String(), ".") + "\n")
	}
	for i, name := range names {
		fmt.Fprintf(&b, "%c = %s\n", 'a'+i, name)
	}
	return b.String()
}

func cells(line string) int { return ansi.StringWidth(line) }
