package proc

import (
	"bytes"
	"encoding/binary"
	"strconv"

	"lvsdeck/ipvs"
)

// arrow is how the line of a server begins.
const arrow = "  -> "

// Table is what /proc/net/ip_vs says, in the kernel's order. The file is not one
// moment: it is read a page at a time, and while others add and remove, a
// service may show up twice or not at all.
type Table struct {
	Version ipvs.Version
	Size    uint32 // connection hash buckets
	// Services and their servers are all Partial. The file does not tell the
	// family of a mark: see guessFamily.
	Services []ipvs.Entry
}

// ParseTable reads the text of /proc/net/ip_vs, as ip_vs_info_seq_show in
// net/netfilter/ipvs/ip_vs_ctl.c prints it. Persistence timeouts stand there in
// jiffies, of which hz make a second. Words after those it knows are passed
// over, so that a newer kernel may say more.
func ParseTable(text []byte, hz uint32) (Table, error) {
	p := tableParser{lines: lines{file: "ip_vs", rest: text}, hz: max(hz, 1)}
	if err := p.header(); err != nil {
		return Table{}, err
	}
	// One byte is far quicker to count than "->".
	rows := 1 + bytes.Count(p.lines.rest, []byte{'\n'})
	servers := min(rows, bytes.Count(p.lines.rest, []byte{'>'}))
	p.servers = make([]ipvs.ServerState, 0, servers)
	p.table.Services = make([]ipvs.Entry, 0, rows-servers)
	for {
		line, more := p.lines.next()
		if !more {
			p.endService()
			return p.table, nil
		}
		r := row{rest: line}
		if len(line) > len(arrow) && string(line[:len(arrow)]) == arrow {
			p.server(&r)
		} else {
			p.endService()
			p.service(&r)
		}
		if err := p.lines.check(&r); err != nil {
			return Table{}, err
		}
	}
}

type tableParser struct {
	lines lines
	hz    uint32
	table Table

	// All servers live in one array, of which each service has a piece.
	servers   []ipvs.ServerState
	first     int    // index of the current service's first
	mask      uint32 // the current service's, as printed
	scheduler string // the last one: mostly the next one's too
}

// header reads "IP Virtual Server version 1.2.1 (size=4096)" and passes over the
// two lines of column titles.
func (p *tableParser) header() error {
	r := p.lines.row()
	rest, ok := bytes.CutPrefix(r.rest, []byte("IP Virtual Server version "))
	version, size, ok2 := bytes.Cut(rest, []byte(" (size="))
	size, ok3 := bytes.CutSuffix(size, []byte(")"))
	number, err := strconv.ParseUint(string(size), 10, 32)
	parts := bytes.Split(version, []byte{'.'})
	if !ok || !ok2 || !ok3 || err != nil || len(parts) != 3 {
		r.fail("the IPVS version and table size", r.rest)
		return p.lines.check(&r)
	}
	for _, part := range parts {
		n, err := strconv.ParseUint(string(part), 10, 8)
		if err != nil {
			r.fail("the IPVS version", version)
		}
		p.table.Version = p.table.Version<<8 | ipvs.Version(n)
	}
	p.table.Size = uint32(number)
	if err := p.lines.check(&r); err != nil {
		return err
	}
	p.lines.next()
	p.lines.next()
	return nil
}

// service reads "TCP  C0A80101:0050 wlc ops persistent 90000 FFFFFFFF".
func (p *tableParser) service(r *row) {
	e := ipvs.Entry{ServiceState: ipvs.ServiceState{Partial: true}}
	if proto := r.word(); string(proto) == "FWM" {
		e.Mark = uint32(r.hex(32, "a firewall mark in hexadecimal"))
		if e.Mark == 0 {
			r.fail("a firewall mark above 0", proto)
		}
	} else {
		at := r.endpoint("a service's address and port in hexadecimal")
		e.Protocol = protocol(r, proto)
		e.Addr, e.Port, e.Family = at.Addr(), at.Port(), ipvs.FamilyOf(at.Addr())
	}
	name := r.word()
	if len(name) == 0 {
		r.fail("a scheduler", name)
	}
	if string(name) != p.scheduler {
		p.scheduler = string(name)
	}
	e.Scheduler = p.scheduler
	for word := r.word(); len(word) > 0; word = r.word() {
		switch string(word) {
		case "ops":
			e.OnePacket = true
		case "persistent":
			e.Persistence.On = true
			e.Persistence.Timeout = r.decimal("a persistence timeout in jiffies") / p.hz
			p.mask = uint32(r.hex(32, "a persistence mask in hexadecimal"))
		}
	}
	p.table.Services = append(p.table.Services, e)
}

