package services

import (
	"net/netip"
	"strconv"
	"strings"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
)

// FilterHelp is how a filter is written, in one line.
const FilterHelp = "text :port udp nat drain 10.0.3.0/24 !not"

// filterWords is the same with room to explain.
var filterWords = []string{
	"  text         part of an address, name, note or scheduler",
	"  :443         a port",
	"  tcp udp      a protocol; also sctp, fwm for marks, ipv4, ipv6",
	"  nat dr tun   a forwarding method",
	"  drain        a state; also off, full",
	"  10.0.3.0/24  addresses in a network",
	"  !nat         what is not so; all words must hold",
}

// Filter picks rows. Every term must hold; a server's row also has what its
// service has.
type Filter struct {
	Text  string
	terms []term
}

// term is one word of a filter. Exactly one of its tests applies.
type term struct {
	not    bool
	proto  ipvs.Protocol // tcp, udp, sctp
	mark   bool          // fwm
	family ipvs.Family   // ipv4, ipv6
	state  string        // drain, off, full
	way    int           // a forwarding method, or -1
	port   int           // :443, or -1
	prefix netip.Prefix
	text   string
}

// ParseFilter reads a filter. Whatever is no keyword, port or prefix is text to
// be found, so there is nothing to get wrong.
func ParseFilter(s string) Filter {
	f := Filter{Text: strings.TrimSpace(s)}
	for _, word := range strings.Fields(strings.ToLower(s)) {
		t := term{way: -1, port: -1}
		if rest, ok := strings.CutPrefix(word, "!"); ok {
			t.not, word = true, rest
		}
		if word == "" {
			continue
		}
		t.read(word)
		f.terms = append(f.terms, t)
	}
	return f
}

func (t *term) read(word string) {
	switch word {
	case "tcp":
		t.proto = ipvs.TCP
	case "udp":
		t.proto = ipvs.UDP
	case "sctp":
		t.proto = ipvs.SCTP
	case "fwm", "mark":
		t.mark = true
	case "drain", "off", "full":
		t.state = word
	case "ipv4":
		t.family = ipvs.IPv4
	case "ipv6":
		t.family = ipvs.IPv6
	case "nat", "masq":
		t.way = int(ipvs.Masq)
	case "tun", "tunnel":
		t.way = int(ipvs.TunnelFwd)
	case "dr", "route":
		t.way = int(ipvs.Direct)
	default:
		if port, ok := strings.CutPrefix(word, ":"); ok {
			if n, err := strconv.ParseUint(port, 10, 16); err == nil {
				t.port = int(n)
				return
			}
		}
		if p, err := netip.ParsePrefix(word); err == nil {
			t.prefix = p.Masked()
			return
		}
		if a, err := netip.ParseAddr(word); err == nil && a.Is6() {
			word = a.String() // however it was written
		}
		t.text = word
	}
}

// Empty tells a filter that picks everything.
func (f Filter) Empty() bool { return len(f.terms) == 0 }

func (f Filter) service(s *ops.Service, labels *serviceLabels) bool {
	for i := range f.terms {
		if t := &f.terms[i]; t.onService(s, labels) == t.not {
			return false
		}
	}
	return true
}

func (f Filter) server(s *ops.Service, r *ops.Server, labels *serviceLabels) bool {
	for i := range f.terms {
		t := &f.terms[i]
		has := t.onServer(r, labels) || (!t.ofServersOnly() && t.onService(s, labels))
		if has == t.not {
			return false
		}
	}
	return true
}

// ofServersOnly: a service has its servers' forwarding methods only because they
// do, so it must not lend them to the others.
func (t *term) ofServersOnly() bool { return t.way >= 0 }

func (t *term) onService(s *ops.Service, labels *serviceLabels) bool {
	switch {
	case t.proto != 0:
		return s.Protocol == t.proto
	case t.mark:
		return s.IsMark()
	case t.family != 0:
		return s.Family == t.family
	case t.state != "":
		return false
	case t.way >= 0:
		return s.Forwards.Has(ipvs.Forward(t.way))
	case t.port >= 0:
		return !s.IsMark() && int(s.Port) == t.port
	case t.prefix.IsValid():
		return t.prefix.Contains(s.Addr)
	}
	return strings.Contains(s.Name, t.text) || strings.Contains(s.Scheduler, t.text) ||
		labels != nil && strings.Contains(labels.own.find, t.text)
}

func (t *term) onServer(r *ops.Server, labels *serviceLabels) bool {
	switch {
	case t.proto != 0, t.mark:
		return false
	case t.family != 0:
		return r.Family() == t.family
	case t.state != "":
		return stateOf(r) == t.state
	case t.way >= 0:
		return int(r.Forward) == t.way
	case t.port >= 0:
		return int(r.Addr.Port()) == t.port
	case t.prefix.IsValid():
		return t.prefix.Contains(r.Addr.Addr())
	}
	return strings.Contains(r.Name, t.text) ||
		labels != nil && strings.Contains(labels.label(r).find, t.text)
}

// Troubled tells a service that "problems only" shows: none or not all of its
// servers take new connections.
func Troubled(s *ops.Service) bool { return s.Up == 0 || s.Up < len(s.Servers) }
