package check

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
	"lvsdeck/ops"
	"lvsdeck/ops/conns"
	"lvsdeck/ops/owner"
	"lvsdeck/ops/plan"
)

// Host is what is asked of the director.
type Host interface {
	netcfg.Sysctls
	netcfg.Surroundings
	netcfg.Firewalls
}

// Sources are where a scene is read.
type Sources struct {
	Host  Host
	Table ipvs.Reader
	Owner func() (*owner.Owner, error) // nil: not looked for

	// Mover looks for a program that may move VIPs. It is asked only when one is not
	// here. Nil: there is none.
	Mover func() (*owner.Process, error)

	// Meant tells the weights that drained servers had, as plan.Meant. Nil: it is not known.
	Meant func() (func(plan.Row) uint32, error)

	Conns conns.Source // nil: connections are not read

	// RulesFile is where the host keeps its rules; "": nothing is said of what is
	// not saved.
	RulesFile string

	// ConnTime bounds the reading of connections, which before Linux 6.14 costs
	// the square of their number. What was read by then is a fair sample. 0: a
	// second.
	ConnTime time.Duration
}

// The rest of the world, to be asked the way to: a root name server.
var far = map[ipvs.Family]netip.Addr{
	ipvs.IPv4: netip.MustParseAddr("198.41.0.4"),
	ipvs.IPv6: netip.MustParseAddr("2001:503:ba3e::2:30"),
}

// Gather reads what checks look at, and sends no packet. The sample is of the
// same table. An error is the context's: what cannot be read else is told in
// Unread.
func Gather(ctx context.Context, from Sources, sample *ops.Sample) (Scene, error) {
	return gather(ctx, from, sample, &kept{}, false)
}

// gather goes by what is kept of rounds before; sparing, it reads no more than a
// round may cost.
func gather(ctx context.Context, from Sources, sample *ops.Sample, kept *kept, sparing bool) (Scene, error) {
	g := gathering{Scene: Scene{
		Sample: sample, Ways: map[netip.Addr]Way{}, Out: map[ipvs.Family]netcfg.Path{},
		Sysctls: map[string]plan.ChangeSysctl{}, Redirect: map[string]bool{}, Kernel: kernelHere(),
	}, from: from, ctx: ctx, kept: kept, sparing: sparing}
	g.around()
	g.inside()
	g.table()
	g.meant()
	g.drains()
	g.Elsewhere = maps.Clone(g.kept.elsewhere)
	g.connections()
	return g.Scene, ctx.Err()
}

type gathering struct {
	Scene
	from    Sources
	ctx     context.Context
	kept    *kept
	sparing bool
	weight  func(plan.Row) uint32 // that a server was meant to have
}

// lacks notes what could not be read; nothing else is then said of it.
func (g *gathering) lacks(what string, err error) {
	if err != nil {
		g.Unread = append(g.Unread, fmt.Sprintf("%s: %v", what, err))
	}
}

// around reads links, addresses, neighbours, and ways.
func (g *gathering) around() {
	var err error
	g.Links, err = g.from.Host.Links()
	g.lacks("network interfaces", err)
	g.Addresses, err = g.from.Host.Addresses()
	g.lacks("addresses", err)
	g.Neighbours, err = g.from.Host.Neighbours()
	g.lacks("neighbours", err)
	for family, addr := range far {
		if p, err := g.from.Host.Path(addr, netip.Addr{}); err == nil {
			g.Out[family] = p
		}
	}
	g.ways()
	g.waysOut()
}

// waysOut asks where answers of the VIPs that are here go.
func (g *gathering) waysOut() {
	g.OutOf = map[netip.Addr]netcfg.Path{}
	for _, v := range g.Sample.Services {
		if _, asked := g.OutOf[v.Addr]; asked || v.IsMark() || !g.Ways[v.Addr].Local {
			continue
		}
		g.OutOf[v.Addr], _ = g.from.Host.Path(far[v.Family], v.Addr) // without a way, none is known
	}
}

func (g *gathering) way(to netip.Addr) {
	p, err := g.from.Host.Path(to, netip.Addr{})
	switch {
	case errors.Is(err, netcfg.ErrNoRoute):
		g.Ways[to] = Way{None: err.Error()}
	case err != nil:
		g.lacks("the way to "+to.String(), err)
	default:
		g.Ways[to] = Way{Path: p}
	}
}

