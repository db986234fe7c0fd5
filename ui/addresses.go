package ui

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// addressesMax bounds what one entry can add: a slip in a range should be seen
// as a slip.
const addressesMax = 256

// parseAddresses reads servers' addresses as operators type and paste them:
// separated by blanks, commas or line ends, each with or without a port, ranges
// as 10.0.3.11-14 or 10.0.3.11-10.0.3.14. Without a port it is the given one.
func parseAddresses(s string, port uint16) ([]netip.AddrPort, error) {
	var out []netip.AddrPort
	seen := map[netip.AddrPort]bool{}
	for _, word := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(" ,;\t\r\n", r) }) {
		found, err := parseRange(word, port)
		if err != nil {
			return nil, err
		}
		for _, a := range found {
			if seen[a] {
				return nil, fmt.Errorf("%s stands twice", a)
			}
			seen[a] = true
			out = append(out, a)
		}
		if len(out) > addressesMax {
			return nil, fmt.Errorf("more than %d addresses at once", addressesMax)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("an address is needed, such as 10.0.3.11 or 10.0.3.11-14")
	}
	return out, nil
}

func parseRange(word string, port uint16) ([]netip.AddrPort, error) {
	from, at, err := parseAddress(word, port)
	if err == nil {
		return []netip.AddrPort{netip.AddrPortFrom(from, at)}, nil
	}
	low, high, isRange := strings.Cut(word, "-")
	if !isRange {
		return nil, err
	}
	if from, err = netip.ParseAddr(low); err != nil {
		return nil, fmt.Errorf("%q is no address", low)
	}
	if host, p, ok := strings.Cut(high, ":"); ok && from.Is4() {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil {
			return nil, fmt.Errorf("port %q must be 0 to 65535", p)
		}
		high, port = host, uint16(n)
	}
	to, err := rangeEnd(from, high)
	if err != nil {
		return nil, err
	}
	var out []netip.AddrPort
	for a := from; a.Compare(to) <= 0; a = a.Next() {
		if len(out) == addressesMax {
			return nil, fmt.Errorf("%s has more than %d addresses", word, addressesMax)
		}
		out = append(out, netip.AddrPortFrom(a, port))
	}
	return out, nil
}

// rangeEnd reads a range's end: a whole address, or the last number of an IPv4
// one.
func rangeEnd(from netip.Addr, s string) (netip.Addr, error) {
	to, err := netip.ParseAddr(s)
	if err != nil && from.Is4() {
		if n, bad := strconv.ParseUint(s, 10, 8); bad == nil {
			b := from.As4()
			b[3] = byte(n)
			to, err = netip.AddrFrom4(b), nil
		}
	}
	switch {
	case err != nil:
		return to, fmt.Errorf("%q is no end of a range from %s", s, from)
	case to.Is4() != from.Is4():
		return to, fmt.Errorf("a range from %s to %s crosses address families", from, to)
	case to.Less(from):
		return to, fmt.Errorf("the range from %s to %s runs backwards", from, to)
	}
	return to, nil
}

// parseAddress reads an address with or without a port; a bare IPv6 address has
// none.
func parseAddress(s string, port uint16) (netip.Addr, uint16, error) {
	if a, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil && a.Zone() == "" {
		return a.Unmap(), port, nil
	}
	at, err := netip.ParseAddrPort(s)
	if host, port, ok := strings.Cut(s, ":"); err != nil && ok && !strings.Contains(port, ":") {
		if _, bad := netip.ParseAddr(host); bad == nil {
			return netip.Addr{}, 0, fmt.Errorf("port %q of %s must be 0 to 65535", port, host)
		}
	}
	if err != nil || at.Addr().Zone() != "" {
		return netip.Addr{}, 0, fmt.Errorf("%q is no address, nor address:port", s)
	}
	return at.Addr().Unmap(), at.Port(), nil
}
