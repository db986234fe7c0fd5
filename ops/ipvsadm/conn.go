package ipvsadm

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/proc"
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
	all := proc.NewConns(in)
	for c := (proc.Conn{}); p.failed == nil && all.Next(&c); {
		p.connection(&c)
	}
	return all.Err()
}

func (p *printer) connection(c *proc.Conn) {
	proto, _, _ := strings.Cut(string(c.Line), " ")
	name := func(at proc.Endpoint) string { return p.endpoint(named(c.Protocol), at.AddrPort()) }
	p.printf("%-3s %-6s %-11s %-18s %-18s ", proto, fmt.Sprintf("%02d:%02d", c.Expires/60, c.Expires%60),
		c.State, name(c.Client), name(c.Virtual))
	data, _, _ := strings.Cut(string(c.Data), " ")
	if p.PersistentConn && data != "" {
		p.printf("%-16s %-18s %s\n", name(c.Server), c.Engine, data)
	} else {
		p.printf("%s\n", name(c.Server))
	}
}

// named is the protocol to look a port's name up in, or none.
func named(p ipvs.Protocol) ipvs.Protocol {
	switch p {
	case ipvs.TCP, ipvs.UDP, ipvs.SCTP:
		return p
	}
	return 0
}
