package check

import (
	"fmt"
	"strings"

	"lvsdeck/netcfg/firewall"
	"lvsdeck/ops"
)

// reuse: what a new connection does that has the port of an old one.
func reuse(s *Scene) []Finding {
	const name = "conn_reuse_mode"
	mode, old := s.sysctl(name), s.Kernel.Before(5, 9)
	f := Finding{Severity: Warning}
	is := []string{
		fmt.Sprintf("net.ipv4.vs.%s is %s, net.ipv4.vs.conntrack is %s", name, mode, s.sysctl("conntrack")),
		fmt.Sprintf("Linux %d.%d", s.Kernel.Major, s.Kernel.Minor),
	}
	switch {
	case s.Kernel == Release{} || mode == "" || len(s.Sample.Services) == 0:
		return nil
	case old && mode != "0" && s.conntrack():
		f.Short, f.Means = "connections that reuse a port wait a second", "Before Linux 5.9 the first packet of such a connection is dropped: it takes 1 s longer."
		f.Fix = fix("", s.set(name, "0", "Such connections go where the old ones went, without waiting."))
	case !old && mode == "0" && s.drained():
		f.Short, f.Means = "connections that reuse a port keep the old server", "New connections of busy clients go to drained servers, too."
		f.Fix = fix("", s.set(name, "1", "Such connections are scheduled anew."))
	default:
		return nil
	}
	f.Evidence = is
	return []Finding{f}
}

// drained tells that there is a server that should get no new connections.
func (s *Scene) drained() (is bool) {
	s.each(func(_ *ops.Service, r *ops.Server) { is = is || r.Weight == 0 })
	return is
}

// defences are what IPVS does against floods, when it is told to do so always
// (value 3), whatever memory is left.
var defences = []struct {
	name, does string
	severity   Severity
}{
	{"drop_packet", "first packets of new connections are dropped, one of some: those clients wait a second or longer", Warning},
	{"drop_entry", "connections that are half open or idle are dropped at random: slow clients may be cut off", Notice},
	{"secure_tcp", "states of TCP are kept more strictly, and for shorter", Notice},
}

// defended: defences of an incident that is over, or not.
func defended(s *Scene) (all []Finding) {
	for _, d := range defences {
		if s.sysctl(d.name) == "3" {
			all = append(all, Finding{
				Severity: d.severity, Short: "a defence against floods is always on: " + d.name, Evidence: evidence("net.ipv4.vs.%s is 3", d.name),
				Means: "Good while a flood is on. Without one " + d.does + ".", Fix: fix("", s.set(d.name, "0", "Floods are not defended against any more.")),
			})
		}
	}
	return all
}

// estimator: counters that stand still.
func estimator(s *Scene) []Finding {
	if s.Sample.EstimatorStopped == "" {
		return nil
	}
	f := Finding{
		Severity: Warning, Short: "counters and rates stand still", Evidence: []string{s.Sample.EstimatorStopped},
		Means: "Nothing for clients; but rates and totals here and everywhere are old, and so are the checks that go by them.",
	}
	if value := s.sysctl("run_estimation"); value == "0" {
		f.Evidence = append(f.Evidence, "net.ipv4.vs.run_estimation is 0")
		f.Fix = fix("", s.set("run_estimation", "1", "Counters and rates are worked out again."))
	}
	return []Finding{f}
}

// tableSize: the connections in each bucket of the table, which grows by itself
// since Linux 7.1.
func tableSize(s *Scene) []Finding {
	n, size := s.Sample.Active+s.Sample.Inactive, uint64(s.Sample.Info.TableSize)
	grows := s.Kernel != Release{} && !s.Kernel.Before(7, 1)
	if size == 0 || n <= size || grows {
		return nil
	}
	f := Finding{
		Severity: Notice, Short: "the table of connections is small for so many",
		Evidence: evidence("%d connections in %d buckets: %.1f in each", n, size, float64(n)/float64(size)),
		Means:    "Each packet takes longer. The size is set when the module is loaded: options ip_vs conn_tab_bits=20 in /etc/modprobe.d.",
	}
	if n > 2*size {
		f.Severity = Warning
	}
	return []Finding{f}
}

// conntrackTable: when it is full, packets of new connections are dropped.
func conntrackTable(s *Scene) []Finding {
	n, known := s.number(trackNow)
	most, limited := s.number(trackMax)
	if !known || !limited || most == 0 || 10*n < 8*most {
		return nil
	}
	f := Finding{
		Severity: Warning, Short: "conntrack's table fills up", Evidence: evidence("%d entries of at most %d: %d %%", n, most, 100*n/most),
		Means: "When it is full, new connections are dropped at random.",
		Fix:   fix("", s.set(trackMax, fmt.Sprint(2*most), "There is room for twice as many; an entry takes about 320 bytes.")),
	}
	if n >= most {
		f.Severity, f.Short, f.Means = Fault, "conntrack's table is full", "New connections are dropped at random."
	}
	return []Finding{f}
}

// owners: who will take changes back.
func owners(s *Scene) []Finding {
	if s.Owner == nil {
		return nil
	}
	f := Finding{
		Short: s.Owner.Name + " manages this table", Evidence: evidence("it runs as pid %d", s.Owner.PID),
		Means: "Nothing for clients. About changes made here: " + s.Owner.Will,
	}
	if s.Owner.Also != "" {
		f.Severity, f.Short = Warning, "several programs manage this table"
		f.Evidence = append(f.Evidence, fmt.Sprintf("%s, and so does: %s", s.Owner.Name, s.Owner.Also))
		f.Means = "Each takes back what the other does: servers and weights change again and again."
	}
	return []Finding{f}
}

// backends: two of iptables, of which each tool shows one.
func backends(s *Scene) []Finding {
	if s.Firewall == nil {
		return nil
	}
	var both []string
	for _, b := range s.Firewall.Backends() {
		if b == firewall.IptablesNFT || b == firewall.IptablesLegacy {
			both = append(both, string(b))
		}
	}
	if len(both) < 2 {
		return nil
	}
	return []Finding{{
		Severity: Warning, Short: "iptables has rules in two places",
		Evidence: evidence("%s both have rules; iptables here writes to %s", strings.Join(both, " and "), s.Firewall.Default),
		Means:    "Packets must pass both, and each tool shows one: a rule that allows may be in the wrong one.",
	}}
}
