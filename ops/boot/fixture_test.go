package boot

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/memory"
	"lvsdeck/netcfg"
	"lvsdeck/ops/confirm"
	"lvsdeck/ops/keep"
	"lvsdeck/ops/plan"
	"lvsdeck/ops/setup"
	"lvsdeck/persist"
)

var ctx = context.Background()

// director is one in memory, whose files are below a directory.
type director struct {
	*testing.T
	root  string
	host  *netcfg.Memory
	table *memory.Table
	Keeper
	said []string
}

func newDirector(t *testing.T) *director {
	t.Helper()
	d := &director{T: t, root: t.TempDir()}
	d.ok(os.MkdirAll(filepath.Join(d.root, unitDir), 0o755))
	d.Place = Place{Root: d.root, Rules: d.root + "/etc/ipvsadm.rules", Program: "/usr/local/sbin/lvsdeck"}
	d.restart()
	return d
}

// restart is the host after one: with its network cards and files, and nothing
// else.
func (d *director) restart(cards ...string) {
	d.Helper()
	d.host, d.table = netcfg.NewHost(), memory.New()
	if len(cards) == 0 {
		cards = []string{"eth0", "eth1"}
	}
	for _, card := range cards {
		d.plug(card)
	}
	store, err := persist.Open(persist.Options{Dir: filepath.Join(d.TempDir(), "..", "store")})
	d.ok(err)
	r := &plan.Runner{Target: plan.Target{Table: d.table, Sysctls: d.host, Host: d.host}, Store: store, Rules: keep.Language}
	guard, err := confirm.Inside(r)
	d.ok(err)
	r.Guard = guard
	d.Keeper = Keeper{Guard: guard, Book: setup.Book{Runner: r, Timer: guard}, Place: d.Place}
}

func (d *director) plug(card string) {
	address := map[string]string{"eth0": "203.0.113.1/24", "eth1": "10.0.3.1/24"}[card]
	d.host.Plug(card, address)
	if card == "eth0" {
		d.ok(d.host.Add(netcfg.Route{To: netip.MustParsePrefix("0.0.0.0/0"), Via: netip.MustParseAddr("203.0.113.254"), Link: "eth0"}))
	}
}

func (d *director) ok(err error) {
	d.Helper()
	if err != nil {
		d.Fatal(err)
	}
}

// state is the host and the table; modules, which stay loaded, are left out.
func (d *director) state() string {
	d.Helper()
	var rules strings.Builder
	d.ok(keep.Print(ctx, d.table, &rules))
	r, err := netcfgState(d.host)
	d.ok(err)
	return r + rules.String()
}

// netcfgState is what the tests' set-ups touch of a host.
func netcfgState(h *netcfg.Memory) (string, error) {
	var b strings.Builder
	for _, name := range []string{"conntrack", "net/ipv4/conf/all/send_redirects", "net/ipv4/conf/eth1/send_redirects", "net/ipv4/conf/eth0/forwarding", "net/ipv4/conf/eth1/forwarding"} {
		value, err := h.Get(name)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "%s=%s\n", name, value)
	}
	for _, s := range []netcfg.Setting{
		netcfg.Address{Link: "eth0", Prefix: netip.MustParsePrefix("203.0.113.10/32")},
		netcfg.Filter{Table: "nat", Chain: "POSTROUTING", First: true, Jump: "MASQUERADE", Match: "-m ipvs --vproto tcp --vaddr 203.0.113.10 --vport 443 --vdir ORIGINAL --vmethod MASQ"},
		netcfg.Filter{Table: "nat", Chain: "POSTROUTING", Match: "-s 10.0.3.0/24 -o eth0", Jump: "SNAT --to-source 203.0.113.1"},
	} {
		has, err := h.Has(s)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "%s: %t\n", s, has)
	}
	return b.String(), nil
}

// files is all that is below the root.
func (d *director) files() string {
	d.Helper()
	var b strings.Builder
	d.ok(filepath.WalkDir(d.root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		text := ""
		switch {
		case info.Mode().IsRegular():
			var data []byte
			data, err = os.ReadFile(path)
			text = string(data)
		case info.Mode()&fs.ModeSymlink != 0:
			text, err = os.Readlink(path)
		}
		fmt.Fprintf(&b, "%s %v %q\n", strings.TrimPrefix(path, d.root), info.Mode(), text)
		return err
	}))
	return b.String()
}

func (d *director) same(what, want, got string) {
	d.Helper()
	if want != got {
		d.Errorf("%s: got\n%s\nwant\n%s", what, got, want)
	}
}

// The wishes: nat lets servers out, too, and full hides clients.
var (
	nat  = wish(setup.NAT, 80, netip.MustParsePrefix("10.0.3.0/24"))
	full = wish(setup.FullNAT, 443, netip.Prefix{})
)

func wish(mode setup.Mode, port uint16, snat netip.Prefix) setup.Wish {
	return setup.Wish{
		Mode: mode, SNAT: snat, Scheduler: "rr",
		Service: ipvs.AddressService(ipvs.TCP, netip.AddrPortFrom(netip.MustParseAddr("203.0.113.10"), port)),
		Servers: []setup.Server{{Addr: netip.MustParseAddrPort("10.0.3.11:0"), Weight: 3}, {Addr: netip.MustParseAddrPort("10.0.3.12:0"), Weight: 1}},
	}
}

func (d *director) setUp(w setup.Wish, keep bool, within time.Duration) plan.Result {
	d.Helper()
	found, err := setup.Director{Host: d.host, Table: d.table}.Look(ctx, w)
	d.ok(err)
	draft, err := setup.Make(w, found)
	d.ok(err)
	draft.Keep = keep
	r, err := d.Apply(ctx, draft, within, nil)
	d.ok(errors.Join(err, r.Warning))
	return r
}

func (d *director) unset(within time.Duration, ids ...ipvs.ServiceID) plan.Result {
	d.Helper()
	back, err := d.Book.Unset(ctx, nil, ids...)
	d.ok(err)
	r, err := d.Go(ctx, back, within, nil)
	d.ok(errors.Join(err, r.Warning))
	return r
}

func (d *director) keepNow(ids ...ipvs.ServiceID) Change {
	d.Helper()
	c, err := d.Plan(ctx, ids...)
	d.ok(err)
	r, err := d.Keep(ctx, c, nil)
	d.ok(errors.Join(err, r.Warning))
	return c
}

func (d *director) confirm() {
	d.Helper()
	_, err := d.Confirm(ctx)
	d.ok(err)
}

// keeps compares what is kept.
func (d *director) keeps(when string, want ...setup.Wish) {
	d.Helper()
	ids, err := d.Kept()
	d.ok(err)
	got, wanted := fmt.Sprint(ids), []ipvs.ServiceID{}
	for _, w := range want {
		wanted = append(wanted, w.Service)
	}
	if got != fmt.Sprint(wanted) {
		d.Errorf("%s: keeps %s, want %v", when, got, wanted)
	}
}

func (d *director) boot(wait time.Duration) (Tally, error) {
	d.said = nil
	b := Boot{
		Place: d.Place, Target: d.Book.Runner.Target, Book: &d.Book, Wait: wait,
		Tell: func(line string) { d.said = append(d.said, line) },
	}
	return b.Run(ctx)
}

// boots is boot when all must go well.
func (d *director) boots(want Tally) {
	d.Helper()
	t, err := d.boot(0)
	d.ok(err)
	if t != want {
		d.Errorf("boot: %+v, want %+v:\n%s", t, want, strings.Join(d.said, "\n"))
	}
}
