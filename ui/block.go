package ui

import (
	"context"
	"net/netip"
	"slices"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/netcfg/firewall"
	"lvsdeck/ops/block"
	"lvsdeck/ops/conns"
	"lvsdeck/ops/plan"
	"lvsdeck/ui/paint"
)

// blockCommands keep clients out.
func blockCommands() []command {
	return []command{
		{changeGroup, nil, "keep a client out: drop its packets before IPVS sees them", "", func(m *Model) tea.Cmd { return openBlock(m, conns.Filter{}) }, cannotBlock},
		{changeGroup, nil, "clients that are kept out, and let them in again", "", openBlocks, noHost},
	}
}

func noHost(m *Model) string {
	if m.opts.System == nil {
		return "the firewall of this host is out of reach here"
	}
	return ""
}

func cannotBlock(m *Model) string {
	if why := noHost(m); why != "" {
		return why
	}
	if m.pending.Pending != nil {
		return m.pending.Pending.Title + " waits to be confirmed first"
	}
	return cannotChange(m)
}

// keepOutWay keeps the client of a filter away.
func keepOutWay(f conns.Filter) offer {
	name := "keep a client out"
	if f.Client.IsValid() {
		name = "keep " + block.Block{Client: f.Client}.String()
	}
	return offer{
		name: name,
		about: "A rule of the firewall drops its packets before IPVS sees them; connections it has end when their time is over. " +
			"It is taken back unless it is confirmed in " + windowText(defaultWindow) + ", and it does not last over a restart.",
		do: func(m *Model) tea.Cmd { return openBlock(m, f) }, why: cannotBlock,
	}
}

// The questions of a block.
const (
	askClient = "client"
	askFrom   = "from"

	everything = "everything"
)

// openBlock asks whom to keep out, and of what.
func openBlock(m *Model, f conns.Filter) tea.Cmd {
	client := ""
	if f.Client.IsValid() {
		client = conns.ClientText(f.Client)
	}
	of := []option{{everything, "all that it sends to this director, or through it"}}
	from := everything
	if f.Service.Addr.IsValid() {
		from = f.Service.Addr.String()
	}
	for _, vip := range m.vips() {
		of = append(of, option{vip.String(), "only what it sends to the services of this address"})
	}
	if !slices.ContainsFunc(of, func(o option) bool { return o.value == from }) {
		from = everything
	}
	whom := typedField(askClient, "client", client, "an address, or a network: 198.51.100.7, 198.51.100.0/24")
	m.openForm(&form{title: "Keep a client out", fields: []*field{whom, chosenField(askFrom, "out of", from, of...)}, finish: finishBlock})
	peers := m.opts.Peers
	spared := block.Spared{Operator: m.opts.Operator}
	return beside(func(context.Context) (bool, error) {
		err := sparePeers(&spared, peers)
		return spared.FromWhere(), err
	}, func(_ *Model, known bool, _ error) tea.Cmd { // an error comes again when it counts
		if !known {
			whom.hint += ". Where you come from is not known here: do not keep yourself out."
		}
		return nil
	})
}

// sparePeers spares the far ends of SSH sessions.
func sparePeers(s *block.Spared, peers func() ([]netip.Addr, error)) (err error) {
	if peers != nil {
		s.Peers, err = peers()
	}
	return err
}

// vips are the addresses of all services, each once.
func (m *Model) vips() (all []netip.Addr) {
	if m.live == nil {
		return nil
	}
	for _, s := range m.live.Services {
		if s.Addr.IsValid() {
			all = append(all, s.Addr)
		}
	}
	slices.SortFunc(all, netip.Addr.Compare)
	return slices.Compact(all)
}

// finishBlock looks whom the block would cut off, and shows the plan.
func finishBlock(m *Model, f *form) tea.Cmd {
	var b block.Block
	var err error
	if b.Client, err = conns.ParseNetwork(f.get(askClient)); err != nil {
		f.blame(askClient, err.Error())
		return nil
	}
	if from := f.get(askFrom); from != everything {
		b.VIP, _ = netip.ParseAddr(from)
	}
	spared := block.Spared{Operator: m.opts.Operator, VIPs: m.vips()}
	for _, s := range m.live.Services {
		for _, r := range s.Servers {
			spared.Servers = append(spared.Servers, r.Addr.Addr())
		}
	}
	host, peers := m.opts.System, m.opts.Peers
	return beside(func(context.Context) (block.Spared, error) {
		err := sparePeers(&spared, peers)
		if err == nil {
			err = spared.Look(host)
		}
		return spared, err
	}, func(m *Model, spared block.Spared, err error) tea.Cmd {
		switch {
		case m.top() != layer(f):
			return nil // the operator has gone on
		case err != nil:
			m.tell("Nothing was changed", err)
			return nil
		}
		if err := b.Check(spared); err != nil {
			f.blame(askClient, err.Error())
			return nil
		}
		return proposeFix(m, block.Keep(b))
	})
}

