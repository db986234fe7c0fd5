package ui

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/check"
	"lvsdeck/netcfg"
	"lvsdeck/ops/plan"
	"lvsdeck/ui/text"
)

// schedulers are the kernel's, the common ones first, each with when to use it.
var schedulers = []option{
	{"wlc", "fewest connections for the weight; right for most"},
	{"wrr", "in turn, by weight: requests that cost alike"},
	{"rr", "in turn, all alike"},
	{"lc", "fewest connections, weights ignored"},
	{"sh", "by client address: same client, same server"},
	{"mh", "as sh, but few clients move when servers change"},
	{"sed", "shortest expected delay: fast servers first"},
	{"nq", "an idle server first, else as sed"},
	{"twos", "the less loaded of two picked at random"},
	{"fo", "all to the highest weight: fail-over"},
	{"ovf", "fill the highest weight, overflow to the next"},
	{"dh", "by destination address: caches"},
	{"lblc", "by destination, least loaded: cache clusters"},
	{"lblcr", "as lblc, with several servers a destination"},
}

const markProtocol = "firewall mark"

// Questions of the service form.
const (
	askProtocol  = "protocol"
	askAddress   = "address"
	askPort      = "port"
	askMark      = "mark"
	askFamily    = "family"
	askScheduler = "scheduler"
	askFlags     = "flags"
	askOnePacket = "one-packet"
	askSticky    = "sticky"
	askMask      = "mask"
	askEngine    = "engine"
)

// serviceQuestions says at which question a problem stands.
var serviceQuestions = map[check.Field]string{
	check.Service: askAddress, check.Port: askPort, check.Mark: askMark, check.Family: askFamily, check.Protocol: askProtocol,
	check.Scheduler: askScheduler, check.SchedFlags: askFlags, check.OnePacket: askOnePacket,
	check.Persistence: askSticky, check.Mask: askMask, check.Engine: askEngine,
}

// identityFields are the questions that make a service this one and no other.
func identityFields(id ipvs.ServiceID) []*field {
	address, port, mark := "", "", ""
	if id.Addr.IsValid() {
		address, port = id.Addr.String(), strconv.Itoa(int(id.Port))
	}
	protocol := "TCP"
	switch {
	case id.IsMark():
		protocol, mark = markProtocol, strconv.FormatUint(uint64(id.Mark), 10)
	case id.Protocol != 0:
		protocol = id.Protocol.String()
	}
	isMark := func(f *form) bool { return f.get(askProtocol) == markProtocol }
	isAddress := func(f *form) bool { return !isMark(f) }
	family := id.Family.String()
	if id.Family == 0 {
		family = ipvs.IPv4.String()
	}
	return []*field{
		chosenField(askProtocol, "protocol", protocol, option{"TCP", ""}, option{"UDP", ""}, option{"SCTP", ""},
			option{markProtocol, "packets that iptables or nft marked"}),
		typedField(askAddress, "address", address, "the virtual IP: 203.0.113.10, 2001:db8::10").only(isAddress),
		typedField(askPort, "port", port, "1 to 65535; 0 for every port, if persistent").only(isAddress),
		typedField(askMark, "mark", mark, "1 to 4294967295").only(isMark),
		chosenField(askFamily, "family", family, option{"IPv4", ""}, option{"IPv6", ""}).only(isMark),
	}
}

// settingFields are the questions about everything else.
func settingFields(s ipvs.Service, schedulers []option) []*field {
	sticky := "0"
	if s.Persistence.On {
		sticky = strconv.FormatUint(uint64(s.Persistence.Timeout), 10)
	}
	isSticky := func(f *form) bool { return f.get(askSticky) != "0" && f.get(askSticky) != "" }
	datagrams := func(f *form) bool {
		switch p := f.get(askProtocol); p {
		case "":
			return s.IsMark() || s.Protocol == ipvs.UDP || s.OnePacket
		default:
			return p == "UDP" || p == markProtocol
		}
	}
	return []*field{
		chosenField(askScheduler, "scheduler", s.Scheduler, schedulers...),
		typedField(askFlags, "flags", strings.Join(s.SchedFlags.Names(s.Scheduler), ","), "sh, mh: fallback, port; else flag-1 to flag-3; empty: none"),
		chosenField(askOnePacket, "one-packet", text.YesNo(s.OnePacket), option{"no", ""}, option{"yes", "each UDP packet is scheduled anew"}).only(datagrams),
		typedField(askSticky, "persistent", sticky, "seconds a client stays with its server; 0: not at all"),
		typedField(askMask, "client mask", s.Persistence.Mask.Text(s.Family), "clients with the same network stay together").only(isSticky),
		chosenField(askEngine, "pe", text.Or(s.Persistence.Engine, "none"), option{"none", "by client address"}, option{"sip", "by SIP call"}).only(isSticky),
	}
}

