package why

import (
	"fmt"
	"slices"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
	"lvsdeck/ops"
	"lvsdeck/ops/check"
	"lvsdeck/ops/probe"
)

// few is how many servers are named one by one.
const few = 8

// fewConns is from how many new connections per second on it is told that they
// have become fewer or more: as many times.
const (
	fewConns = 5
	times    = 3
)

// traffic tells what comes in, against what is usual.
func traffic(w *Walk) Answer {
	rate, stopped := w.service.Rate, w.scene.Sample.EstimatorStopped
	usual, known := usually(w.service.Trend)
	var a Answer
	switch {
	case stopped != "":
		a = unknown("counters stand still: %s", stopped)
	case !w.service.Counted:
		a = unknown("the service's counters were not read")
	case rate.InPackets == 0:
		a = look("no packet comes in now")
	case known && usual >= fewConns && rate.Conns == 0:
		a = look("no new connections, where %.0f/s are usual", usual)
	case known && usual >= fewConns && times*float64(rate.Conns) < usual:
		a = look("only %d new connections/s, where %.0f are usual", rate.Conns, usual)
	case w.crowded():
		a = look("%d new connections/s, where %.0f are usual", rate.Conns, usual)
	default:
		a = fine("%s/s and %s/s come in", plural(int(rate.InPackets), "packet"), plural(int(rate.Conns), "new connection"))
	}
	if w.service.Counted && stopped == "" {
		a.because("%s/s in, %d out; %s/s (over the last 8 s or so)", plural(int(rate.InPackets), "packet"), rate.OutPackets, plural(int(rate.Conns), "new connection"))
	}
	if known {
		over := time.Duration(len(w.service.Trend.Conns)*ops.TrendEvery) * w.scene.Sample.Interval
		a.because("the median of the last %.0f minutes is %.1f new connections/s", over.Minutes(), usual)
	}
	if w.service.IsMark() {
		a.because("the service has a mark of the firewall and no VIP: see iptables -t mangle -S, nft list ruleset")
		return a
	}
	if way, known := w.scene.Ways[w.service.Addr]; known && way.Local {
		a.because("%s is an address of this director", w.service.Addr)
	}
	if l, known := w.front(); known {
		a.because("clients come by %s: %s", l.Name, standing(l))
	}
	return a
}

// crowded tells that far more connections come than usual.
func (w *Walk) crowded() bool {
	usual, known := usually(w.service.Trend)
	rate := w.service.Rate.Conns
	return known && rate >= fewConns && float64(rate) > times*usual
}

// usually is the middle of the rates of the last minutes, when there were some.
func usually(t *ops.Trend) (middle float64, known bool) {
	const enough = 20 // points, of 6 s at the default interval
	if t == nil {
		return 0, false
	}
	rates := slices.DeleteFunc(slices.Clone(t.Conns), func(v float32) bool { return v == ops.Unknown })
	if len(rates) < enough {
		return 0, false
	}
	slices.Sort(rates)
	return float64(rates[len(rates)/2]), true
}

// front is the link by which clients' packets come in.
func (w *Walk) front() (l netcfg.Link, known bool) {
	i := slices.IndexFunc(w.scene.Links, func(l netcfg.Link) bool { return l.Name == w.scene.Front(w.service.Addr) })
	if i < 0 {
		return l, false
	}
	return w.scene.Links[i], true
}

func standing(l netcfg.Link) string {
	switch {
	case !l.Up:
		return "it is switched off"
	case !l.Carrier:
		return "it has no carrier"
	}
	return "up, with carrier"
}

