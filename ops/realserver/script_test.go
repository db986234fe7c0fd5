package realserver

import (
	"flag"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/ops/setup"
)

var update = flag.Bool("update", false, "write the golden files anew")

var ip = netip.MustParseAddr

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

// wants are all forms of what is wanted, by the names of their golden files.
func wants() map[string]Want {
	v4, v6, rs4, rs6 := ip("203.0.113.10"), ip("2001:db8:2::10"), ip("10.0.3.11"), ip("2001:db8:3::11")
	gue, gre := ipvs.Tunnel{Type: ipvs.GUE, Port: 5555}, ipvs.Tunnel{Type: ipvs.GRE}
	return map[string]Want{
		"dr4":           {Mode: setup.DR, VIP: v4},
		"dr4-loose":     {Mode: setup.DR, VIP: v4, Loose: "eth1.7"},
		"dr6":           {Mode: setup.DR, VIP: v6},
		"ipip44":        {Mode: setup.TUN, VIP: v4, ClampMSS: true},
		"ipip44-shares": {Mode: setup.TUN, VIP: v4, Server: rs4, Shares: true},
		"ipip66":        {Mode: setup.TUN, VIP: v6, ClampMSS: true},
		"ipip64":        {Mode: setup.TUN, VIP: v6, Server: rs4, ClampMSS: true},
		"ipip46":        {Mode: setup.TUN, VIP: v4, Server: rs6, ClampMSS: true},
		"gue44":         {Mode: setup.TUN, VIP: v4, Tunnel: gue, ClampMSS: true},
		"gue66":         {Mode: setup.TUN, VIP: v6, Tunnel: gue, ClampMSS: true},
		"gue64":         {Mode: setup.TUN, VIP: v6, Server: rs4, Tunnel: gue},
		"gre44":         {Mode: setup.TUN, VIP: v4, Tunnel: gre, ClampMSS: true},
		"gre66":         {Mode: setup.TUN, VIP: v6, Tunnel: gre},
		"nat4":          {Mode: setup.NAT, Server: rs4, Gateway: ip("10.0.3.1"), Protocol: ipvs.TCP, Port: 80},
		"nat4-udp":      {Mode: setup.NAT, Server: rs4, Gateway: ip("10.0.3.1"), Protocol: ipvs.UDP, Port: 53000},
		"nat4-all":      {Mode: setup.NAT, Server: rs4, Gateway: ip("10.0.3.1")},
		"nat6":          {Mode: setup.NAT, Server: rs6, Gateway: ip("2001:db8:3::1"), Protocol: ipvs.TCP, Port: 80},
		"nat6-all":      {Mode: setup.NAT, Server: rs6, Gateway: ip("2001:db8:3::1")},
	}
}

func script(t testing.TB, w Want) string {
	t.Helper()
	text, err := Script(w)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestScripts: the steps of each form, and one script whole. Every shell here can
// read them.
func TestScripts(t *testing.T) {
	for name, w := range wants() {
		text := script(t, w)
		_, steps, _ := strings.Cut(text, "# ---- the steps ----\n\n")
		steps, _, _ = strings.Cut(steps, "# ---- sysctls ----")
		golden(t, name+".steps", steps)
		for _, shell := range []string{"dash", "bash"} {
			if _, err := exec.LookPath(shell); err != nil {
				continue
			}
			cmd := exec.Command(shell, "-n")
			cmd.Stdin = strings.NewReader(text)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s: %s -n: %v\n%s", name, shell, err, out)
			}
		}
	}
	golden(t, "dr4.sh", script(t, wants()["dr4"]))
}

