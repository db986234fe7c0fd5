package keep

import (
	"net/netip"
	"os"
	"reflect"
	"strings"
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/persist"
)

// TestOddRowsAreKept: what other programs have made and nobody should ask for is
// saved, told, compared, restored, and kept in snapshots.
func TestOddRowsAreKept(t *testing.T) {
	d := newDesk(t, site)
	svc := ipvs.AddressService(ipvs.TCP, netip.MustParseAddrPort("203.0.113.10:443"))
	for n := range mostProblems + 2 {
		at := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 3, byte(13 + n)}), 8080)
		d.ok(d.table.AddServer(t.Context(), svc, ipvs.Server{Addr: at, Forward: ipvs.Direct, Weight: 1}))
	}
	saved, err := Save(t.Context(), d.table, d.path)
	d.ok(err)
	if why := saved.Warning(); !strings.Contains(why, "10.0.3.13:8080 of TCP 203.0.113.10:443: real server's port 8080") ||
		!strings.HasSuffix(why, "\nand 2 more") {
		t.Errorf("told: %s", why)
	}
	odd := d.rules()
	c, err := Compare(t.Context(), d.table, d.path)
	d.ok(err)
	if !c.Equal() {
		t.Errorf("just saved, and they differ: %v, %s", c.Err, c.Plan.Commands())
	}

	said, err := d.restore(site, false)
	d.ok(err)
	back, err := Open(d.path)
	d.ok(err)
	var b strings.Builder
	d.ok(Restore(t.Context(), d.runner, back, false, &b))
	d.equal("restored", odd, d.rules())
	if want := d.path + ":5:27: real server's port 8080: must be the service's, 443"; !strings.Contains(b.String(), want) || strings.Contains(said, "odd") {
		t.Errorf("want %q in\n%s", want, b.String())
	}
	kept, err := Snapshots(d.runner.Store)
	d.ok(err)
	before, err := kept[1].Open() // before the odd rows were taken out
	d.ok(err)
	d.ok(Restore(t.Context(), d.runner, before, false, &b))
	d.equal("gone back", odd, d.rules())
}

// TestWithoutWords: for some that may run ipvsadm's language has no words. It is
// not saved, and a snapshot has it all the same.
func TestWithoutWords(t *testing.T) {
	d := newDesk(t, site)
	strange := func(id ipvs.ServiceID, change func(*ipvs.Server)) {
		s := ipvs.Server{Addr: netip.MustParseAddrPort("10.0.4.1:443"), Weight: 1}
		change(&s)
		d.ok(d.table.AddServer(t.Context(), id, s))
	}
	mark := ipvs.MarkService(3000000000, ipvs.IPv4)
	strange(mark, func(s *ipvs.Server) { s.Forward = ipvs.Bypass })
	strange(ipvs.AddressService(ipvs.TCP, netip.MustParseAddrPort("203.0.113.10:443")), func(s *ipvs.Server) {
		s.Forward, s.Tunnel = ipvs.TunnelFwd, ipvs.Tunnel{Type: ipvs.GUE, Port: 6080, Flags: 3}
	})
	before, err := persist.ReadRules(t.Context(), d.table)
	d.ok(err)
	if _, err := Save(t.Context(), d.table, d.path); err == nil || !strings.Contains(err.Error(), "not saved, because it could not be restored:\n10.0.4.1:443 of TCP 203.0.113.10:443: tunnel checksum 3") ||
		!strings.Contains(err.Error(), "\n10.0.4.1:443 of FWM 3000000000: forwarding method BYPASS") {
		t.Errorf("saved: %v", err)
	}
	text, err := os.ReadFile(d.path)
	d.ok(err)
	d.equal("the file before", site, string(text))

	_, err = d.restore(site, false)
	d.ok(err)
	kept, err := Snapshots(d.runner.Store)
	d.ok(err)
	saved, err := kept[0].Open()
	d.ok(err)
	var b strings.Builder
	d.ok(Restore(t.Context(), d.runner, saved, false, &b))
	if after, err := persist.ReadRules(t.Context(), d.table); err != nil || !reflect.DeepEqual(after, before) {
		t.Errorf("gone back to\n%+v, %v, want\n%+v", after, err, before)
	}
}
