package firewall

import (
	"math"
	"net/netip"
	"strconv"
	"strings"
)

// field is a part of a packet, or what is known about it, that nft compares.
type field struct {
	has condition // it needs a packet of a kind: others never match, nor when negated
	is  func(value any) condition
}

// when is that it has a value, which may be written as one with a lifetime.
func (f field) when(value any) condition {
	if name, body := only(value); name == "elem" {
		if m, ok := body.(map[string]any); ok {
			value = m["val"]
		}
	}
	if value == "*" { // what else there is in a map
		return mysterious
	}
	return all(f.has, f.is(value))
}

var unknownField = field{always, func(any) condition { return mysterious }}

// match reads a comparison.
func (n *nftRule) match(body any) condition {
	m, _ := body.(map[string]any)
	f, values := n.field(m["left"]), n.values(m["op"], m["right"])
	if bits, mask := bitsOf(m["left"]); bits != nil && (mask != nil || m["op"] != "in") {
		f = masked(bits, mask)
		if name, _ := only(m["right"]); name != "set" { // a list is one value
			values = []any{m["right"]}
		}
	}
	var any []condition
	for _, value := range values {
		any = append(any, f.when(value))
	}
	switch m["op"] {
	case "==", "in", "<=", ">=", "<", ">":
		return some(any...)
	case "!=":
		return all(f.has, not(some(any...)))
	}
	return mysterious
}

// values are those of which one must be so. An order is a range.
func (n *nftRule) values(op, right any) []any {
	number, isNumber := right.(float64)
	between := func(from, to float64) []any {
		return []any{map[string]any{"range": []any{from, to}}}
	}
	if !isNumber {
		if op == "<" || op == ">" || op == "<=" || op == ">=" {
			return []any{nil}
		}
		return n.elements(right)
	}
	switch op {
	case "<":
		return between(0, number-1)
	case "<=":
		return between(0, number)
	case ">":
		return between(number+1, math.MaxUint32)
	case ">=":
		return between(number, math.MaxUint32)
	}
	return []any{right}
}

// field reads what stands left of a comparison.
func (n *nftRule) field(left any) field {
	name, body := only(left)
	m, _ := body.(map[string]any)
	word := func(key string) string { s, _ := m[key].(string); return s }
	switch name {
	case "meta":
		return metaField(word("key"))
	case "payload":
		return payloadField(word("protocol"), word("field"))
	case "ct":
		return ctField(strings.TrimSpace(word("family")+" "+word("key")), word("dir"))
	case "fib":
		return fibField(m)
	case "concat":
		parts, _ := body.([]any)
		return n.concat(parts)
	}
	return unknownField
}

// bitsOf tells a field of bits, with a mask or without.
func bitsOf(left any) (field, mask any) {
	name, body := only(left)
	if pair, ok := body.([]any); ok && name == "&" && len(pair) == 2 {
		return pair[0], pair[1]
	}
	if m, _ := body.(map[string]any); name == "payload" && m["field"] == "flags" || name == "meta" && m["key"] == "mark" {
		return left, nil
	}
	return nil, nil
}

func (n *nftRule) concat(parts []any) field {
	fields := make([]field, len(parts))
	has := make([]condition, len(parts))
	for i, p := range parts {
		fields[i] = n.field(p)
		has[i] = fields[i].has
	}
	return field{all(has...), func(value any) condition {
		_, body := only(value)
		values, ok := body.([]any)
		if !ok || len(values) != len(fields) {
			return mysterious
		}
		var each []condition
		for i, f := range fields {
			each = append(each, f.when(values[i]))
		}
		return all(each...)
	}}
}

func metaField(key string) field {
	word := func(read func(string) condition) field {
		return field{always, func(value any) condition {
			if s, ok := value.(string); ok {
				return read(s)
			}
			return mysterious
		}}
	}
	switch key {
	case "iifname", "iif":
		return word(func(s string) condition { return linkIs(source, s, "*") })
	case "oifname", "oif":
		return word(func(s string) condition { return linkIs(destination, s, "*") })
	case "l4proto":
		return field{always, protoValue}
	case "nfproto", "protocol":
		return word(familyIs)
	case "mark":
		return field{always, markValue}
	}
	return unknownField
}

