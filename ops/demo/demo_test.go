package demo_test

import (
	"context"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
	"lvsdeck/ops/demo"
)

var (
	start = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	web   = ipvs.AddressService(ipvs.TCP, netip.MustParseAddrPort("203.0.113.10:443"))
	dns   = ipvs.AddressService(ipvs.UDP, netip.MustParseAddrPort("203.0.113.53:53"))
	mail  = ipvs.AddressService(ipvs.TCP, netip.MustParseAddrPort("203.0.113.25:25"))
	api   = ipvs.AddressService(ipvs.TCP, netip.MustParseAddrPort("198.51.100.20:443"))
)

// show is a demo with the sampler that watches it, primed.
type show struct {
	*testing.T
	*demo.Demo
	sampler *ops.Sampler
	now     time.Time
}

func open(t *testing.T, kind demo.Kind) *show {
	s := &show{t, demo.New(kind, 1), nil, start}
	s.sampler = ops.NewSampler(s.Table(), ops.Options{})
	s.Prime(t.Context(), s.sampler, start)
	return s
}

// after plays on and gives the sample then.
func (s *show) after(d time.Duration) *ops.Sample {
	s.Play(s.Context(), s.sampler, s.now, d)
	s.now = s.now.Add(d)
	return s.sampler.Latest()
}

func find(t *testing.T, s *ops.Sample, id ipvs.ServiceID) *ops.Service {
	t.Helper()
	i := slices.IndexFunc(s.Services, func(svc *ops.Service) bool { return svc.ServiceID == id })
	if i < 0 {
		t.Fatalf("there is no %s", id)
	}
	return s.Services[i]
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestParseKind(t *testing.T) {
	for _, k := range demo.Kinds() {
		if got, err := demo.ParseKind(string(k)); got != k || err != nil {
			t.Errorf("%s: got %q, %v", k, got, err)
		}
	}
	_, err := demo.ParseKind("quiet")
	if want := `there is no demo "quiet"; choose one of: steady, incident, big`; err == nil || err.Error() != want {
		t.Errorf("want %s, got %v", want, err)
	}
}

// One seed gives one series of tables, however the time is cut.
func TestSameSeedSameTable(t *testing.T) {
	for _, kind := range demo.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			view := func(seed uint64, steps ...time.Duration) ipvs.Overview {
				d := demo.New(kind, seed)
				for _, step := range steps {
					d.Advance(step)
				}
				view, err := d.Table().Overview(t.Context())
				must(t, err)
				return view
			}
			whole := view(1, 6*time.Second)
			if cut := view(1, 1500*time.Millisecond, 3*time.Second, 1500*time.Millisecond); !reflect.DeepEqual(whole, cut) {
				t.Error("want the same table in steps of another length")
			}
			if other := view(2, 6*time.Second); reflect.DeepEqual(whole.Stats, other.Stats) {
				t.Error("want another seed to give other traffic")
			}
		})
	}
}

// Pictures of the demo are published: no address in them may be somebody's.
func TestAddressesAreForDocumentation(t *testing.T) {
	var ranges []netip.Prefix
	for _, r := range []string{"192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "10.0.0.0/8"} {
		ranges = append(ranges, netip.MustParsePrefix(r))
	}
	check := func(a netip.Addr) {
		t.Helper()
		if !slices.ContainsFunc(ranges, func(r netip.Prefix) bool { return r.Contains(a) }) {
			t.Errorf("%s may be somebody's", a)
		}
	}
	for _, kind := range demo.Kinds() {
		view, err := demo.New(kind, 1).Table().Overview(t.Context())
		must(t, err)
		for _, e := range view.Services {
			if !e.IsMark() {
				check(e.ServiceID.Addr)
			}
			for _, s := range e.Servers {
				check(s.Addr.Addr())
			}
		}
	}
}

func TestSteady(t *testing.T) {
	s := open(t, demo.Steady)
	first := s.sampler.Latest()
	if !first.Time.Equal(start) || len(first.Trend.Conns) != ops.TrendLen || first.Err != nil {
		t.Fatalf("want a full trend that ends now, got %d points until %v, %v", len(first.Trend.Conns), first.Time, first.Err)
	}
	draining := find(t, first, web).Servers[2].Active
	for range 20 {
		now := s.after(30 * time.Second)
		svc := find(t, now, web)
		if svc.Active < 8_000 || svc.Active > 18_000 || svc.Up != 3 {
			t.Errorf("want about 12k active on the big service and 3 of 4 up, got %d and %d", svc.Active, svc.Up)
		}
		if rate := float64(svc.Rate.Conns); float64(svc.Active) < 4*rate || float64(svc.Active) > 8*rate {
			t.Errorf("want connections of some 6 s, got %d active at %v per second", svc.Active, rate)
		}
		checkSane(t, now)
	}
	if left := find(t, s.sampler.Latest(), web).Servers[2]; left.Weight != 0 || left.Active >= draining/4 {
		t.Errorf("want the draining server's connections to end, %d of %d are left", left.Active, draining)
	}
}