// blocks lists the clients that are kept out.
type blocks struct {
	pick
	all    []block.Block
	unread []string // what of the firewall could not be read
	read   bool
	err    error
}

func openBlocks(m *Model) tea.Cmd {
	b := &blocks{}
	m.push(b)
	return b.refresh(m)
}

// refresh reads the firewall again.
func (b *blocks) refresh(m *Model) tea.Cmd {
	host := m.opts.System
	return beside(func(context.Context) (firewall.Rules, error) { return host.Firewall() }, func(_ *Model, r firewall.Rules, err error) tea.Cmd {
		b.read, b.err = true, err
		if err == nil {
			b.all, b.unread = block.InForce(r), r.Unread
		}
		return nil
	})
}

// Key implements layer.
func (b *blocks) Key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	b.n = len(b.all)
	switch key := k.String(); {
	case key == "esc" || key == "q":
		m.drop(b)
	case key == "r":
		return b.refresh(m)
	case key == "a":
		return m.run(&command{run: func(m *Model) tea.Cmd { return openBlock(m, conns.Filter{}) }, why: cannotBlock})
	case b.move(key), len(b.all) == 0:
	case key == "enter" || key == "x" || key == "delete":
		at := b.all[b.at]
		return m.run(&command{run: func(m *Model) tea.Cmd { return proposeFix(m, block.Lift(at)) }, why: cannotBlock})
	}
	return nil
}

// Paste implements layer.
func (b *blocks) Paste(*Model, string) {}

// Body implements layer.
func (b *blocks) Body(m *Model, height int) []string {
	lines := []string{heading(m, "Clients that are kept out"), ""}
	if b.err != nil {
		return append(lines, wrapped(m, paint.Bad, m.signs.Problem+" "+b.err.Error(), 1)...)
	}
	for _, u := range b.unread {
		lines = append(lines, wrapped(m, paint.Warn, m.signs.Problem+" "+u+".", 1)...)
	}
	switch {
	case !b.read:
		return append(lines, wrapped(m, paint.Rest, "reading the firewall's rules", 1)...)
	case len(b.all) == 0:
		return append(lines, wrapped(m, paint.Rest, "None by a rule of lvsdeck's. Rules that others made are not listed here.", 1)...)
	}
	head := m.theme.Line(paint.Ground, m.width).Space(1)
	lines = append(lines, head.Left(paint.Rest, "CLIENT", blockClient, "").Space(1).Put(paint.Rest, "OUT OF").String())
	from, to := b.window(len(b.all), max(1, height-len(lines)-4))
	for i := from; i < to; i++ {
		base := paint.Ground
		if i == b.at {
			base = paint.Cursor
		}
		of := everything
		if vip := b.all[i].VIP; vip.IsValid() {
			of = vip.String()
		}
		row := m.theme.Line(base, m.width).Space(1).Left(paint.Plain, conns.ClientText(b.all[i].Client), blockClient, m.signs.Cut).Space(1)
		lines = append(lines, row.Put(paint.Plain, of).String())
	}
	rule := b.all[b.at].Rule()
	lines = append(append(lines, ""), commandLines(m, plan.Lack(rule).Command(), 1)...)
	return lines
}

// blockClient is the cells of a client: a network of IPv6 takes 43.
const blockClient = 43

// Footer implements layer.
func (b *blocks) Footer(m *Model) string {
	keys := []string{"a", "keep another out", "r", "read again", "esc", "back"}
	if len(b.all) > 0 {
		keys = append([]string{m.signs.Enter, "let it in again"}, keys...)
	}
	return m.keysLine(keys...)
}

// Cursor implements layer.
func (b *blocks) Cursor(*Model) (x, y int, shown bool) { return 0, 0, false }
