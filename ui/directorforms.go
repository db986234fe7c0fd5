package ui

import (
	"context"
	"errors"
	"net/netip"
	"strconv"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/check"
	"lvsdeck/netcfg"
	"lvsdeck/ops/plan"
)

// Questions of the director's forms.
const (
	askTCP       = "tcp"
	askTCPFin    = "tcpfin"
	askUDP       = "udp"
	askInterface = "interface"
	askSyncID    = "syncid"
	askGroup     = "group"
	askGroupPort = "group port"
	askTTL       = "ttl"
	askMaxLen    = "maxlen"
	askValue     = "value"
)

// daemonQuestions says at which question a problem stands.
var daemonQuestions = map[check.Field]string{
	check.Role: askInterface, check.Interface: askInterface, check.SyncID: askSyncID, check.MaxLen: askMaxLen,
	check.Group: askGroup, check.GroupPort: askGroupPort, check.TTL: askTTL,
}

// openTimeouts asks for the three timeouts.
func openTimeouts(m *Model, before ipvs.Timeouts) tea.Cmd {
	number := func(n uint32) string { return strconv.FormatUint(uint64(n), 10) }
	const hint = "seconds, 1 to 2678400 (31 days)"
	m.openForm(&form{title: "Timeouts of connections", fields: []*field{
		typedField(askTCP, "tcp", number(before.TCP), "established and silent; "+hint),
		typedField(askTCPFin, "tcp fin", number(before.TCPFin), "after a FIN; "+hint),
		typedField(askUDP, "udp", number(before.UDP), "without packets; "+hint),
	}, finish: func(m *Model, f *form) tea.Cmd {
		ok := true
		read := func(id string) uint32 {
			n, good := f.number(id, 32, "must be 1 to 2678400 seconds (31 days)", 1, check.MaxTimeout)
			ok = ok && good
			return uint32(n)
		}
		after := ipvs.Timeouts{UDP: read(askUDP), TCPFin: read(askTCPFin), TCP: read(askTCP)}
		if !ok {
			return nil
		}
		return m.made(madeMsg{plan.SetTimeouts(before, after), nil, askFirst})
	}})
	return nil
}

// number reads a typed number, or blames it.
func (f *form) number(id string, bits int, rule string, least, most uint64) (uint64, bool) {
	n, err := strconv.ParseUint(f.get(id), 10, bits)
	if err != nil || n < least || n > most {
		f.blame(id, rule)
		return 0, false
	}
	return n, true
}

// openStartDaemon finds out the host's interfaces and asks for what a sync daemon
// needs.
func openStartDaemon(m *Model, role ipvs.DaemonRole) tea.Cmd {
	if m.opts.System == nil {
		askDaemon(m, role, nil)
		return nil
	}
	links := m.opts.System.Links
	return readThen(nil, func(context.Context, ipvs.Table) ([]netcfg.Link, error) { return links() },
		func(m *Model, all []netcfg.Link) { askDaemon(m, role, all) })
}

// interfaceField asks for one of the host's interfaces: a typed name where none is
// known.
func interfaceField(links []netcfg.Link) *field {
	const id, label = askInterface, "interface"
	var options []option
	for _, l := range links {
		switch {
		case l.Loopback || l.Kind == "dummy":
		case l.Up && l.Carrier:
			options = append(options, option{l.Name, "towards the other director"})
		default:
			options = append(options, option{l.Name, "towards the other director; it is down now"})
		}
	}
	if len(options) == 0 {
		return typedField(id, label, "eth0", "towards the other director")
	}
	return chosenField(id, label, options[0].value, options...)
}

// askDaemon shows the form of a sync daemon; what is left empty the kernel fills
// in.
func askDaemon(m *Model, role ipvs.DaemonRole, links []netcfg.Link) {
	id := "the same on master and backup"
	if role == ipvs.Backup {
		id += "; 0 takes every master's"
	}
	m.openForm(&form{title: "Start the " + role.String() + " sync daemon", fields: []*field{
		interfaceField(links),
		typedField(askSyncID, "sync id", "0", "0 to 255; "+id),
		typedField(askGroup, "group", "", "multicast address; empty: 224.0.0.81"),
		typedField(askGroupPort, "port", "", "UDP port; empty: 8848"),
		typedField(askTTL, "ttl", "", "routers the messages may pass, and one; empty: 1"),
		typedField(askMaxLen, "messages", "", "bytes at most, 1 to 65507; empty: what the interface takes"),
	}, finish: func(m *Model, f *form) tea.Cmd {
		d, ok := f.daemon(role)
		if !ok || !f.fits(check.OfDaemon(d), daemonQuestions) {
			return nil
		}
		return askFirst(m, plan.StartDaemon(nil, d))
	}})
}

// daemon reads the questions of openStartDaemon.
func (f *form) daemon(role ipvs.DaemonRole) (ipvs.Daemon, bool) {
	ok := true
	number := func(id string, bits int, rule string, least, most uint64) uint64 {
		if f.get(id) == "" {
			return 0
		}
		n, good := f.number(id, bits, rule, least, most)
		ok = ok && good
		return n
	}
	d := ipvs.Daemon{
		Role:      role,
		MaxLen:    uint16(number(askMaxLen, 16, "must be 1 to 65507", 1, check.MaxSyncMessage)),
		TTL:       uint8(number(askTTL, 8, "must be 1 to 255", 1, 255)),
		Port:      uint16(number(askGroupPort, 16, "must be 1 to 65535", 1, 65535)),
		SyncID:    uint8(number(askSyncID, 8, "must be 0 to 255", 0, 255)),
		Interface: f.get(askInterface),
	}
	if typed := f.get(askGroup); typed != "" {
		var err error
		if d.Group, err = netip.ParseAddr(typed); err != nil {
			f.blame(askGroup, "must be a multicast address")
			ok = false
		}
	}
	return d, ok
}

func confirmStopDaemon(m *Model, d ipvs.Daemon) tea.Cmd { return askFirst(m, plan.StopDaemon(d)) }

// openSysctl asks for a sysctl's value: among its choices when it has some.
func openSysctl(m *Model, before netcfg.Value) tea.Cmd {
	s, _ := netcfg.Find(before.Name)
	asked := typedField(askValue, "value", before.Value, s.Rule)
	if len(s.Choices) > 0 {
		var options []option
		for _, c := range s.Choices {
			options = append(options, option{c.Value, c.Means})
		}
		asked = chosenField(askValue, "value", before.Value, options...)
	}
	m.openForm(&form{title: netcfg.Prefix + before.Name, fields: []*field{asked}, finish: func(m *Model, f *form) tea.Cmd {
		p, err := plan.SetSysctl(before, f.get(askValue))
		var refused *netcfg.Error
		if errors.As(err, &refused) {
			f.blame(askValue, refused.Rule)
			return nil
		}
		return m.made(madeMsg{p, err, askFirst})
	}})
	return nil
}
