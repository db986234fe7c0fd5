package ui

import (
	"cmp"
	"net/netip"
	"strconv"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ipvs"
	"lvsdeck/ops/conns"
)

// connsWanted is what the operator asked for: which connections, and how long the
// networks of clients are.
type connsWanted struct {
	conns.Filter
	net4, net6 int // 0: as package conns has it
}

// The questions of the filter.
const (
	askConnClient    = "client"
	askConnService   = "service"
	askConnServer    = "server"
	askConnState     = "state"
	askConnTemplates = "templates"
	askConnServers   = "servers"
	askNet4          = "net4"
	askNet6          = "net6"

	notListed = "not listed"
)

// openConnsFilter asks which connections to look at, and for groupings how long
// networks are.
func openConnsFilter(m *Model, w connsWanted, nets bool, done func(*Model, connsWanted) tea.Cmd) {
	client, service, server := w.Words()
	servers := "all"
	if w.Unlisted {
		servers = notListed
	}
	fields := []*field{
		typedField(askConnClient, "client", client, "198.51.100.7 or 198.51.100.0/24; empty: all"),
		typedField(askConnService, "service", service, "203.0.113.10:443, udp 203.0.113.53:53, 203.0.113.10 or fwm 7"),
		typedField(askConnServer, "server", server, "10.0.3.11:443 or 10.0.3.11"),
		typedField(askConnState, "state", w.State, "as ESTABLISHED or SYN_RECV"),
		chosenField(askConnTemplates, "templates", w.Templates.String(),
			option{"with", "what holds clients to servers is listed, too"}, option{"only", ""}, option{"without", ""}),
		chosenField(askConnServers, "servers", servers,
			option{"all", ""}, option{notListed, "only those that the table does not list any more"}),
	}
	if nets {
		fields = append(fields,
			typedField(askNet4, "net /", strconv.Itoa(cmp.Or(w.net4, conns.DefaultNet4)), "length of an IPv4 client's network, 1 to 32: 2 groups by it"),
			typedField(askNet6, "IPv6 net /", strconv.Itoa(cmp.Or(w.net6, conns.DefaultNet6)), "1 to 128"))
	}
	m.push(&form{title: "Which connections", fields: fields, finish: func(m *Model, f *form) tea.Cmd {
		is, ok := f.connsWanted(w, nets)
		if !ok {
			return nil
		}
		m.drop(f)
		return done(m, is)
	}})
}

// connsWanted reads the form, or blames what is wrong.
func (f *form) connsWanted(was connsWanted, nets bool) (w connsWanted, ok bool) {
	w, ok = was, true
	parse := func(id string, parse func(string) error, clear func()) {
		typed := f.get(id)
		if typed == "" {
			clear()
		} else if err := parse(typed); err != nil {
			f.blame(id, err.Error())
			ok = false
		}
	}
	length := func(id string, to *int, most uint64, rule string) {
		n, good := f.number(id, 16, rule, 1, most)
		*to, ok = int(n), ok && good
	}
	if nets {
		length(askNet6, &w.net6, 128, "must be 1 to 128")
		length(askNet4, &w.net4, 32, "must be 1 to 32")
	}
	parse(askConnServer, func(s string) (err error) { w.Server, err = conns.ParseServer(s); return err }, func() { w.Server = netip.AddrPort{} })
	parse(askConnService, func(s string) (err error) { w.Service, err = conns.ParseService(s); return err }, func() { w.Service = ipvs.ServiceID{} })
	parse(askConnClient, func(s string) (err error) { w.Client, err = conns.ParseClient(s); return err }, func() { w.Client = netip.Prefix{} })
	parse(askConnState, func(s string) (err error) { w.State, err = conns.ParseState(s); return err }, func() { w.State = "" })
	w.Templates, _ = conns.ParseTemplates(f.get(askConnTemplates))
	w.Unlisted = f.get(askConnServers) == notListed
	return w, ok
}
