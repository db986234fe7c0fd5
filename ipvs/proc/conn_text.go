package proc

import (
	"strconv"

	"lvsdeck/ipvs"
)

// ConnTitle and ConnSyncTitle are the first lines of ip_vs_conn and of
// ip_vs_conn_sync.
const (
	ConnTitle     = "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n"
	ConnSyncTitle = "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Origin Expires\n"
)

// AppendConn writes a connection as the kernel would: with its origin as in
// ip_vs_conn_sync where that is known, else as in ip_vs_conn.
func AppendConn(b []byte, c *Conn) []byte {
	b = left(b, protocolName(c.Protocol), 3)
	b = appendEndpoint(b, c.Client)
	b = appendEndpoint(b, c.Virtual)
	b = appendEndpoint(b, c.Server)
	b = left(append(b, ' '), c.State.String(), stateField)
	switch c.Origin {
	case OriginLocal:
		b = append(b, " LOCAL "...)
	case OriginSync:
		b = append(b, " SYNC  "...)
	}
	b = append(b, ' ')
	for limit := uint32(1e6); c.Expires < limit && limit > 1; limit /= 10 {
		b = append(b, ' ')
	}
	b = strconv.AppendUint(b, uint64(c.Expires), 10)
	if len(c.Engine) > 0 {
		b = append(append(b, ' '), c.Engine...)
		b = append(append(b, ' '), c.Data...)
	}
	return append(b, '\n')
}

// protocolName is the kernel's ip_vs_proto_name.
func protocolName(p ipvs.Protocol) string {
	switch p {
	case 0:
		return "IP"
	case 1:
		return "ICMP"
	case 58:
		return "ICMPv6"
	case ipvs.TCP, ipvs.UDP, ipvs.SCTP:
		return p.String()
	}
	return "IP_" + strconv.Itoa(int(p))
}

// left fills a word up with blanks.
func left(b []byte, word string, width int) []byte {
	b = append(b, word...)
	for range width - len(word) {
		b = append(b, ' ')
	}
	return b
}

const (
	upper = "0123456789ABCDEF"
	lower = "0123456789abcdef"
)

// appendEndpoint writes a blank, the address and the port.
func appendEndpoint(b []byte, e Endpoint) []byte {
	b = append(b, ' ')
	if e.Is4() {
		b = appendHex(b, e.Lo, 8, upper)
	} else {
		for i, group := range []uint64{e.Hi >> 48, e.Hi >> 32, e.Hi >> 16, e.Hi, e.Lo >> 48, e.Lo >> 32, e.Lo >> 16, e.Lo} {
			if i > 0 {
				b = append(b, ':')
			}
			b = appendHex(b, group, 4, lower)
		}
	}
	return appendHex(append(b, ' '), uint64(e.Port), 4, upper)
}

func appendHex(b []byte, n uint64, width int, digits string) []byte {
	for i := width - 1; i >= 0; i-- {
		b = append(b, digits[n>>(4*i)&0xf])
	}
	return b
}