// checkSane checks what is so on every director.
func checkSane(t *testing.T, s *ops.Sample) {
	t.Helper()
	var all ipvs.Traffic
	for _, svc := range s.Services {
		var sum ipvs.Traffic
		for _, r := range svc.Servers {
			sum = sum.Add(r.Rate)
			if !r.Forward.CountsReplies() && (r.Total.OutBytes != 0 || r.Total.OutPackets != 0) {
				t.Errorf("%s of %s: answers under %s do not pass the director", r.Name, svc.Name, r.Forward)
			}
			if svc.Protocol == ipvs.UDP && r.Active != 0 {
				t.Errorf("%s of %s: UDP is never established", r.Name, svc.Name)
			}
			if r.Rate.InPackets > 0 && (r.Rate.InBytes/r.Rate.InPackets < 40 || r.Rate.InBytes/r.Rate.InPackets > 1500) {
				t.Errorf("%s of %s: packets of %d bytes", r.Name, svc.Name, r.Rate.InBytes/r.Rate.InPackets)
			}
		}
		if svc.Rate != sum {
			t.Errorf("%s: rate %+v is not the sum of its servers', %+v", svc.Name, svc.Rate, sum)
		}
		all = all.Add(svc.Rate)
	}
	if s.Rate != all {
		t.Errorf("rate %+v is not the sum of the services', %+v", s.Rate, all)
	}
}

// The site has something of everything that the console must show.
func TestSiteIsVaried(t *testing.T) {
	s := open(t, demo.Steady).sampler.Latest()
	seen := map[string]bool{}
	for _, svc := range s.Services {
		seen[svc.Protocol.String()] = true
		seen[svc.Family.String()] = true
		seen[svc.Scheduler] = true
		seen["persistent"] = seen["persistent"] || svc.Persistence.On
		seen["engine"] = seen["engine"] || svc.Persistence.Engine != ""
		for _, r := range svc.Servers {
			seen[r.Forward.String()] = true
			seen["drained"] = seen["drained"] || r.Weight == 0
			seen["limited"] = seen["limited"] || r.Upper != 0
			if r.Forward == ipvs.TunnelFwd {
				seen[r.Tunnel.Type.String()] = true
			}
		}
	}
	for _, want := range strings.Fields("TCP UDP SCTP FWM IPv4 IPv6 NAT DR TUN ipip gue wlc wrr rr lc sh mh persistent engine drained limited") {
		if !seen[want] {
			t.Errorf("there is no %s in the site", want)
		}
	}
}

func TestIncident(t *testing.T) {
	s := open(t, demo.Incident)
	calm := s.sampler.Latest()
	if find(t, calm, mail).Up != 2 || find(t, calm, api).Overloaded != 0 {
		t.Fatal("want an ordinary day until the first frame")
	}
	dead := find(t, calm, web).Servers[1]

	soon := s.after(10 * time.Second)
	if now := find(t, soon, web).Servers[1]; now.Active > dead.Active*2/3 || now.Inactive < dead.Inactive*3/2 {
		t.Errorf("want a server that stopped answering to show within 10 s: %d and %d, then %d and %d",
			dead.Active, dead.Inactive, now.Active, now.Inactive)
	}
	if up := find(t, soon, mail).Up; up != 0 {
		t.Errorf("want no mail server to take connections, got %d", up)
	}

	later := s.after(50 * time.Second)
	if was, now := find(t, calm, dns).Rate.Conns, find(t, later, dns).Rate.Conns; now < 4*was {
		t.Errorf("want a surge of clients, got %d conn/s, then %d", was, now)
	}
	svc := find(t, later, api)
	if svc.Overloaded != 1 || svc.Up != 2 {
		t.Errorf("want one server over its threshold and two up, got %d and %d", svc.Overloaded, svc.Up)
	}
	if now := find(t, later, web).Servers[1]; now.Active > 100 || now.Inactive < 3*dead.Inactive {
		t.Errorf("want it to go on: %d active, %d inactive", now.Active, now.Inactive)
	}

	over := s.after(10 * time.Minute)
	if was, now := find(t, calm, dns).Rate.Conns, find(t, over, dns).Rate.Conns; now > 2*was {
		t.Errorf("want the surge over in the end, got %d conn/s, then %d", was, now)
	}
	checkSane(t, over)
}