// takers tells who takes new connections.
func takers(w *Walk) Answer {
	up, all := 0, len(w.service.Servers)
	var a Answer
	for _, r := range w.service.Servers {
		if r.Usable() {
			up++
		}
	}
	switch {
	case w.at.Server.IsValid() && w.servers[0].Weight == 0:
		a = look("it is drained: weight 0 gets no new connections")
	case w.at.Server.IsValid():
		a = fine("it takes new connections, one of %d that do", up)
	case up == all && all == 1:
		a = fine("its server takes new connections")
	case up == all:
		a = fine("all %d take new connections", all)
	default:
		a = fine("%d of %d take new connections", up, all)
	}
	a.because("scheduler %s", w.service.Scheduler)
	for i, r := range w.servers {
		if i == few {
			a.because("and %d more", len(w.servers)-few)
			break
		}
		a.because("%s: %s, weight %d, %d active, %d inactive", r.Addr, r.Forward, r.Weight, r.Active, r.Inactive)
	}
	return a
}

// fewFresh is how many fresh connections there must be before half open ones mean
// something.
const fewFresh = 5

// are is "1 fresh connection is", "4 fresh connections are".
func are(n uint64) string {
	if n == 1 {
		return "1 fresh connection is"
	}
	return plural(int(n), "fresh connection") + " are"
}

// handshakes tells whether connections get past their first packets.
func handshakes(w *Walk) Answer {
	var moved check.Moved
	var load check.Load
	for _, r := range w.servers {
		at := check.Place{Service: w.at.Service, Server: r.Addr}
		n := w.scene.Lately[at]
		moved.Traffic, moved.For = moved.Traffic.Add(n.Traffic), max(moved.For, n.For)
		if w.scene.Loads != nil {
			n := w.scene.Loads.Servers[at]
			load.Fresh += n.Fresh
			load.HalfOpen += n.HalfOpen
			load.Open += n.Open
			load.Conns += n.Conns
		}
	}
	var a Answer
	tcp := w.service.Protocol == ipvs.TCP || w.service.IsMark()
	switch {
	case !tcp:
		a = notHere("%s has no handshake that is watched", w.service.Protocol)
	case moved.Conns == 0 && load.Fresh == 0:
		a = unknown("no connection was made lately to judge by")
	case load.HalfOpen > 0 && load.Fresh < fewFresh:
		a = unknown("too few to judge by: %d of %s half open", load.HalfOpen, are(load.Fresh))
	case load.Fresh > 0:
		a = fine("half open: %d of %d fresh connections", load.HalfOpen, load.Fresh)
	default:
		a = fine("%.1f packets in for each new connection", float64(moved.InPackets)/float64(moved.Conns))
	}
	if moved.For > 0 {
		a.because("%d new connections, %d packets in and %d out in %.0f s", moved.Conns, moved.InPackets, moved.OutPackets, moved.For.Seconds())
	}
	switch {
	case w.scene.Loads == nil:
		a.because("the list of connections was not read")
	case tcp:
		a.because("%s, %d established; %d had a packet in the last 10 s, of which half open: %d", plural(int(load.Conns), "connection"), load.Open, load.Fresh, load.HalfOpen)
	default:
		a.because("%s; %d had a packet in the last 10 s", plural(int(load.Conns), "connection"), load.Fresh)
	}
	if !w.masq() {
		a.because("answers under %s go past this director: none out is as it should be", w.service.Forwards)
	}
	return a
}

// asked tells what servers answer, when they were asked.
func asked(w *Walk) Answer {
	switch {
	case w.service.IsMark():
		return notHere("a mark has no VIP and port to ask for")
	case !w.verdict.Probed:
		return unknown("they were not asked: no packet was sent")
	}
	var said []probe.Result
	served, alike := 0, true
	for _, r := range w.asked.Servers {
		if !slices.ContainsFunc(w.servers, func(o *ops.Server) bool { return o.Addr == r.Server.Addr }) {
			continue
		}
		said = append(said, r)
		if alike = alike && r.Short == said[0].Short; r.Verdict == probe.Fine && r.Protocol == ipvs.TCP {
			served++
		}
	}
	var a Answer
	switch n := len(w.servers); {
	case served == 1 && n == 1:
		return fine("it answers as it should")
	case served == n && n > 0:
		return fine("all %d answer as they should", n)
	case n == 1 && len(said) == 1:
		return unknown("%s", said[0].Short)
	default:
		a = unknown("%d of %d were asked", len(said), n)
	}
	if len(said) > 0 && alike {
		a.Says += ": " + said[0].Short
		return a
	}
	for i, r := range said {
		if i == few {
			a.because("and %d more", len(said)-few)
			break
		}
		a.because("%s: %s", r.Server.Addr, r.Short)
	}
	return a
}

