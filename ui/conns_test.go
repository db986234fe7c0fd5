package ui

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/proc"
	"lvsdeck/ops/conns"
	"lvsdeck/ui/paint"
)

// connSource is a table of connections in a text.
type connSource struct {
	text  string
	cost  time.Duration
	err   error
	in    io.Reader // nil: the text
	opens []bool    // with origins or not
}

func (s *connSource) Connections(origin bool) (io.ReadCloser, error) {
	s.opens = append(s.opens, origin)
	if s.in != nil {
		return io.NopCloser(s.in), s.err
	}
	return io.NopCloser(strings.NewReader(s.text)), s.err
}

func (s *connSource) ReadCost(uint64) time.Duration { return s.cost }

// connText makes a table that fits newDirector's: a hog, ordinary clients of both
// families, a flood, templates, and a server that is gone.
func connText() string {
	text := []byte(proc.ConnSyncTitle)
	add := func(n int, p ipvs.Protocol, client, virtual, server, state string, expires uint32, origin proc.Origin) {
		for i := range n {
			at := netip.MustParseAddrPort(client)
			port := at.Port()
			if port != 0 {
				port += uint16(i)
			}
			text = proc.AppendConn(text, &proc.Conn{
				Protocol: p, Client: proc.EndpointOf(netip.AddrPortFrom(at.Addr(), port)),
				Virtual: proc.EndpointOf(netip.MustParseAddrPort(virtual)), Server: proc.EndpointOf(netip.MustParseAddrPort(server)),
				State: proc.WordOf(state), Expires: expires, Origin: origin,
			})
		}
	}
	const web, dns, here, other = "203.0.113.10:443", "203.0.113.53:53", proc.OriginLocal, proc.OriginSync
	add(90, ipvs.TCP, "198.51.100.7:1024", web, "10.0.3.11:443", "ESTABLISHED", 893, here)
	for i := range 60 {
		add(2, ipvs.TCP, fmt.Sprintf("192.0.2.%d:2000", 1+i), web, fmt.Sprintf("10.0.3.%d:443", 11+i%3), []string{"ESTABLISHED", "FIN_WAIT", "TIME_WAIT"}[i%3], 100, here)
		add(1, ipvs.TCP, fmt.Sprintf("198.18.%d.%d:4000", i%4, i), web, "10.0.3.12:443", "SYN_RECV", 40, here)
	}
	add(7, ipvs.TCP, "192.0.2.99:3000", web, "10.0.3.19:443", "ESTABLISHED", 400, other)
	add(1, ipvs.TCP, "198.51.100.7:0", web, "10.0.3.11:443", "ASSURED", 200, here)
	add(12, ipvs.UDP, "[2001:db8:1111:2222:3333:4444:5555:6666]:5000", "[2001:db8::53]:53", "[2001:db8:3::11]:53", "UDP", 299, here)
	add(5, ipvs.UDP, "192.0.2.1:6000", dns, "10.0.5.11:53", "UDP", 20, here)
	return string(text)
}

// connDirector is a director with connections, its screen at the service.
func connDirector(t *testing.T, s *connSource) *director {
	t.Helper()
	d := newDirector(t)
	d.opts.Conns = s
	return d
}