// noScheduler stands in place of when to use one.
const noScheduler = "not in this kernel"

// schedulersOf is the schedulers, with a word at those that a host's kernel
// neither has nor can load.
func schedulersOf(host netcfg.Host) []option {
	marked := slices.Clone(schedulers)
	modules, err := host.Modules()
	for i := range marked {
		if o := &marked[i]; err == nil && modules.Scheduler(o.value) == netcfg.Missing {
			o.hint = noScheduler
		}
	}
	return marked
}

// openAddService asks for a new service.
func openAddService(m *Model) tea.Cmd {
	host := m.opts.System
	return readThen(nil, func(context.Context, ipvs.Table) ([]option, error) {
		return schedulersOf(host), nil
	}, func(m *Model, schedulers []option) {
		fields := append(identityFields(ipvs.ServiceID{}), settingFields(ipvs.NewService(ipvs.ServiceID{Family: ipvs.IPv4}), schedulers)...)
		m.openForm(&form{title: "Add a virtual service", fields: fields, finish: finishAddService(nil)})
	})
}

// serviceNow is a service and the schedulers it could have.
type serviceNow struct {
	ipvs.ServiceRules
	schedulers []option
}

// openClone asks for a service like the cursor's, with the same servers.
func openClone(m *Model) tea.Cmd {
	row, _ := m.list.Current()
	id, host := row.Service.ServiceID, m.opts.System
	return readThen(m.hands.runner.Target.Table, func(ctx context.Context, t ipvs.Table) (serviceNow, error) {
		s, err := plan.ReadService(ctx, t, id)
		return serviceNow{s, schedulersOf(host)}, err
	}, func(m *Model, s serviceNow) {
		m.openForm(&form{
			title:  fmt.Sprintf("Clone %s with its %d servers", id, len(s.Servers)),
			fields: append(identityFields(id), settingFields(s.Service, s.schedulers)...),
			finish: finishAddService(s.Servers),
		})
	})
}

func finishAddService(servers []ipvs.Server) func(*Model, *form) tea.Cmd {
	return func(m *Model, f *form) tea.Cmd {
		id, ok := f.identity()
		if !ok {
			return nil
		}
		for _, s := range m.live.Services {
			if s.ServiceID == id {
				f.blame(askAddress, fmt.Sprintf("%s is there already", id))
				return nil
			}
		}
		s, ok := f.service(ipvs.NewService(id))
		if !ok {
			return nil
		}
		rules := ipvs.ServiceRules{Service: s, Servers: movedTo(id, servers)}
		if !f.fits(check.OfRules(ipvs.Rules{Services: []ipvs.ServiceRules{rules}}), serviceQuestions) {
			return nil
		}
		return askFirst(m, plan.AddService(rules))
	}
}

// movedTo is servers for a service of another port: those that get its packets
// as they came have its port, too.
func movedTo(id ipvs.ServiceID, servers []ipvs.Server) []ipvs.Server {
	out := slices.Clone(servers)
	for i := range out {
		if s := &out[i]; s.Forward != ipvs.Masq && !id.IsMark() {
			s.Addr = netip.AddrPortFrom(s.Addr.Addr(), id.Port)
		}
	}
	return out
}

// openEditService asks for the settings of the cursor's service.
func openEditService(m *Model) tea.Cmd {
	row, _ := m.list.Current()
	id, host := row.Service.ServiceID, m.opts.System
	return readThen(m.hands.runner.Target.Table, func(ctx context.Context, t ipvs.Table) (serviceNow, error) {
		s, err := t.Service(ctx, id)
		return serviceNow{ipvs.ServiceRules{Service: s.Service}, schedulersOf(host)}, err
	}, func(m *Model, now serviceNow) {
		before := now.Service
		m.openForm(&form{title: "Edit " + id.String(), fields: settingFields(before, now.schedulers), finish: func(m *Model, f *form) tea.Cmd {
			after, ok := f.service(before)
			if !ok || !f.fits(check.OfService(after), serviceQuestions) {
				return nil
			}
			p, err := plan.EditService(before, after)
			return m.made(madeMsg{p, err, askFirst})
		}})
	})
}

