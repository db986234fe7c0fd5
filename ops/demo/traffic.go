package demo

import (
	"math"
	"math/rand/v2"
	"net/netip"
	"strings"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/memory"
)

// profile is how a service is used, all servers together.
type profile struct {
	conns    float64 // new connections per second on an average minute
	open     float64 // seconds a connection is established; 0 with UDP, which never is
	closing  float64 // seconds it is inactive
	linger   float64 // seconds the longest stay, on a server that is drained
	perConn  bytes   // moved by each connection at its beginning
	perSec   bytes   // moved by each established connection in each second
	inPacket float64 // bytes in a packet towards the server
}

// bytes is traffic in and out.
type bytes struct{ in, out float64 }

// Answers come in packets of outPacket bytes, and acks of the packets in are
// answered by one that is nearly empty.
const (
	outPacket = 1100
	acks      = .85
)

// load is the traffic of one service as it goes on.
type load struct {
	profile
	turn   int
	phases [len(waves)]float64
	gusts  float64 // a disturbance that comes and goes within seconds
	surge  surge
	dead   map[netip.AddrPort]bool // servers that do not answer
	full   map[netip.AddrPort]bool // servers left out since they reached their upper threshold
	seen   []memory.Observation    // scratch
}

// waves shape the minutes: a day of twenty minutes, with hours and moods in it.
var waves = [...]struct{ seconds, height float64 }{{1200, .15}, {310, .08}, {71, .04}}

// surge multiplies a load, growing over a while.
type surge struct {
	from, to float64
	at, over time.Duration
}

func (s surge) factor(clock time.Duration) float64 {
	if s.over == 0 {
		return 1
	}
	done := min(1, float64(clock-s.at)/float64(s.over))
	return s.from + (s.to-s.from)*done
}

// newcomer is the profile of a service that was not part of the demo.
var newcomer = profile{conns: 40, open: 8, closing: 30, linger: 60, perConn: bytes{900, 14_000}, inPacket: 120}

func (d *Demo) newLoad(p profile) *load {
	l := &load{profile: p, turn: len(d.loads) % d.turns, dead: map[netip.AddrPort]bool{}, full: map[netip.AddrPort]bool{}}
	for i := range l.phases {
		l.phases[i] = 2 * math.Pi * d.random.Float64()
	}
	return l
}

// everyTurn lets pass reach all services.
const everyTurn = -1

// pass lets time pass for the services whose turn it is.
func (d *Demo) pass(by time.Duration, turn int) {
	d.table.Observe(func(svc ipvs.Service, servers []ipvs.ServerState) []memory.Observation {
		l := d.loads[svc.ServiceID]
		if l == nil {
			l = d.newLoad(newcomer)
			d.loads[svc.ServiceID] = l
		}
		if turn != everyTurn && l.turn != turn {
			return nil
		}
		return l.pass(d.random, svc, servers, d.clock, by.Seconds())
	})
}

// pass gives what went on at a service's servers in the last so many seconds.
func (l *load) pass(r *rand.Rand, svc ipvs.Service, servers []ipvs.ServerState, clock time.Duration, seconds float64) []memory.Observation {
	l.seen = l.seen[:0]
	arriving := l.arriving(r, clock)
	var shares float64
	for i := range servers {
		shares += l.share(&svc, &servers[i])
	}
	for i := range servers {
		s := &servers[i]
		conns := 0.0
		if own := l.share(&svc, s); own > 0 {
			conns = arriving * own / shares
		}
		l.seen = append(l.seen, l.serve(r, &svc, s, conns, seconds))
	}
	return l.seen
}

// arriving is how many connections come in each second now.
func (l *load) arriving(r *rand.Rand, clock time.Duration) float64 {
	l.gusts = .6*l.gusts + .09*r.NormFloat64()
	level := 1 + l.gusts
	for i, w := range waves {
		level += w.height * math.Sin(2*math.Pi*clock.Seconds()/w.seconds+l.phases[i])
	}
	return l.conns * level * l.surge.factor(clock)
}

// What moves a server's share away from its weight, and persistence.
const (
	looksIdle  = 2.5 // least-connection schedulers prefer a server that answers nobody
	faithful   = .85 // of the clients come again, persistence ties them to a full server
	newClients = .05 // of the connections are the first of a client
)