func TestConnectionsFindTheHog(t *testing.T) {
	s := &connSource{text: connText()}
	d := connDirector(t, s)
	d.do("C")
	d.sees("the service's clients", "of service TCP 203.0.113.10:443", "277 connections", "198.51.100.7 ", "32.5%", "198.51.100.7 has 32% of these connections", "1 of 122", "esc back")
	d.do("2")
	d.sees("networks", "192.0.2.0/24", "198.18.3.0/24")
	d.do("tab")
	d.sees("services", "3 service", "TCP 203.0.113.10:443", "1 of 1")
	d.do("4", "down", "down", "down")
	d.sees("servers without the service's name", "10.0.3.12:443 ", "! 10.0.3.19:443 ", "the table does not list any more", "unless expire_nodest_conn is 1")
	d.do("5", "end")
	d.sees("states", "TCP SYN_RECV", "template ASSURED", "holds the client to its server")
	d.do("1", "enter")
	d.sees("the hog alone, by server", "of client 198.51.100.7, service TCP", "90 connections", "10.0.3.11:443", "100.0%", "esc widen")
	d.do("esc")
	d.sees("all of the service again", "277 connections")
	d.do("a")
	d.sees("everything", "294 connections", "SERVER", "[2001:db8:3::11]:53 of UDP [2001:db8::53]:53")
	d.do("6", "down")
	d.sees("origins", "local", "sync", "another director's sync daemon")
	if n := len(s.opens); n != 3 {
		t.Errorf("%d readings, want 3: narrowing and all read anew, nothing else does", n)
	}
	d.do("r", "q")
	if d.top() != nil || len(s.opens) != 4 {
		t.Errorf("q leaves:\n%s", grid(d.Model))
	}
}

// TestOthersAreAllThatIsNotOnScreen: what stands in the table comes to all.
func TestOthersAreAllThatIsNotOnScreen(t *testing.T) {
	d := connDirector(t, &connSource{text: connText()})
	d.Update(tea.WindowSizeMsg{Width: 80, Height: 24})
	d.do("C")
	var n, sum int
	others := ""
	for l := range strings.Lines(grid(d.Model)) {
		if f := strings.Fields(l); len(f) > 3 && strings.HasSuffix(f[2], "%") && f[1] != "has" {
			n++
			sum += atoi(t, f[1])
		} else if len(f) > 3 && f[1] == "others" {
			others = f[0]
			sum += atoi(t, f[2])
		}
	}
	if sum != 277 || others != fmt.Sprint(122-n) {
		t.Errorf("%d of 277, %s others beside %d of 122:\n%s", sum, others, n, grid(d.Model))
	}
}