// Traffic follows what the operator does.
func TestTrafficFollowsEdits(t *testing.T) {
	s := open(t, demo.Steady)
	table, ctx := s.Table(), t.Context()
	fresh := ipvs.AddressService(ipvs.TCP, netip.MustParseAddrPort("192.0.2.1:80"))
	one := ipvs.Server{Addr: netip.MustParseAddrPort("10.9.9.1:80"), Weight: 1}
	must(t, table.AddService(ctx, ipvs.NewService(fresh)))
	must(t, table.AddServer(ctx, fresh, one))
	drained := find(t, s.sampler.Latest(), web).Servers[0]
	was := drained.Active
	set := drained.Server
	set.Weight = 0
	must(t, table.SetServer(ctx, web, set))
	must(t, table.DeleteService(ctx, mail))

	now := s.after(2 * time.Minute)
	if got := find(t, now, fresh); got.Active == 0 || got.Rate.Conns == 0 {
		t.Errorf("want traffic at a new service, got %+v", got.Figures)
	}
	if got := find(t, now, web).Servers[0]; got.Active > was/2 || got.Rate.Conns != 0 {
		t.Errorf("want a drained server to lose its %d connections, got %+v", was, got.Figures)
	}
	must(t, table.AddService(ctx, ipvs.NewService(mail)))
	must(t, table.AddServer(ctx, mail, one))
	if got := find(t, s.after(time.Minute), mail); got.Rate.Conns == 0 || got.Rate.Conns > 20 {
		t.Errorf("want a service that comes back to have its own traffic again, got %+v", got.Figures)
	}
}

func TestBig(t *testing.T) {
	s := open(t, demo.Big)
	first := s.sampler.Latest()
	if len(first.Services) != 1000 || first.Servers != 100_000 {
		t.Errorf("want 1,000 services and 100,000 servers, got %d and %d", len(first.Services), first.Servers)
	}
	if n := len(first.Trend.Conns); n == 0 || first.Active == 0 || first.Rate.Conns == 0 {
		t.Errorf("want traffic and the beginning of a trend, got %d points of %+v", n, first.Figures)
	}
	next := s.after(4 * time.Second)
	moved := 0
	for i, svc := range next.Services {
		if svc.Total != first.Services[i].Total {
			moved++
		}
	}
	if moved < 990 {
		t.Errorf("want every service to move within 4 s, got %d", moved)
	}
}

func TestRunKeepsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := demo.New(demo.Steady, 1), demo.New(demo.Steady, 1)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { a.Run(ctx); close(ended) }()
		time.Sleep(time.Minute)
		synctest.Wait()
		cancel()
		<-ended
		b.Advance(time.Minute)
		ran, err := a.Table().Overview(t.Context())
		must(t, err)
		advanced, err := b.Table().Overview(t.Context())
		must(t, err)
		if !reflect.DeepEqual(ran, advanced) {
			t.Error("want a minute of running to be a minute")
		}
	})
}

// Time, readings and edits go on beside each other, as in the console.
func TestAllTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		d := demo.New(demo.Incident, 1)
		s := ops.NewSampler(d.Table(), ops.Options{Interval: time.Second})
		d.Prime(ctx, s, time.Now())
		var all sync.WaitGroup
		all.Go(func() { d.Run(ctx) })
		all.Go(func() { s.Run(ctx) })
		all.Go(func() {
			for i := uint32(0); ctx.Err() == nil; i++ {
				set := find(t, s.Latest(), web).Servers[i%4].Server
				set.Weight = i % 200
				must(t, d.Table().SetServer(ctx, web, set))
				s.ReadNow()
				s.Focus([]ipvs.ServiceID{web, dns}[:i%3])
				s.SetInterval(time.Duration(i%5) * time.Second)
				time.Sleep(300 * time.Millisecond)
			}
		})
		var last uint64
		for range 100 {
			<-s.Updated()
			now := s.Latest()
			if now.Seq < last || now.Err != nil {
				t.Errorf("want no older sample than before, got %d after %d, %v", now.Seq, last, now.Err)
			}
			last = now.Seq
		}
		cancel()
		all.Wait()
	})
}

func BenchmarkAdvance(b *testing.B) {
	for _, kind := range demo.Kinds() {
		b.Run(string(kind), func(b *testing.B) {
			d := demo.New(kind, 1)
			for b.Loop() {
				d.Advance(2 * time.Second)
			}
		})
	}
}

func BenchmarkPrime(b *testing.B) {
	for _, kind := range demo.Kinds() {
		b.Run(string(kind), func(b *testing.B) {
			d := demo.New(kind, 1)
			for b.Loop() {
				d.Prime(b.Context(), ops.NewSampler(d.Table(), ops.Options{}), start)
			}
		})
	}
}