// TestRefused: what is no host's address, and no mode's.
func TestRefused(t *testing.T) {
	w := wants()
	with := func(name string, change func(*Want)) Want {
		x := w[name]
		change(&x)
		return x
	}
	for want, w := range map[string]Want{
		`mode "": must be nat, dr, tun or fullnat`:                                                                                           {},
		"VIP invalid IP: must be one host's IPv4 or IPv6 address":                                                                            {Mode: setup.DR},
		"VIP 224.0.0.1: must be one host's IPv4 or IPv6 address":                                                                             {Mode: setup.DR, VIP: ip("224.0.0.1")},
		"VIP fe80::1%$(id): must be one host's IPv4 or IPv6 address":                                                                         {Mode: setup.DR, VIP: ip("fe80::1").WithZone("$(id)")},
		`interface "eth0;id": must be a name of 1 to 15 letters, digits and _.@-`:                                                            with("dr4", func(w *Want) { w.Loose = "eth0;id" }),
		"server 203.0.113.10: must not be the VIP, but its own address":                                                                      with("ipip44", func(w *Want) { w.Server = w.VIP }),
		"tunnel gue: needs its UDP port, such as gue:5555":                                                                                   with("gue44", func(w *Want) { w.Tunnel.Port = 0 }),
		"tunnel ipip: has no port":                                                                                                           with("ipip44", func(w *Want) { w.Tunnel.Port = 1 }),
		"tunnel: must be ipip, gue or gre":                                                                                                   with("ipip44", func(w *Want) { w.Tunnel.Type = 7 }),
		"gateway 10.0.3.1 and server 2001:db8:3::11: must be of one family":                                                                  with("nat6", func(w *Want) { w.Gateway = ip("10.0.3.1") }),
		"gateway 10.0.3.11: must be the director, not the server itself":                                                                     with("nat4", func(w *Want) { w.Gateway = w.Server }),
		"gateway fe80::1 and server 2001:db8:3::11: must not be link-local":                                                                  with("nat6", func(w *Want) { w.Gateway = ip("fe80::1") }),
		"protocol SCTP: must be tcp or udp where only the service's answers go by the director; leave the port out to send everything there": with("nat4", func(w *Want) { w.Protocol = ipvs.SCTP }),
		ErrNothing.Error(): {Mode: setup.FullNAT},
	} {
		if text, err := Script(w); err == nil || err.Error() != want {
			t.Errorf("%v, want %s\n%s", err, want, text)
		}
	}
}

// FuzzScript: whatever is wanted is refused, or makes a script with no other signs
// of the shell in it than one for plain names and addresses has.
func FuzzScript(f *testing.F) {
	f.Add("dr", "203.0.113.10", "", "", "eth0", uint16(80), uint8(0))
	f.Add("nat", "", "10.0.3.11", "10.0.3.1", "", uint16(53), uint8(1))
	f.Add("tun", "2001:db8::1%$(id)", "10.0.3.11", "", "a'b", uint16(5555), uint8(2))
	f.Fuzz(func(t *testing.T, mode, vip, server, gateway, link string, port uint16, kind uint8) {
		w := Want{Mode: setup.Mode(mode), Loose: link, Port: port, Protocol: ipvs.TCP, Shares: true, ClampMSS: true}
		w.Tunnel = ipvs.Tunnel{Type: ipvs.TunnelType(kind)}
		if w.Tunnel.Type == ipvs.GUE {
			w.Tunnel.Port = port
		}
		w.VIP, _ = netip.ParseAddr(vip)
		w.Server, _ = netip.ParseAddr(server)
		w.Gateway, _ = netip.ParseAddr(gateway)
		text, err := Script(w)
		if err != nil {
			return
		}
		tame := w
		tame.VIP, tame.Server, tame.Gateway = like(w.VIP, 1), like(w.Server, 2), like(w.Gateway, 3)
		if w.Loose != "" {
			tame.Loose = "eth0"
		}
		if got, want := signs(text), signs(script(t, tame)); got != want {
			t.Errorf("%+v makes a script with other signs:\n got %s\nwant %s", w, got, want)
		}
	})
}

// like is a plain address of the same family.
func like(a netip.Addr, n byte) netip.Addr {
	switch {
	case !a.IsValid():
		return a
	case a.Is4():
		return netip.AddrFrom4([4]byte{10, 0, 0, n})
	}
	return netip.AddrFrom16([16]byte{0x20, 1, 15: n})
}

// signs is all that is no part of a name, number or address. A dot in the name of
// an interface has its sysctls written with slashes.
func signs(script string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune("_.:/@-", r) {
			return -1
		}
		return r
	}, script)
}
