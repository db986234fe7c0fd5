package netcfg

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Sysctl is what is known about one sysctl of IPVS.
type Sysctl struct {
	Name    string
	About   string // one sentence
	Default string // "": the kernel works it out from memory, CPUs or the namespace
	Rule    string // "must be 0 or 1"
	Since   string // the first kernel that has it; "": before 5.4
	Choices []Choice

	fits   func(string) bool
	strict bool // the kernel refuses what does not fit
}

// Choice is a value with its meaning.
type Choice struct{ Value, Means string }

// Known is every sysctl of IPVS up to Linux 7.3, sorted by name. Kernels lack
// some of them.
func Known() []Sysctl { return known }

// Find gives what is known about a sysctl.
func Find(name string) (Sysctl, bool) {
	i, ok := slices.BinarySearchFunc(known, name, func(s Sysctl, name string) int { return strings.Compare(s.Name, name) })
	if !ok {
		return Sysctl{}, false
	}
	return known[i], true
}

// Check refuses a value that breaks the sysctl's rule. Of a sysctl that is not
// known nothing is refused.
func Check(name, value string) error {
	s, ok := Find(name)
	if !ok || s.fits(tidy(value)) {
		return nil
	}
	return &Error{Name: name, Value: value, Set: true, Rule: s.Rule}
}

// Same tells whether two values mean the same. Of a defence the kernel itself
// turns 1 into 2 and back, as memory gets short or not.
func Same(name, a, b string) bool { return canonical(name, a) == canonical(name, b) }

func canonical(name, value string) string {
	value = tidy(value)
	if s, ok := Find(name); ok {
		if slices.Equal(s.Choices, defence) && value == "2" {
			return "1"
		}
		if name == cpuList {
			if cpus, ok := parseCPUs(value); ok {
				return fmt.Sprint(cpus)
			}
		}
	}
	return value
}

const cpuList = "est_cpulist"

var defence = []Choice{
	{"0", "off"},
	{"1", "by itself while memory is short; then it shows 2"},
	{"3", "always on"},
}

var known = []Sysctl{
	number("am_droprate", "With drop_packet 3: one packet in so many is dropped.", "10", 0, maxInt),
	number("amemthresh", "Free memory, in pages, under which the automatic defences start.", "1024", 0, maxInt),
	onOff("backup_only", "While the backup sync daemon runs this director balances nothing, which keeps DR and TUN pairs from looping.", "0"),
	onOff("cache_bypass", "When a cache cluster has no server left, packets go on to where the client sent them.", "0"),
	number("conn_lfactor", "Density of the connection table: 2 to this power nodes a bucket. Unless set it is -4, in a container -2.", "", -8, 8).from("7.1").refusing(),
	number("conn_max", "Most connections that this network namespace may have.", "1073741824", 0, maxInt).from("7.2"),
	chosen("conn_reuse_mode", "What a new connection does that reuses the port of an old one.", "1",
		Choice{"0", "goes where the old one went, even to a drained or removed server"},
		Choice{"1", "is scheduled anew when the old one is over: TIME_WAIT, which only NAT sees"},
		Choice{"2", "is scheduled anew also when the old one is in FIN_WAIT, the last that DR sees"}),
	onOff("conntrack", "Connections are in conntrack too: needed where iptables or nft masquerades or tracks what IPVS balances.", "0"),
	number("debug_level", "How much IPVS tells in the kernel's log.", "0", 0, maxInt),
	guard("drop_entry", "Throws some connections away, half-open ones first, to get memory back."),
	guard("drop_packet", "Drops some packets before they get to the servers."),
	list(cpuList, "CPUs on which counters and rates are worked out; with none they stand still.", "must be CPUs of this host such as 0-3,6, or empty",
		func(v string) bool { _, ok := parseCPUs(v); return ok }).from("6.2").refusing(),
	number("est_nice", "Niceness of the threads that work out counters and rates.", "0", -20, 19).from("6.2").refusing(),
	onOff("expire_nodest_conn", "A connection whose server was removed ends at its next packet, instead of its packets being dropped in silence; new connections leave a drained server.", "0"),
	onOff("expire_quiescent_template", "Persistent clients leave a server as soon as its weight is 0.", "0"),
	onOff("ignore_tunneled", "Packets that come out of a tunnel are not balanced again.", "0"),
	onOff("nat_icmp_send", "A NAT server that sends for an unknown connection is told that its port is unreachable.", "0"),
	onOff("pmtu_disc", "To TUN servers: DF is set, and clients are told when packets are too big.", "1"),
	onOff("run_estimation", "Counters and rates are worked out; 0 stops both.", "1").from("5.15"),
	onOff("schedule_icmp", "ICMP that belongs to no connection is balanced as well.", "0"),
	guard("secure_tcp", "Shortens the timeouts of TCP connections that are not established."),
	onOff("sloppy_sctp", "Any SCTP packet makes a connection: for taking over in mid-flow.", "0"),
	onOff("sloppy_tcp", "Any TCP packet but RST makes a connection: for taking over in mid-flow.", "0"),
	onOff("snat_reroute", "Answers of NAT servers are routed anew by their new source.", "1"),
	number("svc_lfactor", "Density of the table of services: 2 to this power nodes a bucket. Unless set it is -3, in a container -2.", "", -8, 8).from("7.1").refusing(),
	onOff("sync_persist_mode", "The master tells only the templates of persistent clients, not connections.", "0"),
	list("sync_ports", "Threads, each with a port of its own, that a sync daemon uses; for daemons started later.", "must be 1, 2, 4, 8, 16, 32 or 64",
		func(v string) bool { n, err := strconv.Atoi(v); return err == nil && n > 0 && n <= 64 && n&(n-1) == 0 }).
		by("1").refusing(),
	number("sync_qlen_max", "Messages that may wait to be sent to the backup; more are lost.", "", 0, 1<<53).refusing(),
	number("sync_refresh_period", "Seconds after which a connection without change is told again; 0: only by sync_threshold.", "0", 0, maxInt/1000),
	number("sync_retries", "How often a connection is told again at once, for backups that lost it.", "0", 0, 3).refusing(),
	number("sync_sock_size", "Buffer of the sync daemon's socket in bytes; 0: the system's.", "0", 0, maxInt),
	list("sync_threshold", "A connection is told at its first number of packets, then every second number.",
		"must be two numbers such as 3 50, the first below the second unless that is 0", isThreshold).by("3 50").refusing(),
	chosen("sync_version", "Protocol of the sync daemons.", "1",
		Choice{"0", "for backups before Linux 2.6.39"}, Choice{"1", "with IPv6, states and templates"}).refusing(),
}

