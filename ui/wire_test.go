package ui

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/memory"
	"lvsdeck/ops"
	"lvsdeck/ui/services"
)

// wire counts what a program sends to its terminal, write by write: Bubble Tea
// sends a frame in one.
type wire struct {
	mu     sync.Mutex
	change *sync.Cond
	writes []int
}

func newWire() *wire {
	w := &wire{}
	w.change = sync.NewCond(&w.mu)
	return w
}

func (w *wire) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writes = append(w.writes, len(p))
	w.change.Broadcast()
	return len(p), nil
}

// frame waits for a write after the first n and gives its size.
func (w *wire) frame(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.writes) <= n {
		w.change.Wait()
	}
	return w.writes[n]
}

func (w *wire) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.writes)
}

// busy is a director of which every visible counter changes between readings.
type busy struct {
	table   *memory.Table
	sampler *ops.Sampler
	random  *rand.Rand
	now     time.Time
}

func newBusy(t testing.TB) *busy {
	b := &busy{table: memory.New(), random: rand.New(rand.NewPCG(7, 7)), now: noon}
	for i := range 6 {
		id := ipvs.AddressService(ipvs.TCP, netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, 0, 113, byte(i + 1)}), 443))
		if err := b.table.AddService(t.Context(), ipvs.NewService(id)); err != nil {
			t.Fatal(err)
		}
		for j := range 3 {
			srv := ipvs.Server{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i), byte(j + 1)}), 443), Forward: ipvs.Masq, Weight: 100}
			if err := b.table.AddServer(t.Context(), id, srv); err != nil {
				t.Fatal(err)
			}
		}
	}
	b.sampler = ops.NewSampler(b.table, ops.Options{})
	b.sampler.FocusAll()
	return b
}

// move changes every counter of every row as a busy site does, by some percent,
// and reads the table 2 s later.
func (b *busy) move(ctx context.Context) {
	b.table.Observe(func(_ ipvs.Service, servers []ipvs.ServerState) []memory.Observation {
		seen := make([]memory.Observation, len(servers))
		for i := range seen {
			n := uint64(600 + b.random.IntN(150))
			seen[i] = memory.Observation{
				Active: uint32(3600 + b.random.IntN(700)), Inactive: uint32(12_000 + b.random.IntN(2500)),
				Passed: ipvs.Traffic{Conns: 2 * n, InPackets: 18 * n, OutPackets: 20 * n, InBytes: 1800 * n, OutBytes: 18_000 * n},
				Rate:   ipvs.Traffic{Conns: n, InPackets: 9 * n, OutPackets: 10 * n, InBytes: 900 * n, OutBytes: 9000 * n},
			}
		}
		return seen
	})
	b.now = b.now.Add(2 * time.Second)
	b.sampler.Observe(ctx, b.now)
}

// run starts the whole program, Bubble Tea and all, at 80×24 on a wire.
func run(t testing.TB, src Source) (*tea.Program, *wire, func()) {
	w := newWire()
	m := New(Options{Source: src, Host: "dir-a", Interval: 2 * time.Second})
	m.list.ToggleAll()
	p := tea.NewProgram(m, tea.WithContext(t.Context()), tea.WithInput(nil), tea.WithOutput(w), tea.WithWindowSize(80, 24),
		tea.WithColorProfile(colorprofile.ANSI256), tea.WithEnvironment([]string{"TERM=xterm-256color", "SSH_TTY=/dev/pts/1"}),
		tea.WithoutSignals(), tea.WithFPS(framesPerSecond))
	done := make(chan error, 1)
	go func() {
		_, err := p.Run()
		done <- err
	}()
	return p, w, func() {
		p.Quit()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// frameBudgets is how many bytes a frame may cost at 80×24 when every visible
// counter changes: at 1,200 bytes a second (9,600 baud) and a reading every 2 s
// it leaves more than half of the line free for keys.
//
// Sets of more and wider numbers cost more; it is the first that stays on.
var frameBudgets = []int{900, 1150, 1150, 600}

func TestFrameBytes(t *testing.T) {
	for set, budget := range frameBudgets {
		t.Run(services.Sets[set].Title, func(t *testing.T) { frameBytes(t, set, budget) })
	}
}

func frameBytes(t *testing.T, set, budget int) {
	b := newBusy(t)
	for range 3 * ops.TrendEvery {
		b.move(t.Context())
	}
	p, w, stop := run(t, b.sampler)
	defer stop()
	settle(p, w)
	p.Send(keyMsg(string(rune('1' + set))))
	settle(p, w)
	worst, sum := 0, 0
	const frames = 30
	for range frames {
		b.move(t.Context())
		n := w.count()
		p.Send(sampleMsg{})
		size := w.frame(n)
		worst, sum = max(worst, size), sum+size
	}
	t.Logf("all visible counters change: %d bytes a frame on average, %d at worst", sum/frames, worst)
	if worst > budget {
		t.Errorf("a frame costs %d bytes, the budget is %d", worst, budget)
	}
}

// settle waits until the program has drawn itself fully: the size, the colours
// and the first sample come as messages, in frames of their own. A key that
// changes the screen must then be answered by exactly one frame.
func settle(p *tea.Program, w *wire) {
	for quiet := 0; quiet < 3; {
		n := w.count()
		p.Send(tea.KeyPressMsg{Code: tea.KeyDown})
		w.frame(n)
		if w.count() == n+1 {
			quiet++
		} else {
			quiet = 0
		}
	}
}

// TestUnchangedSendsNothing compares a run in which many readings bring nothing
// new with one without them.
func TestUnchangedSendsNothing(t *testing.T) {
	bytes := func(readings int) int {
		src := newFakeSource(site())
		p, w, stop := run(t, src)
		settle(p, w)
		before := w.count()
		for i := range readings {
			s := site()
			s.Seq = uint64(i + 2)
			src.latest.Store(s)
			p.Send(sampleMsg{})
		}
		p.Send(tea.KeyPressMsg{Code: 'j', Text: "j"})
		first := w.frame(before)
		stop()
		return first
	}
	without, with := bytes(0), bytes(20)
	if with != without {
		t.Errorf("a key's frame after 20 readings without news has %d bytes, without them %d", with, without)
	}
}

// manyServers is a sample with 1,000 services of 100 servers.
func manyServers() *ops.Sample {
	r := rand.New(rand.NewPCG(3, 3))
	var all []*ops.Service
	for i := range 1000 {
		var servers []*ops.Server
		for j := range 100 {
			at := fmt.Sprintf("10.%d.%d.%d:443", i/250, i%250, j+1)
			servers = append(servers, server(at, ipvs.Direct, uint32(r.IntN(20)), r.Uint64N(5000), r.Uint64N(9000), r.Uint64N(900)))
		}
		all = append(all, service(svc(ipvs.TCP, fmt.Sprintf("203.0.%d.%d:443", i/250, i%250+1), "wlc"), servers...))
	}
	return sample(all...)
}
