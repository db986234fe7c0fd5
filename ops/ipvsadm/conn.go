package ipvsadm

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"

	"lvsdeck/ipvs"
)

// connections prints the kernel's list of connections, in its order.
func (p *printer) connections(open func() (io.ReadCloser, error)) error {
	in, err := open()
	if err != nil {
		return errors.New("cannot open file /proc/net/ip_vs_conn")
	}
	defer in.Close()
	p.printf("IPVS connection entries\npro expire state       source             virtual            destination")
	if p.PersistentConn {
		p.printf("        pe name          pe_data")
	}
	p.printf("\n")
	lines := bufio.NewScanner(in)
	lines.Scan() // the kernel's own title
	for lines.Scan() {
		if c, ok := parseConn(lines.Text()); ok {
			p.connection(c)
		}
	}
	return lines.Err()
}

// conn is one line of /proc/net/ip_vs_conn.
type conn struct {
	proto             string
	client, vip, dest netip.AddrPort
	state             string
	expires           uint64 // seconds
	engine, data      string // of a persistence engine
}

func parseConn(line string) (c conn, ok bool) {
	f := strings.Fields(line)
	if len(f) < 9 {
		return c, false
	}
	for i, to := range []*netip.AddrPort{&c.client, &c.vip, &c.dest} {
		if *to, ok = hexEndpoint(f[1+2*i], f[2+2*i]); !ok {
			return c, false
		}
	}
	expires, err := strconv.ParseUint(f[8], 10, 64)
	c.proto, c.state, c.expires = f[0], f[7], expires
	if len(f) > 10 {
		c.engine, c.data = f[9], f[10]
	}
	return c, err == nil
}

// hexEndpoint reads eight digits of IPv4, or IPv6 in full, and four of a port.
func hexEndpoint(addr, port string) (netip.AddrPort, bool) {
	n, err := strconv.ParseUint(port, 16, 16)
	if err != nil {
		return netip.AddrPort{}, false
	}
	raw, err := hex.DecodeString(strings.ReplaceAll(addr, ":", ""))
	a, ok := netip.AddrFromSlice(raw)
	return netip.AddrPortFrom(a, uint16(n)), err == nil && ok
}

var protocols = map[string]ipvs.Protocol{"TCP": ipvs.TCP, "UDP": ipvs.UDP, "SCTP": ipvs.SCTP}

func (p *printer) connection(c conn) {
	name := func(at netip.AddrPort) string { return p.endpoint(protocols[c.proto], at) }
	p.printf("%-3s %-6s %-11s %-18s %-18s ", c.proto, fmt.Sprintf("%02d:%02d", c.expires/60, c.expires%60),
		c.state, name(c.client), name(c.vip))
	if p.PersistentConn && c.engine != "" {
		p.printf("%-16s %-18s %s\n", name(c.dest), c.engine, c.data)
	} else {
		p.printf("%s\n", name(c.dest))
	}
}
