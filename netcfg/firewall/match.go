package firewall

import (
	"net/netip"
	"strconv"
	"strings"
)

// ruleParser goes through the words of a rule of iptables and collects what it
// asks for.
type ruleParser struct {
	words   []string
	word    string
	negated bool
	modules []string // whose options may come
	when    []condition
}

// next goes to the next option.
func (p *ruleParser) next() bool {
	p.negated = false
	for len(p.words) > 0 {
		if p.word = p.take(); p.word != "!" {
			return true
		}
		p.negated = true
	}
	return false
}

// take gives the next word.
func (p *ruleParser) take() (word string) {
	if len(p.words) > 0 {
		word, p.words = p.words[0], p.words[1:]
	}
	return word
}

func (p *ruleParser) want(c condition) {
	if p.negated {
		c = not(c)
	}
	p.when = append(p.when, c)
}

// plain are modules that ask for nothing by themselves, only by their options.
var plain = map[string]bool{
	"tcp": true, "udp": true, "sctp": true, "dccp": true, "udplite": true, "multiport": true, "conntrack": true,
	"state": true, "comment": true, "addrtype": true, "mark": true, "iprange": true, "ipvs": true,
}

// match reads one option with its values. One that it does not know takes the
// words up to the next option, and may match or not.
func (p *ruleParser) match() {
	if p.word == "-m" {
		module := p.take()
		if !plain[module] {
			p.when = append(p.when, mysterious)
		}
		p.modules = append(p.modules, module)
		return
	}
	if read := options[p.word]; read != nil {
		read(p)
		return
	}
	for _, module := range p.modules {
		if read := moduleOptions[module+" "+p.word]; read != nil {
			read(p)
			return
		}
	}
	for len(p.words) > 0 && p.words[0] != "!" && !strings.HasPrefix(p.words[0], "-") {
		p.take()
	}
	p.when = append(p.when, mysterious)
}

// options are those of every rule.
var options = map[string]func(*ruleParser){
	"-s": func(p *ruleParser) { p.want(networkOf(source, p.take())) },
	"-d": func(p *ruleParser) { p.want(networkOf(destination, p.take())) },
	"-i": func(p *ruleParser) { p.want(linkIs(source, p.take(), "+")) },
	"-o": func(p *ruleParser) { p.want(linkIs(destination, p.take(), "+")) },
	"-p": func(p *ruleParser) {
		proto := p.take()
		p.want(protoOf(proto))
		p.modules = append(p.modules, proto) // as iptables does for whoever does not write -m
	},
	"-f": func(p *ruleParser) { p.want(not(always)) }, // later fragments: conntrack and IPVS put them together
}

// moduleOptions are those of modules.
var moduleOptions = map[string]func(*ruleParser){
	"multiport --sports": func(p *ruleParser) { p.want(portsOf(p.take(), source)) },
	"multiport --dports": func(p *ruleParser) { p.want(portsOf(p.take(), destination)) },
	"multiport --ports":  func(p *ruleParser) { p.want(portsOf(p.take(), source, destination)) },

	"tcp --tcp-flags": func(p *ruleParser) { p.want(flagsOf(p.take(), p.take())) },
	"tcp --syn":       func(p *ruleParser) { p.want(flagsAre(FIN|SYN|RST|ACK, SYN)) },

	"conntrack --ctstate": func(p *ruleParser) { p.want(statesOf(p.take())) },
	"state --state":       func(p *ruleParser) { p.want(statesOf(p.take())) },
	"comment --comment":   func(p *ruleParser) { p.take() },
	"addrtype --src-type": func(p *ruleParser) { p.want(typesOf(source, p.take())) },
	"addrtype --dst-type": func(p *ruleParser) { p.want(typesOf(destination, p.take())) },
	"mark --mark":         func(p *ruleParser) { p.want(markOf(p.take())) },
	"iprange --src-range": func(p *ruleParser) { p.want(rangeOf(source, p.take())) },
	"iprange --dst-range": func(p *ruleParser) { p.want(rangeOf(destination, p.take())) },

	"ipvs --ipvs":   func(p *ruleParser) { p.want(balanced(func(Balanced) bool { return true })) },
	"ipvs --vproto": func(p *ruleParser) { p.wantBalanced(protoOf(p.take())) },
	"ipvs --vaddr":  func(p *ruleParser) { p.wantBalanced(vipOf(p.take())) },
	"ipvs --vport":  func(p *ruleParser) { p.wantBalanced(vportOf(p.take())) },
	"ipvs --vdir": func(p *ruleParser) {
		reply := p.take() == "REPLY"
		p.wantBalanced(balanced(func(b Balanced) bool { return b.Reply == reply }))
	},
	"ipvs --vmethod": func(p *ruleParser) {
		m := Method(p.take())
		p.wantBalanced(balanced(func(b Balanced) bool { return b.Method == m }))
	},
}

func init() {
	for _, proto := range []string{"tcp", "udp", "sctp", "dccp", "udplite"} {
		for _, o := range []string{"--sport", "--dport"} {
			s := side(o == "--dport")
			moduleOptions[proto+" "+o] = func(p *ruleParser) { p.want(portsOf(p.take(), s)) }
		}
	}
}

