package proc

import (
	"bytes"
	"encoding/binary"
	"net/netip"

	"lvsdeck/ipvs"
)

// Conn is one line of /proc/net/ip_vs_conn or ip_vs_conn_sync, without anything
// on the heap: there can be millions.
type Conn struct {
	Protocol ipvs.Protocol // 0 in templates of marks
	Client   Endpoint
	Virtual  Endpoint // in templates of marks the mark stands in the address, see Service
	Server   Endpoint
	State    Word
	Expires  uint32 // seconds until the kernel forgets it, if no packet comes
	Origin   Origin

	// StateNumber is which of the states this is that the reading has met, from 1;
	// 0 when they are more than MostStates.
	StateNumber uint8

	// Of a persistence engine: its name, and what it keeps a client by. Both are
	// pieces of Line, and the data is the client's own words.
	Engine, Data []byte

	Line []byte // the text, good until the next line
}

// Origin is which director saw the connection begin. Only ip_vs_conn_sync says.
type Origin uint8

// The origins.
const (
	OriginUnknown Origin = iota
	OriginLocal
	OriginSync // learnt from another director's sync daemon
)

func (o Origin) String() string {
	switch o {
	case OriginLocal:
		return "local"
	case OriginSync:
		return "sync"
	}
	return "unknown"
}

// Endpoint is an address and port as numbers, to be compared, masked and hashed.
// An IPv4 address stands as ::ffff:a.b.c.d does.
type Endpoint struct {
	Hi, Lo uint64 // the address, the most significant byte first
	Port   uint16
}

const mapped = 0xffff << 32

// EndpointOf gives an address and port as numbers.
func EndpointOf(at netip.AddrPort) Endpoint {
	b := at.Addr().As16()
	return Endpoint{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:]), at.Port()}
}

// Is4 tells an IPv4 address.
func (e Endpoint) Is4() bool { return e.Hi == 0 && e.Lo&^0xffffffff == mapped }

// AddrPort is the endpoint as others write it.
func (e Endpoint) AddrPort() netip.AddrPort {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], e.Hi)
	binary.BigEndian.PutUint64(b[8:], e.Lo)
	return netip.AddrPortFrom(netip.AddrFrom16(b).Unmap(), e.Port)
}

// Word is a word of at most sixteen letters as two numbers, filled up with
// blanks: a state, to be compared and hashed.
type Word struct{ Hi, Lo uint64 }

const blanks = 0x2020202020202020

// WordOf gives the beginning of a word.
func WordOf[T string | []byte](s T) Word {
	var b [16]byte
	n := copy(b[:], s)
	copy(b[n:], "                ")
	return Word{binary.LittleEndian.Uint64(b[:8]), binary.LittleEndian.Uint64(b[8:])}
}

func (w Word) String() string {
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:8], w.Hi)
	binary.LittleEndian.PutUint64(b[8:], w.Lo)
	return string(bytes.TrimRight(b[:], " "))
}

var listening = WordOf("LISTEN")

// Template tells a persistence template from a connection: it stands for all
// connections of a client, or of the clients of one mask. A connection whose
// client's port is not known yet (FTP data) has the port 0, too, but listens.
func (c *Conn) Template() bool { return c.Client.Port == 0 && c.State != listening }

// Service is the virtual service that the line names: what the client asked for,
// which of a mark only templates say.
func (c *Conn) Service() ipvs.ServiceID {
	if c.Protocol == 0 && c.Client.Port == 0 && c.Virtual.Port == 0 {
		mark, family := uint32(c.Virtual.Lo), ipvs.IPv4
		if !c.Virtual.Is4() {
			mark, family = uint32(c.Virtual.Hi>>32), ipvs.IPv6
		}
		if mark != 0 {
			return ipvs.MarkService(mark, family)
		}
	}
	return ipvs.AddressService(c.Protocol, c.Virtual.AddrPort())
}

// unknownProtocol stands for names that this program has never heard of. IPVS
// itself balances nothing under that number.
const unknownProtocol ipvs.Protocol = 255

// parse reads a line word by word.
func (c *Conn) parse(r *row) {
	name := r.word()
	var ok bool
	if c.Protocol, ok = protocolNumber(name); !ok {
		if c.Protocol = unknownProtocol; len(name) == 0 || name[0] < 'A' || name[0] > 'Z' {
			r.fail("a protocol", name)
		}
	}
	c.Client = r.halves("a client's address and port in hexadecimal")
	c.Virtual = r.halves("a virtual address and port in hexadecimal")
	c.Server = r.halves("a server's address and port in hexadecimal")
	state := r.word()
	if len(state) == 0 || len(state) > 16 {
		r.fail("a state", state)
	}
	c.State = WordOf(state)
	c.Origin = OriginUnknown
	number := row{rest: r.rest}
	switch string(number.word()) {
	case "LOCAL":
		c.Origin, r.rest = OriginLocal, number.rest
	case "SYNC":
		c.Origin, r.rest = OriginSync, number.rest
	}
	c.Expires = r.seconds()
	c.Engine = r.word()
	c.Data = bytes.TrimLeft(r.rest, " ")
}

// halves reads an address and a port as two words.
func (r *row) halves(want string) Endpoint {
	const v4, v6 = len("C0A80101"), len("2001:0db8:0000:0000:0000:0000:0000:0001")
	word := r.word()
	port := r.word()
	e, ok := Endpoint{}, len(port) == 4
	n, good := hex(port)
	ok, e.Port = ok && good, uint16(n)
	switch len(word) {
	case v4:
		n, good = hex(word)
		e.Lo = mapped | n
	case v6:
		good = true
		for i := range 8 {
			group, fine := hex(word[5*i : 5*i+4])
			good = good && fine && (i == 7 || word[5*i+4] == ':')
			e.Hi, e.Lo = e.Hi<<16|e.Lo>>48, e.Lo<<16|group
		}
	default:
		good = false
	}
	if !ok || !good {
		r.fail(want, word)
	}
	return e
}

// seconds reads a number without a sign.
func (r *row) seconds() uint32 {
	const want = "seconds to live"
	if word := bytes.TrimLeft(r.rest, " "); len(word) > 0 && word[0] == '-' {
		r.fail(want, word)
	}
	return r.decimal(want)
}