func protoValue(value any) condition {
	switch v := value.(type) {
	case string:
		return protoOf(v)
	case float64:
		return protoOf(strconv.FormatFloat(v, 'f', -1, 64))
	}
	return mysterious
}

func familyIs(name string) condition {
	return func(v *view) answer {
		is6, known := v.is6()
		switch {
		case !known:
			return maybe
		case name == "ipv4" || name == "ip":
			return is(!is6)
		case name == "ipv6" || name == "ip6":
			return is(is6)
		}
		return no
	}
}

func payloadField(protocol, name string) field {
	switch protocol + " " + name {
	case "ip saddr", "ip6 saddr":
		return addrField(protocol, source)
	case "ip daddr", "ip6 daddr":
		return addrField(protocol, destination)
	case "ip protocol", "ip6 nexthdr":
		return field{familyIs(protocol), protoValue}
	case "tcp flags":
		return field{protoIs(protoTCP), func(value any) condition { return anyFlag(value) }}
	}
	has := mysteriousUnless(protocol)
	switch name {
	case "sport":
		return portField(has, source)
	case "dport":
		return portField(has, destination)
	}
	return field{has, unknownField.is}
}

// mysteriousUnless wants a packet of a protocol; th is any that has ports.
func mysteriousUnless(protocol string) condition {
	if protocol == "ip" || protocol == "ip6" {
		return familyIs(protocol)
	}
	if n, ok := protocols[protocol]; ok {
		return protoIs(n)
	}
	return always
}

func addrField(family string, s side) field {
	return field{familyIs(family), func(value any) condition {
		return addrValue(value, func(v *view) netip.Addr { return s.of(v).Addr() })
	}}
}

// addrValue is an address, a network or a range.
func addrValue(value any, of func(*view) netip.Addr) condition {
	name, body := only(value)
	switch name {
	case "prefix":
		m, _ := body.(map[string]any)
		addr, _ := m["addr"].(string)
		bits, _ := m["len"].(float64)
		a, err := netip.ParseAddr(addr)
		if err != nil || bits < 0 || bits > float64(a.BitLen()) {
			return mysterious
		}
		network := netip.PrefixFrom(a, int(bits)).Masked()
		return func(v *view) answer { return v.addrIn(of(v), network) }
	case "range":
		pair, _ := body.([]any)
		if len(pair) != 2 {
			return mysterious
		}
		from, _ := pair[0].(string)
		to, _ := pair[1].(string)
		first, err := netip.ParseAddr(from)
		last, err2 := netip.ParseAddr(to)
		if err != nil || err2 != nil {
			return mysterious
		}
		return func(v *view) answer { return v.addrWithin(of(v), first, last) }
	}
	a, err := netip.ParseAddr(name)
	if err != nil {
		return mysterious
	}
	return func(v *view) answer { return v.addrIn(of(v), netip.PrefixFrom(a, a.BitLen())) }
}

func portField(has condition, s side) field {
	return field{has, func(value any) condition {
		first, last, ok := numbers(value)
		if !ok {
			return mysterious
		}
		return portWithin(s, uint16(min(first, 65535)), uint16(min(last, 65535)))
	}}
}

// numbers reads a number or a range of them, from 0 on.
func numbers(value any) (first, last float64, ok bool) {
	if n, ok := value.(float64); ok {
		return n, n, n >= 0
	}
	name, body := only(value)
	pair, _ := body.([]any)
	if name != "range" || len(pair) != 2 {
		return 0, 0, false
	}
	first, ok1 := pair[0].(float64)
	last, ok2 := pair[1].(float64)
	return first, last, ok1 && ok2 && first >= 0 && last >= 0
}