// claimed tells who has the VIP, when the segment was asked.
func claimed(w *Walk) Answer {
	switch {
	case w.service.IsMark():
		return notHere("a mark has no VIP")
	case !w.verdict.Probed:
		return unknown("nobody was asked: no packet was sent")
	case !w.scene.Ways[w.service.Addr].Local:
		return notHere("the VIP is not on this director")
	case len(w.asked.VIPs) == 0:
		return unknown("nobody was asked")
	}
	return fine("nobody else answers for %s", w.service.Addr)
}

// fewShared is how many new connections there must be before shares mean something.
const fewShared = 200

// shares tells who gets new connections, against the weights.
func shares(w *Walk) Answer {
	v := w.service
	if len(v.Servers) < 2 {
		return notHere("the service has %s", plural(len(v.Servers), "server"))
	}
	var conns, weights uint64
	var took time.Duration
	for _, r := range v.Servers {
		n := w.scene.Longer[check.Place{Service: w.at.Service, Server: r.Addr}]
		conns, weights, took = conns+n.Conns, weights+uint64(r.Weight), max(took, n.For)
	}
	var a Answer
	switch {
	case v.Persistence.On:
		a = fine("persistence keeps clients on their servers, whatever the weights say")
	case !slices.Contains([]string{"rr", "wrr", "lc", "wlc"}, v.Scheduler):
		a = fine("%s does not go by weights alone", v.Scheduler)
	case conns < fewShared:
		a = unknown("too few new connections to judge by: %d", conns)
	default:
		a = fine("new connections go as the weights say")
	}
	for i, r := range w.servers {
		if i == few {
			a.because("and %d more", len(w.servers)-few)
			break
		}
		n := w.scene.Longer[check.Place{Service: w.at.Service, Server: r.Addr}]
		says := fmt.Sprintf("%s: weight %d of %d", r.Addr, r.Weight, weights)
		if conns > 0 {
			says += fmt.Sprintf(", %d of %d new connections in %.0f s (%d %%)", n.Conns, conns, took.Seconds(), (100*n.Conns+conns/2)/conns)
		}
		if r.PersistentKnown && r.Persistent > 0 {
			says += fmt.Sprintf(", keeps %s", plural(int(r.Persistent), "client"))
		}
		a.because("%s", says)
	}
	return a
}

// oneOrAll tells which servers stand out.
func oneOrAll(w *Walk) Answer {
	if n := len(w.service.Servers); n < 2 {
		return notHere("the service has %s", plural(n, "server"))
	}
	var out []string
	for _, r := range w.service.Servers {
		if slices.ContainsFunc(slices.Concat(w.symptoms, w.found), func(f check.Finding) bool {
			return f.Service == w.at.Service && f.Server == r.Addr && f.Severity > check.Notice
		}) {
			out = append(out, r.Addr.String())
		}
	}
	var a Answer
	switch all := len(w.service.Servers); {
	case len(out) == 0:
		return fine("no server stands out from the others")
	case len(out) == all:
		a = look("all %d: look at what they share: this director, the way back, a flood", all)
	case len(out) == 1:
		a = look("one of %d, %s: look at that server", all, out[0])
	default:
		a = look("%d of %d: look at what these share", len(out), all)
	}
	for _, name := range out[:min(few, len(out))] {
		a.because("%s stands out", name)
	}
	return a
}