// wantBalanced wants it of a packet of IPVS's: of others nothing matches, not
// even what is negated.
func (p *ruleParser) wantBalanced(c condition) {
	p.when = append(p.when, balanced(func(Balanced) bool { return true }))
	p.want(c)
}

func vipOf(word string) condition {
	network, ok := parseNetwork(word)
	if !ok {
		return mysterious
	}
	asks := balanced(func(b Balanced) bool { return network.Contains(b.VIP.Addr()) })
	return func(v *view) answer {
		v.bounds.network(network)
		if (v.Balanced != Balanced{}) && !v.Balanced.VIP.IsValid() {
			return maybe
		}
		return asks(v)
	}
}

func vportOf(word string) condition {
	port, err := strconv.ParseUint(word, 10, 16)
	if err != nil {
		return mysterious
	}
	asks := balanced(func(b Balanced) bool { return b.VIP.Port() == uint16(port) })
	return func(v *view) answer {
		v.bounds.ports(uint16(port), uint16(port))
		if (v.Balanced != Balanced{}) && !v.Balanced.VIP.IsValid() {
			return maybe
		}
		return asks(v)
	}
}

func networkOf(s side, word string) condition {
	network, ok := parseNetwork(word)
	if !ok {
		return mysterious
	}
	return inNetwork(s, network)
}

// parseNetwork reads an address with or without a length; legacy writes the
// length as a mask when it is an odd one.
func parseNetwork(word string) (netip.Prefix, bool) {
	if a, err := netip.ParseAddr(word); err == nil {
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	if p, err := netip.ParsePrefix(word); err == nil {
		return p.Masked(), true
	}
	addr, mask, _ := strings.Cut(word, "/")
	a, err := netip.ParseAddr(addr)
	m, err2 := netip.ParseAddr(mask)
	if err != nil || err2 != nil || a.BitLen() != m.BitLen() {
		return netip.Prefix{}, false
	}
	bits := 0
	for _, b := range m.AsSlice() {
		for ; b&0x80 != 0; b <<= 1 {
			bits++
		}
	}
	p := netip.PrefixFrom(a, bits).Masked()
	return p, maskOf(p) == m
}

// maskOf is a network's mask, to see that one has no holes.
func maskOf(p netip.Prefix) netip.Addr {
	b := make([]byte, p.Addr().BitLen()/8)
	for i := range p.Bits() {
		b[i/8] |= 0x80 >> (i % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

func rangeOf(s side, word string) condition {
	from, to, _ := strings.Cut(word, "-")
	first, err := netip.ParseAddr(from)
	last, err2 := netip.ParseAddr(to)
	if err != nil || err2 != nil {
		return mysterious
	}
	return within(s, first, last)
}

// protoOf knows names and numbers; 0 and "all" are any.
func protoOf(word string) condition {
	if n, ok := protocols[word]; ok {
		return protoIs(n)
	}
	n, err := strconv.ParseUint(word, 10, 8)
	switch {
	case word == "all" || err == nil && n == 0:
		return always
	case err != nil:
		return mysterious
	}
	return protoIs(uint8(n))
}

// portsOf reads "80", "1024:65535", and several with commas, of one side or of
// either.
func portsOf(word string, sides ...side) condition {
	var any []condition
	for part := range strings.SplitSeq(word, ",") {
		from, to, isRange := strings.Cut(part, ":")
		if !isRange {
			to = from
		}
		first, err := strconv.ParseUint(from, 10, 16)
		last, err2 := strconv.ParseUint(to, 10, 16)
		if err != nil || err2 != nil {
			return mysterious
		}
		for _, s := range sides {
			any = append(any, portWithin(s, uint16(first), uint16(last)))
		}
	}
	return some(any...)
}

var flagNames = map[string]Flags{
	"FIN": FIN, "SYN": SYN, "RST": RST, "PSH": PSH, "ACK": ACK, "URG": URG, "NONE": 0, "ALL": FIN | SYN | RST | PSH | ACK | URG,
}

func flagsOf(mask, want string) condition {
	var bits [2]Flags
	for i, list := range []string{mask, want} {
		for name := range strings.SplitSeq(list, ",") {
			f, ok := flagNames[name]
			if !ok {
				return mysterious
			}
			bits[i] |= f
		}
	}
	return flagsAre(bits[0], bits[1])
}

func statesOf(list string) condition { return anyOf(list, stateIs) }

func typesOf(s side, list string) condition {
	return anyOf(list, func(kind string) condition { return typeIs(s, kind) })
}

func anyOf(list string, one func(string) condition) condition {
	var any []condition
	for word := range strings.SplitSeq(list, ",") {
		any = append(any, one(word))
	}
	return some(any...)
}

// markOf reads "0x1" and "0x1/0xff".
func markOf(word string) condition {
	value, _, _ := strings.Cut(word, "/")
	n, err := strconv.ParseUint(value, 0, 32)
	if err != nil {
		return mysterious
	}
	return markIs(uint32(n))
}