const maxInt = 1<<31 - 1

func number(name, about, def string, least, most int64) Sysctl {
	return Sysctl{
		Name: name, About: about, Default: def, Rule: fmt.Sprintf("must be %d to %d", least, most),
		fits: func(v string) bool {
			n, err := strconv.ParseInt(v, 10, 64)
			return err == nil && n >= least && n <= most
		},
	}
}

func chosen(name, about, def string, choices ...Choice) Sysctl {
	var values []string
	for _, c := range choices {
		values = append(values, c.Value)
	}
	last := len(values) - 1
	return Sysctl{
		Name: name, About: about, Default: def, Choices: choices,
		Rule: "must be " + strings.Join(values[:last], ", ") + " or " + values[last],
		fits: func(v string) bool { return slices.Contains(values, v) },
	}
}

func onOff(name, about, def string) Sysctl {
	return chosen(name, about, def, Choice{"0", "off"}, Choice{"1", "on"})
}

func guard(name, about string) Sysctl {
	s := chosen(name, about, "0", defence...).refusing()
	fits := s.fits
	s.fits = func(v string) bool { return v == "2" || fits(v) }
	return s
}

func list(name, about, rule string, fits func(string) bool) Sysctl {
	return Sysctl{Name: name, About: about, Rule: rule, fits: fits}
}

func (s Sysctl) by(def string) Sysctl      { s.Default = def; return s }
func (s Sysctl) from(kernel string) Sysctl { s.Since = kernel; return s }
func (s Sysctl) refusing() Sysctl          { s.strict = true; return s }

func isThreshold(v string) bool {
	var first, second uint32
	n, err := fmt.Sscanf(v+" ", "%d %d ", &first, &second)
	return err == nil && n == 2 && len(strings.Fields(v)) == 2 && first <= maxInt && second <= maxInt &&
		(second == 0 || first < second)
}

// maxCPUs is more than any kernel is built for.
const maxCPUs = 1 << 13

// parseCPUs reads the kernel's lists of CPUs: 0-3,6.
func parseCPUs(s string) ([]int, bool) {
	var cpus []int
	if s == "" {
		return nil, true
	}
	for part := range strings.SplitSeq(s, ",") {
		first, last, ranged := strings.Cut(part, "-")
		a, err := strconv.ParseUint(first, 10, 16)
		b := a
		if ranged && err == nil {
			b, err = strconv.ParseUint(last, 10, 16)
		}
		if err != nil || b < a || b >= maxCPUs {
			return nil, false
		}
		for c := int(a); c <= int(b); c++ {
			cpus = append(cpus, c)
		}
	}
	slices.Sort(cpus)
	return slices.Compact(cpus), true
}