// masked is a field of bits, TCP's flags or a mark, of which those of the mask are
// looked at, or all.
func masked(left, mask any) field {
	name, body := only(left)
	m, _ := body.(map[string]any)
	switch {
	case name == "payload" && m["protocol"] == "tcp":
		return field{protoIs(protoTCP), func(value any) condition {
			looked, ok := flagBits(mask)
			want, ok2 := flagBits(value)
			if mask == nil {
				looked, ok = flagNames["ALL"], true
			}
			if !ok || !ok2 {
				return mysterious
			}
			return flagsAre(looked, want)
		}}
	case name == "meta" && m["key"] == "mark":
		return field{always, markValue}
	}
	return unknownField
}

func markValue(value any) condition {
	if first, last, ok := numbers(value); ok && first == last {
		return markIs(uint32(min(first, math.MaxUint32)))
	}
	return mysterious
}

// flagBits reads "syn", ["fin","syn"], {"|": ["fin", "syn"]} and numbers.
func flagBits(value any) (bits Flags, ok bool) {
	name, body := only(value)
	if list, isList := value.([]any); isList || name == "|" {
		if !isList {
			list, _ = body.([]any)
		}
		for _, part := range list {
			more, ok := flagBits(part)
			if !ok {
				return 0, false
			}
			bits |= more
		}
		return bits, len(list) > 0
	}
	if n, isNumber := value.(float64); isNumber {
		return Flags(n), n >= 0 && n < 64
	}
	bits, ok = flagNames[strings.ToUpper(name)]
	return bits, ok
}

// anyFlag is "tcp flags syn": as of all bits, one is enough.
func anyFlag(value any) condition {
	bits, ok := flagBits(value)
	if !ok {
		return mysterious
	}
	return func(v *view) answer {
		if v.Flags == 0 {
			return maybe
		}
		return is(v.Flags&bits != 0)
	}
}

// ctField is what conntrack knows. The original destination of a packet of IPVS's
// is the VIP.
func ctField(key, dir string) field {
	key, family := strings.CutPrefix(key, "ip6 ")
	if !family {
		key = strings.TrimPrefix(key, "ip ")
	}
	original := func(when func(value any) condition) field {
		return field{always, func(value any) condition {
			c := when(value)
			return func(v *view) answer {
				if !v.Balanced.VIP.IsValid() && v.bounds == nil {
					return maybe
				}
				return c(v)
			}
		}}
	}
	switch {
	case key == "state":
		return wordField(stateIs)
	case key == "status":
		return wordField(func(s string) condition {
			if s == "dnat" {
				return stateIs("DNAT")
			}
			return mysterious
		})
	case key == "daddr" && dir == "original":
		return original(func(value any) condition {
			return addrValue(value, func(v *view) netip.Addr { return v.Balanced.VIP.Addr() })
		})
	case key == "proto-dst" && dir == "original":
		return original(func(value any) condition {
			first, last, ok := numbers(value)
			if !ok {
				return mysterious
			}
			return func(v *view) answer {
				v.bounds.ports(uint16(min(first, 65535)), uint16(min(last, 65535)))
				port := float64(v.Balanced.VIP.Port())
				return is(first <= port && port <= last)
			}
		})
	}
	return unknownField
}

func wordField(read func(string) condition) field {
	return field{always, func(value any) condition {
		if s, ok := value.(string); ok {
			return read(s)
		}
		return mysterious
	}}
}

// fibField knows the kinds of addresses.
func fibField(m map[string]any) field {
	flags, _ := m["flags"].([]any)
	if flag, ok := m["flags"].(string); ok {
		flags = []any{flag}
	}
	if m["result"] != "type" || len(flags) != 1 || flags[0] != "daddr" && flags[0] != "saddr" {
		return unknownField
	}
	s := side(flags[0] == "daddr")
	return wordField(func(kind string) condition { return typeIs(s, kind) })
}