func atoi(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestConnectionsOfAServer opens the screen on a server's row, and keeps to what
// the table says when connections go on.
func TestConnectionsOfAServer(t *testing.T) {
	d := connDirector(t, &connSource{text: connText()})
	d.do("enter", "down", "C")
	d.sees("the server's", "of service TCP 203.0.113.10:443, server 10.0.3.11:443", "130 connections")
	d.do("x")
	d.sees("what ends connections", "no call that ends a connection", "keep 198.51.100.7 out", "drain 10.0.3.11:443", "remove 10.0.3.11:443, and end its connections", "drops its packets before IPVS sees them")
	d.do("esc", "l")
	d.sees("the list", "Connections one by one", "198.51.100.7:1024", "10.0.3.11:443", "ESTABLISHED", "7s", "14m53s")
	d.do("end")
	d.sees("its end", "91 of 1-91", "template")
	d.do("esc", "esc")
	if d.top() != nil {
		t.Errorf("the screen is still open:\n%s", grid(d.Model))
	}
}

// TestConnectionsAsk: what costs much is not read before it is asked for, and may
// be read in part.
func TestConnectionsAsk(t *testing.T) {
	s := &connSource{text: connText(), cost: 50 * time.Minute}
	d := connDirector(t, s)
	d.do("C")
	d.sees("the question", "busy for about 50 min", "s read a sample", "Before Linux 6.14")
	d.do("down", "l", "x", "2")
	if len(s.opens) != 0 {
		t.Fatal("it was read without being asked for")
	}
	d.do("s")
	d.sees("the answer", "277 connections")
	if c := d.top().(*connections); c.within != connsSample {
		t.Errorf("read for %v at the most", c.within)
	}
	d.do("esc", "C", "enter")
	d.sees("all", "277 connections")
	if c := d.top().(*connections); c.within != 0 {
		t.Errorf("read for %v at the most", c.within)
	}
}

// stalled gives its text and then waits until it is let go.
type stalled struct {
	io.Reader
	waits, wait chan struct{}
}

func (s *stalled) Read(b []byte) (int, error) {
	n, err := s.Reader.Read(b)
	if err == io.EOF {
		close(s.waits)
		<-s.wait
		return 0, nil
	}
	return n, err
}

// TestConnectionsStop: a reading goes on beside the loop and can be stopped; what
// was read is shown as what it is.
func TestConnectionsStop(t *testing.T) {
	slow := &stalled{strings.NewReader(connText()), make(chan struct{}), make(chan struct{})}
	s := &connSource{in: slow}
	d := connDirector(t, s)
	_, cmd := d.Update(keyMsg("C"))
	done := make(chan tea.Msg)
	work := cmd().(tea.BatchMsg)[0]
	go func() { done <- work() }()
	<-slow.waits
	d.sees("progress", "reading: ", "esc stops and shows what was read", "esc stop")
	press(d.Model, "enter", "l", "5", "r") // nothing to do these on
	press(d.Model, "esc")
	close(slow.wait)
	d.Update(<-done)
	d.sees("the part that was read", "stopped: 296 were read. Shares hold", "277 connections", "198.51.100.7")

	s.in, s.err = nil, errors.New("no such\x1b[2J file")
	d.do("r")
	d.sees("an error beside what was read before", "no such[2J file", "277 connections")
	s.err = nil
	s.text = "rubbish\n"
	d.do("r")
	d.sees("a text that is none", "this is no copy of /proc/net/ip_vs_conn")
	s.text = connText() + "rubbish\x1b\n"
	d.do("r")
	d.sees("a bad line", "1 of 297 lines could not be read", `"rubbish\x1b"`)
}

// TestConnectionsLeftWhileReading: the operator goes on, and the answer that comes
// late disturbs nobody.
func TestConnectionsLeftWhileReading(t *testing.T) {
	d := connDirector(t, &connSource{text: connText()})
	for _, list := range []bool{false, true} {
		keys := []string{"C"}
		if list {
			d.do("C")
			keys = []string{"l"}
		}
		_, cmd := d.Update(keyMsg(keys[0]))
		d.sees("what goes on", "reading: ")
		press(d.Model, "q")
		d.finish(cmd)
		if _, reading := d.top().(*connections); reading != list {
			t.Errorf("the screen:\n%s", grid(d.Model))
		}
	}
}

// TestConnectionsPages goes through a list that is longer than a page.
func TestConnectionsPages(t *testing.T) {
	var text strings.Builder
	text.WriteString(proc.ConnTitle)
	for i := range 1200 {
		fmt.Fprintf(&text, "TCP C63364%02X %04X CB00710A 01BB 0A00030B 01BB ESTABLISHED     893\n", i%200, 1024+i)
	}
	s := &connSource{text: text.String()}
	d := connDirector(t, s)
	d.do("C", "3", "l")
	d.sees("the first page", "1 of 1-500, and more", "198.51.100.0:1024")
	d.do("end", "down")
	d.sees("the second", "501 of 501-1000, and more", ":1524")
	d.do("end", "pgdown", "end", "down")
	d.sees("the last", "1200 of 1001-1200 ")
	d.do("home", "up")
	d.sees("back again", "501 of 501-1000, and more")
	if s.opens[len(s.opens)-1] {
		t.Error("a list has no need for origins, but for persistence engines")
	}
	d.do("r", "esc", "q")
	if d.top() != nil {
		t.Errorf("the screen is still open:\n%s", grid(d.Model))
	}
}

// TestConnectionsFilter: what to look at can be typed, for groups and for the list,
// and how long networks are.
func TestConnectionsFilter(t *testing.T) {
	d := connDirector(t, &connSource{text: connText()})
	d.do("C", "2", "/")
	d.sees("the form", "Which connections", "TCP 203.0.113.10:443", "net /", "24")
	d.do("up", "up")
	d.fill("15")
	d.do("enter")
	d.sees("longer networks", "198.18.0.0/15", "of service TCP 203.0.113.10:443")
	d.do("/", "down", "down")
	d.fill("10.0.3.11x")
	d.do("enter")
	d.sees("what is wrong", `server "10.0.3.11x": give an address`)
	d.fill("10.0.3.12")
	d.do("down")
	d.types("syn_recv")
	d.do("enter")
	d.sees("narrower", "of service TCP 203.0.113.10:443, server 10.0.3.12, state SYN_RECV", "60 connections", "198.18.0.0/15")
	d.do("esc", "/", "down", "down", "down", "down", "down", "right", "enter", "4")
	d.sees("servers that are not listed", "servers not listed", "7 connections", "10.0.3.19:443")
	d.do("l")
	d.sees("their list", "of 1-7", "192.0.2.99:3000", "The table does not list its server any more.")
	d.do("/")
	if strings.Contains(grid(d.Model), "net /") {
		t.Error("a list has no networks")
	}
	d.fill("192.0.2.99")
	d.do("enter")
	d.sees("the list again", "of client 192.0.2.99, service TCP 203.0.113.10:443", "1 of 1-7")
}

// TestTemplatePins: a template's row says whom it holds and leads to what it holds.
func TestTemplatePins(t *testing.T) {
	d := connDirector(t, &connSource{text: connText()})
	web := d.live.Services[0].Service
	web.Persistence = ipvs.Persistence{On: true, Timeout: 300, Mask: 0xffffff00}
	d.must(d.table.SetService(t.Context(), web))
	d.do("enter", "down", "C", "l", "end")
	d.sees("whom it holds", "A template: it holds 198.51.100.0/24 to 10.0.3.11:443 for 3m20s more", "91 of 1-91")
	d.do("enter")
	d.sees("what it holds", "of client 198.51.100.0/24, service TCP", "1 of 1-90", "silent for 7s of the 15m00s that its state allows.")
	d.do("enter")
	d.sees("no template", "this is a connection")
	d.do("x")
	d.sees("the way to keep it out", "keep 198.51.100.7 out")
}

func TestNoConnections(t *testing.T) {
	d := newDirector(t)
	d.do("C")
	d.sees("why not", "no connections can be read here")
}

// connScenes are the screen in its states.
var connScenes = []struct {
	name   string
	source func(*connSource)
	keys   []string
}{
	{"conns-client", nil, []string{"C"}},
	{"conns-server", nil, []string{"C", "a", "4", "down"}},
	{"conns-state", nil, []string{"C", "a", "5", "down", "down"}},
	{"conns-none", func(s *connSource) { s.text = proc.ConnSyncTitle }, []string{"C"}},
	{"conns-ask", func(s *connSource) { s.cost = 50 * time.Minute }, []string{"C"}},
	{"conns-end", nil, []string{"C", "4", "x"}},
	{"conns-list", nil, []string{"C", "a", "5", "l"}},
	{"conns-filter", nil, []string{"C", "/"}},
	{"conns-template", nil, []string{"C", "5", "end", "l"}},
	{"conns-export", nil, []string{"C", "E", "end"}},
	{"conns-keep-out", nil, []string{"C", "x", "enter"}},
	{"conns-bad", func(s *connSource) { s.text += "rubbish\n" }, []string{"C"}},
}

func TestConnScreens(t *testing.T) {
	for _, sc := range connScenes {
		open := func(d *director) {
			s := &connSource{text: connText()}
			if sc.source != nil {
				sc.source(s)
			}
			d.opts.Conns = s
			d.do(sc.keys...)
		}
		layerScenes(t, sc.name, open)
		d := newDirector(t)
		d.Update(tea.WindowSizeMsg{Width: 200, Height: 50})
		open(d)
		golden(t, sc.name+"-200x50", grid(d.Model)+"\n"+styles(d.Model))
		d.Update(tea.WindowSizeMsg{Width: 80, Height: 24})
		d.Update(tea.ColorProfileMsg{Profile: colorprofile.ASCII})
		d.signs = paint.ASCII
		d.settle()
		text := grid(d.Model)
		golden(t, sc.name+"-80x24-ascii", text+"\n"+styles(d.Model))
		if i := strings.IndexFunc(text, func(r rune) bool { return r > '~' }); i >= 0 {
			t.Errorf("%s: not ASCII: %q", sc.name, text[i:min(len(text), i+20)])
		}
	}
}

var _ conns.Source = (*connSource)(nil)
