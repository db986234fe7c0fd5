package ipvsadm

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"lvsdeck/ipvs"
	"lvsdeck/persist/adm"
)

// printer makes listings.
type printer struct {
	ctx   context.Context
	table ipvs.Table
	names Names // nil: numbers
	adm.Listing
	out    *bufio.Writer
	failed error // of the first write that did
}

func (p *printer) printf(format string, args ...any) {
	if _, err := fmt.Fprintf(p.out, format, args...); p.failed == nil {
		p.failed = err
	}
}

// end writes what is left, and gives the first error of all.
func (p *printer) end(err error) error {
	if failed := p.out.Flush(); p.failed == nil {
		p.failed = failed
	}
	return cmp.Or(err, p.failed)
}

// save prints the table as rules, in one order and with the losses of
// ipvsadm -S.
func (p *printer) save() error {
	f := adm.Format{Saved: true, Endpoint: p.endpoint}
	entries, err := p.entries()
	for _, e := range entries {
		if err = p.complete(&e); err != nil {
			break
		}
		p.printf("%s\n", f.Service(e.Service))
		for _, s := range e.Servers {
			p.printf("%s\n", f.Server(e.ServiceID, s.Server))
		}
	}
	return err
}

func (p *printer) all() error {
	info, err := p.table.Info(p.ctx)
	if err != nil {
		return err
	}
	entries, err := p.entries()
	if err != nil {
		return err
	}
	p.printf("IP Virtual Server version %v (size=%d)\n", info.Version, info.TableSize)
	p.printf("%s", titles[p.Columns])
	for _, e := range entries {
		if p.Columns != adm.Plain { // for which the overview is enough
			if err := p.complete(&e); err != nil {
				return err
			}
		}
		p.entry(e)
	}
	return nil
}

func (p *printer) one(id ipvs.ServiceID) error {
	s, err := p.table.Service(p.ctx, id)
	if err != nil {
		return err
	}
	e := ipvs.Entry{ServiceState: s}
	if err := p.complete(&e); err != nil {
		return err
	}
	p.printf("%s", titles[p.Columns])
	p.entry(e)
	return nil
}

// entries gives the services in their order; their servers are in order, too,
// but not complete.
func (p *printer) entries() ([]ipvs.Entry, error) {
	o, err := p.table.Overview(p.ctx)
	if err != nil {
		return nil, err
	}
	if !p.Unsorted {
		slices.SortFunc(o.Services, func(a, b ipvs.Entry) int { return a.ServiceID.Compare(b.ServiceID) })
	}
	for _, e := range o.Services {
		p.sort(e.Servers)
	}
	return o.Services, nil
}

func (p *printer) sort(servers []ipvs.ServerState) {
	if !p.Unsorted {
		slices.SortFunc(servers, func(a, b ipvs.ServerState) int { return a.Addr.Compare(b.Addr) })
	}
}

// complete replaces an entry's servers by all that is known of them.
func (p *printer) complete(e *ipvs.Entry) error {
	servers, err := p.table.Servers(p.ctx, e.ServiceID)
	p.sort(servers)
	e.Servers = servers
	return err
}

func (p *printer) timeouts() error {
	t, err := p.table.Timeouts(p.ctx)
	if err == nil {
		p.printf("Timeout (tcp tcpfin udp): %d %d %d\n", t.TCP, t.TCPFin, t.UDP)
	}
	return err
}

func (p *printer) daemons() error {
	daemons, err := p.table.Daemons(p.ctx)
	slices.SortFunc(daemons, func(a, b ipvs.Daemon) int { return int(a.Role) - int(b.Role) })
	for _, d := range daemons {
		p.printf("%v sync daemon (mcast=%s, syncid=%d, maxlen=%d, group=%v, port=%d, ttl=%d)\n",
			d.Role, d.Interface, d.SyncID, d.MaxLen, d.Group, d.Port, d.TTL)
	}
	return err
}

// endpoint names an address and port, or writes numbers.
func (p *printer) endpoint(proto ipvs.Protocol, at netip.AddrPort) string {
	if p.names == nil {
		return adm.Endpoint(at)
	}
	host, ok := p.names.HostName(at.Addr())
	if !ok {
		host = strings.TrimSuffix(adm.Endpoint(netip.AddrPortFrom(at.Addr(), 0)), ":0")
	} else if at.Addr().Is6() {
		host = "[" + host + "]"
	}
	port, ok := p.names.PortName(at.Port(), proto)
	if !ok || proto == 0 {
		port = strconv.Itoa(int(at.Port()))
	}
	return host + ":" + port
}