// protocol reads the name of a protocol.
func protocol(r *row, name []byte) ipvs.Protocol {
	p, ok := protocolNumber(name)
	if !ok {
		r.fail("a protocol or FWM", name)
	}
	return p
}

// protocolNumber undoes the kernel's ip_vs_proto_name.
func protocolNumber(name []byte) (p ipvs.Protocol, ok bool) {
	switch string(name) {
	case "TCP":
		return ipvs.TCP, true
	case "UDP":
		return ipvs.UDP, true
	case "SCTP":
		return ipvs.SCTP, true
	case "IP":
		return 0, true
	case "ICMP":
		return 1, true
	case "ICMPv6":
		return 58, true
	}
	number, ok := bytes.CutPrefix(name, []byte("IP_"))
	n, err := strconv.ParseUint(string(number), 10, 8)
	return ipvs.Protocol(n), ok && err == nil
}

// server reads "  -> 0A000002:0050      Masq    1      0          0".
func (p *tableParser) server(r *row) {
	if len(p.table.Services) == 0 {
		r.fail("a service before its servers", r.rest)
		return
	}
	r.rest = r.rest[len(arrow):]
	p.servers = p.servers[:len(p.servers)+1] // of room made for all
	s := &p.servers[len(p.servers)-1]
	s.Partial = true
	s.Addr = r.endpoint("a server's address and port in hexadecimal")
	s.Forward = forward(r, r.word())
	s.Weight = r.decimal("a weight")
	s.Active = r.decimal("active connections")
	s.Inactive = r.decimal("inactive connections")
}

// forward undoes the kernel's ip_vs_fwd_name, which calls Bypass Masq too.
func forward(r *row, name []byte) ipvs.Forward {
	switch string(name) {
	case "Masq":
		return ipvs.Masq
	case "Local":
		return ipvs.LocalNode
	case "Tunnel":
		return ipvs.TunnelFwd
	case "Route":
		return ipvs.Direct
	}
	r.fail("a forwarding method", name)
	return 0
}

// endService gives the last service its servers, and the mask the meaning its
// family gives it.
func (p *tableParser) endService() {
	if len(p.table.Services) == 0 {
		return
	}
	e := &p.table.Services[len(p.table.Services)-1]
	e.Servers = p.servers[p.first:len(p.servers):len(p.servers)]
	p.first = len(p.servers)
	if e.IsMark() {
		e.Family = guessFamily(e, p.mask)
	}
	e.Persistence.Mask = ipvs.FullMask(e.Family)
	if e.Persistence.On {
		e.Persistence.Mask = mask(p.mask, e.Family)
	}
}

// guessFamily tells the family of a mark service, which the file does not. A
// persistence mask nearly proves it: an IPv6 prefix length stands there as
// 01000000 to 80000000, where the only sane IPv4 mask is 128.0.0.0. Else it is
// that of the servers (which may differ in tunnels), else IPv4.
func guessFamily(e *ipvs.Entry, printed uint32) ipvs.Family {
	if e.Persistence.On {
		if prefix := mask(printed, ipvs.IPv6); prefix >= 1 && prefix <= 128 {
			return ipvs.IPv6
		}
		return ipvs.IPv4
	}
	if len(e.Servers) > 0 {
		return e.Servers[0].Family()
	}
	return ipvs.IPv4
}

// mask undoes the kernel's ntohl, which is right for an IPv4 netmask and swaps
// the bytes of an IPv6 prefix length on little-endian machines.
func mask(printed uint32, f ipvs.Family) ipvs.Mask {
	if f == ipvs.IPv4 {
		return ipvs.Mask(printed)
	}
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], printed)
	return ipvs.Mask(binary.NativeEndian.Uint32(b[:]))
}