// inside reads sysctls, the firewall, and who owns the table.
func (g *gathering) inside() {
	names := []string{
		"conntrack", "conn_reuse_mode", "expire_nodest_conn", "expire_quiescent_template", "run_estimation", "backup_only",
		forwardV6, forwardAll, trackNow, trackMax, netcfg.Conf("all", "send_redirects"),
	}
	if out := g.Out[ipvs.IPv6].Link; out != "" {
		names = append(names, plan.AcceptRA(out))
	}
	for _, d := range defences {
		names = append(names, d.name)
	}
	for _, l := range g.Links {
		names = append(names, netcfg.Conf(l.Name, "forwarding"), netcfg.Conf(l.Name, "send_redirects"))
		if on, err := netcfg.Effective(g.from.Host, l.Name, "send_redirects"); err == nil {
			g.Redirect[l.Name] = on != 0
		}
	}
	for _, name := range names {
		step, err := plan.ReadSysctl(g.from.Host, name, "")
		if errors.Is(err, netcfg.ErrAbsent) { // of a link that has gone, or this kernel lacks it
			continue
		}
		g.lacks("sysctl "+netcfg.Dotted(name), err)
		if err == nil {
			step.After = step.Before
			g.Sysctls[name] = step
		}
	}
	g.firewall()
	if g.from.Owner != nil {
		var err error
		g.Owner, err = g.from.Owner()
		g.lacks("who else manages the table", err)
	}
	g.mover()
}

// mover looks who may move VIPs, when one of them is not here.
func (g *gathering) mover() {
	away := slices.ContainsFunc(g.Sample.Services, func(v *ops.Service) bool {
		way, known := g.Ways[v.Addr]
		return !v.IsMark() && known && !way.Local
	})
	if g.from.Mover == nil || !away {
		return
	}
	p, err := g.from.Mover()
	g.lacks("whether a program moves VIPs", err)
	g.MoverUnknown = err != nil
	if p != nil {
		g.Mover = fmt.Sprintf("%s (pid %d)", p.Name, p.PID)
	}
}

// meant reads the weights from before servers were drained, when a service has none.
func (g *gathering) meant() {
	if g.from.Meant == nil {
		return
	}
	for _, v := range g.Sample.Services {
		if len(v.Servers) == 0 || weighty(v) {
			continue
		}
		if g.Meant == nil {
			g.Meant = map[Place]uint32{}
			weight, err := g.from.Meant()
			g.lacks("the weights from before", err)
			if err != nil {
				return
			}
			g.weight = weight
		}
		for _, r := range v.Servers {
			if n := g.weight(plan.Row{Service: v.ServiceID, Server: r.Server}); n > 0 {
				g.Meant[Place{v.ServiceID, r.Addr}] = n
			}
		}
	}
}

// drains remembers how many templates drained servers had when they were first seen.
func (g *gathering) drains() {
	before := g.kept.drains
	g.Drains = map[Place]Drain{}
	g.each(func(v *ops.Service, r *ops.Server) {
		at := Place{v.ServiceID, r.Addr}
		d, known := before[at]
		switch {
		case !v.Persistence.On || r.Weight != 0:
			return
		case !r.PersistentKnown:
			if known {
				g.Drains[at] = d
			}
			return
		case r.Persistent == 0:
			return
		}
		if wait := time.Duration(v.Persistence.Timeout) * time.Second; !known || r.Persistent < d.Templates && g.Sample.Time.Sub(d.Since) > wait {
			d = Drain{g.Sample.Time, r.Persistent}
		}
		g.Drains[at] = d
	})
	g.kept.drains = g.Drains
}

func (g *gathering) table() {
	var err error
	g.Daemons, err = g.from.Table.Daemons(g.ctx)
	g.lacks("sync daemons", err)
	g.saved()
}

func kernelHere() (r Release) {
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		fmt.Sscanf(unix.ByteSliceToString(u.Release[:]), "%d.%d", &r.Major, &r.Minor)
	}
	return r
}