// identity reads the questions of identityFields.
func (f *form) identity() (ipvs.ServiceID, bool) {
	if f.get(askProtocol) == markProtocol {
		n, err := strconv.ParseUint(f.get(askMark), 10, 32)
		if err != nil || n == 0 {
			f.blame(askMark, "must be 1 to 4294967295")
			return ipvs.ServiceID{}, false
		}
		family := ipvs.IPv4
		if f.get(askFamily) == "IPv6" {
			family = ipvs.IPv6
		}
		return ipvs.MarkService(uint32(n), family), true
	}
	addr, err := netip.ParseAddr(f.get(askAddress))
	if err != nil || addr.Zone() != "" {
		f.blame(askAddress, "must be an IPv4 or IPv6 address")
		return ipvs.ServiceID{}, false
	}
	port, err := strconv.ParseUint(f.get(askPort), 10, 16)
	if err != nil {
		f.blame(askPort, "must be 0 to 65535")
		return ipvs.ServiceID{}, false
	}
	protocol := map[string]ipvs.Protocol{"TCP": ipvs.TCP, "UDP": ipvs.UDP, "SCTP": ipvs.SCTP}[f.get(askProtocol)]
	return ipvs.AddressService(protocol, netip.AddrPortFrom(addr, uint16(port))), true
}

// service reads the questions of settingFields into a service that has the rest.
func (f *form) service(s ipvs.Service) (ipvs.Service, bool) {
	if name := f.get(askScheduler); name != s.Scheduler && f.hint(askScheduler) == noScheduler {
		f.blame(askScheduler, name+": this kernel neither has nor can load ip_vs_"+name)
		return s, false
	}
	s.Scheduler = f.get(askScheduler)
	flags, err := parseFlags(f.get(askFlags))
	if err != nil {
		f.blame(askFlags, err.Error())
		return s, false
	}
	s.SchedFlags = flags
	s.OnePacket = f.get(askOnePacket) == "yes"
	seconds, err := strconv.ParseUint(f.get(askSticky), 10, 32)
	if err != nil {
		f.blame(askSticky, "must be 0 to 2678400 seconds (31 days)")
		return s, false
	}
	if seconds == 0 {
		s.Persistence = ipvs.Persistence{Mask: ipvs.FullMask(s.Family)}
		return s, true
	}
	mask, ok := parseMask(f.get(askMask), s.Family)
	if !ok {
		f.blame(askMask, "must be a mask such as 255.255.255.0; for IPv6 a prefix length, 1 to 128")
		return s, false
	}
	s.Persistence = ipvs.Persistence{On: true, Timeout: uint32(seconds), Mask: mask}
	if e := f.get(askEngine); e != "none" {
		s.Persistence.Engine = e
	}
	return s, true
}

func parseFlags(s string) (flags ipvs.SchedFlags, err error) {
	for _, name := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' }) {
		switch name {
		case "fallback", "sh-fallback", "mh-fallback", "flag-1":
			flags |= ipvs.SchedFlag1
		case "port", "sh-port", "mh-port", "flag-2":
			flags |= ipvs.SchedFlag2
		case "flag-3":
			flags |= ipvs.SchedFlag3
		default:
			return 0, fmt.Errorf("flag %q: must be fallback, port, flag-1, flag-2 or flag-3", name)
		}
	}
	return flags, nil
}

// parseMask reads 255.255.255.0, /24 or 24 for IPv4, and a prefix length for
// IPv6. The full mask of the other family is taken for this one's: it stands
// there when the address was typed last.
func parseMask(s string, family ipvs.Family) (ipvs.Mask, bool) {
	for _, f := range []ipvs.Family{ipvs.IPv4, ipvs.IPv6} {
		if s == ipvs.FullMask(f).Text(f) {
			return ipvs.FullMask(family), true
		}
	}
	if a, err := netip.ParseAddr(s); err == nil && a.Is4() && family == ipvs.IPv4 {
		b := a.As4()
		return ipvs.Mask(uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])), true
	}
	n, err := strconv.ParseUint(strings.TrimPrefix(s, "/"), 10, 8)
	switch {
	case err != nil || n == 0:
		return 0, false
	case family == ipvs.IPv6:
		return ipvs.Mask(n), n <= 128
	}
	return ipvs.Mask(^uint32(0) << (32 - min(n, 32))), n <= 32
}

// fits puts problems at their questions and goes to the first.
func (f *form) fits(problems []check.Problem, questions map[check.Field]string) bool {
	for i := len(problems) - 1; i >= 0; i-- {
		p := problems[i]
		text := p.Rule
		if p.Value != "" {
			text = p.Value + " " + p.Rule
		}
		if p.Of != "" && questions[p.Field] == "" {
			text = p.Error()
		}
		f.blame(questions[p.Field], text)
	}
	return len(problems) == 0
}