// share is a server's part of the new connections, before they are divided by
// the sum of all shares.
func (l *load) share(svc *ipvs.Service, s *ipvs.ServerState) float64 {
	share := float64(s.Weight)
	if l.dead[s.Addr] && strings.HasSuffix(svc.Scheduler, "lc") {
		share *= looksIdle
	}
	if strings.HasSuffix(svc.Scheduler, "h") {
		share *= skew(s.Addr.Addr())
	}
	if s.Upper != 0 && l.isFull(s) {
		if !svc.Persistence.On {
			return 0
		}
		share *= faithful
	}
	return share
}

// skew is how uneven the hashing schedulers (sh, mh, dh) are to a server.
func skew(a netip.Addr) float64 {
	b := a.As16()
	return .75 + float64(b[15]*37%64)/128
}

// isFull keeps a server out from its upper threshold until its lower one, as
// the kernel does.
func (l *load) isFull(s *ipvs.ServerState) bool {
	lower := s.Lower
	if lower == 0 {
		lower = s.Upper / 4 * 3
	}
	switch conns := s.Active + s.Inactive; {
	case conns >= s.Upper:
		l.full[s.Addr] = true
	case conns < lower:
		delete(l.full, s.Addr)
	}
	return l.full[s.Addr]
}

// A server that does not answer: what was established breaks off, and what
// comes waits half open until the kernel gives up.
const (
	breaksOff = 12 // seconds
	halfOpen  = 60 // seconds, the kernel's SYN_RECV timeout
	synBytes  = 180
)

// serve moves a server's figures on. Connections come and go by chance around
// their mean, the faster the shorter they live.
func (l *load) serve(r *rand.Rand, svc *ipvs.Service, s *ipvs.ServerState, conns, seconds float64) memory.Observation {
	open, closing, perConn, perSec := l.open, l.closing, l.perConn, l.perSec
	stay, closes := open, conns
	switch {
	case l.dead[s.Addr]:
		open, stay, closing = 0, breaksOff, halfOpen
		perConn, perSec = bytes{in: synBytes}, bytes{}
	case conns == 0:
		stay = l.linger
		closes = float64(s.Active) / stay
	}
	active := drift(r, s.Active, conns*open, stay, seconds)
	inactive := drift(r, s.Inactive, closes*closing, closing, seconds)

	in := conns*perConn.in + active*perSec.in
	out := conns*perConn.out + active*perSec.out
	now := [5]float64{conns, in / l.inPacket, out/outPacket + acks*in/l.inPacket, in, out}
	if !s.Forward.CountsReplies() {
		now[2], now[4] = 0, 0
	}
	o := memory.Observation{Active: uint32(whole(r, active)), Inactive: uint32(whole(r, inactive))}
	if svc.Persistence.On {
		timeout := float64(svc.Persistence.Timeout)
		o.Persistent = uint32(whole(r, drift(r, s.Persistent, conns*newClients*timeout, timeout, seconds)))
	}
	o.Rate, o.Passed = count(r, s.Stats.Rate, now, seconds)
	return o
}

// count gives the rate as the kernel's estimator would, which goes a quarter of
// the way every 2 s, and the totals that passed.
func count(r *rand.Rand, was ipvs.Traffic, now [5]float64, seconds float64) (rate, passed ipvs.Traffic) {
	follow := 1 - math.Pow(.75, seconds/2)
	var sum, average [5]uint64
	for i, before := range [5]uint64{was.Conns, was.InPackets, was.OutPackets, was.InBytes, was.OutBytes} {
		flow := now[i] * (1 + .02*r.NormFloat64())
		average[i] = whole(r, float64(before)+follow*(flow-float64(before)))
		sum[i] = whole(r, flow*seconds)
	}
	return traffic(average), traffic(sum)
}

func traffic(f [5]uint64) ipvs.Traffic {
	return ipvs.Traffic{Conns: f[0], InPackets: f[1], OutPackets: f[2], InBytes: f[3], OutBytes: f[4]}
}

// drift moves a number of connections towards its mean, when each stays so many
// seconds: some of those now are left, some have come, each by its own chance,
// and the scatter is what that makes in sum.
func drift(r *rand.Rand, now uint32, mean, stay, seconds float64) float64 {
	if stay <= 0 {
		return mean
	}
	left := math.Exp(-seconds / stay)
	old, come := float64(now)*left, mean*(1-left)
	return max(0, old+come+math.Sqrt(old*(1-left)+come)*r.NormFloat64())
}

// whole rounds by chance, so that small steps add up over time.
func whole(r *rand.Rand, v float64) uint64 {
	return uint64(max(0, v) + r.Float64())
}
