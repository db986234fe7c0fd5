package netcfg

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"lvsdeck/ipvs"
)

var (
	ip  = netip.MustParseAddr
	cut = netip.MustParsePrefix
)

// samples are settings of every kind, each with those that it needs before.
func samples() (all []sample) {
	add := func(s Setting, needs ...Setting) { all = append(all, sample{s, needs}) }
	add(Address{Link: "lo", Prefix: cut("203.0.113.10/32")})
	add(Address{Link: "eth1", Prefix: cut("10.0.4.1/24")})
	add(Address{Link: "eth1", Prefix: cut("10.0.3.9/24")}) // on a network that is there already
	add(Address{Link: "eth0", Prefix: cut("203.0.113.11/32"), NotSource: true})
	add(Address{Link: "lo", Prefix: cut("2001:db8:2::10/128")})
	add(Address{Link: "eth0", Prefix: cut("2001:db8:2::11/128"), NotSource: true})
	add(Dummy{"lvs0"})
	add(Up{"lvs0"}, Dummy{"lvs0"})
	add(AnyInside{"ip6tnl0"}, Module{"ip6_tunnel"})
	add(GUE{Port: 5555}, Module{"fou"})
	add(GUE{Port: 5555, IPv6: true}, Module{"fou"})
	add(Route{To: cut("192.0.2.0/24"), Via: ip("10.0.3.9"), Link: "eth1"})
	add(Route{To: cut("0.0.0.0/0"), Via: ip("10.0.3.9"), Link: "eth1", Table: 100})
	add(Route{To: cut("2001:db8:9::/64"), Via: ip("2001:db8:3::9"), Link: "eth1"})
	add(Route{To: cut("::/0"), Via: ip("2001:db8:3::9"), Link: "eth1"})
	add(Route{To: cut("::/0"), Via: ip("fe80::9"), Link: "eth1", Table: 1000})
	add(Route{To: cut("0.0.0.0/0"), Via: ip("10.0.3.9"), Table: 10080})
	add(Route{To: cut("::/0"), Via: ip("2001:db8:3::9"), Table: 10080})
	add(Rule{From: cut("10.0.3.1/32"), Table: 100, Priority: 90})
	add(Rule{From: cut("10.0.3.1/32"), Near: true, Priority: 89})
	add(Rule{From: cut("10.0.3.1/32"), Protocol: "tcp", Port: 80, Table: 100, Priority: 90})
	add(Rule{From: cut("2001:db8:3::/64"), Protocol: "udp", Port: 53, Table: 1000, Priority: 91})
	add(Filter{Table: "filter", Chain: "FORWARD", Match: "-s 10.0.3.0/24 -p tcp --sport 80", Jump: "ACCEPT", First: true})
	add(Filter{IPv6: true, Table: "filter", Chain: "OUTPUT", Match: "-o eth0 -p ipv6-icmp -m icmp6 --icmpv6-type 137", Jump: "DROP"})
	add(Filter{
		Table: "nat", Chain: "POSTROUTING", Jump: "SNAT --to-source 10.0.3.1",
		Match: "-m ipvs --vproto tcp --vaddr 203.0.113.10 --vport 80 --vdir ORIGINAL --vmethod MASQ",
	})
	return all
}

type sample struct {
	Setting
	needs []Setting
}

// prepare gives a host what a setting needs. What it has stays.
func (s sample) prepare(t *testing.T, h Host) {
	t.Helper()
	for _, need := range s.needs {
		if err := h.Add(need); err != nil && !errors.Is(err, ErrExists) {
			t.Fatal(err)
		}
	}
}

// testSettings is what every Settings does on a host with eth0 and eth1, both
// with addresses of both families.
func testSettings(t *testing.T, fresh func(*testing.T) Host) {
	t.Run("settings", func(t *testing.T) {
		h := fresh(t)
		for _, s := range samples() {
			s.prepare(t, h)
			expect := func(want bool, when string) {
				t.Helper()
				if has, err := h.Has(s.Setting); err != nil || has != want {
					t.Errorf("%s: %s the host has it: %v (%v)", s, when, has, err)
				}
			}
			answer := func(what string, err, want error) {
				t.Helper()
				var refused *SettingError
				if !errors.Is(err, want) || want != nil && (!errors.As(err, &refused) || refused.Setting != s.Setting) {
					t.Errorf("%s: %s: %v, want %v", s, what, err, want)
				}
			}
			expect(false, "before")
			answer("remove before", h.Remove(s.Setting), ErrMissing)
			answer("add", h.Add(s.Setting), nil)
			expect(true, "after")
			answer("add again", h.Add(s.Setting), ErrExists)
			answer("remove", h.Remove(s.Setting), nil)
			expect(false, "in the end")
		}
	})
	t.Run("modules as settings", func(t *testing.T) {
		h := fresh(t)
		nq := Module{"ip_vs_nq"}
		if err := h.Add(nq); err != nil && !errors.Is(err, ErrExists) {
			t.Fatal(err)
		}
		if err := h.Remove(nq); err != nil {
			t.Error(err)
		}
		if has, err := h.Has(nq); !has || err != nil {
			t.Errorf("the module does not stay: %v", err)
		}
	})
	t.Run("settings refused", func(t *testing.T) {
		h := fresh(t)
		down := Dummy{"lvs1"}
		add := func(s Setting) {
			if err := h.Add(s); err != nil {
				t.Fatal(err)
			}
		}
		add(down)
		if err := h.Set("net/ipv6/conf/lvs1/disable_ipv6", "1"); err != nil {
			t.Fatal(err)
		}
		add(Address{Link: "lo", Prefix: cut("2001:db8:2::10/128")})
		add(Route{To: cut("2001:db8:9::/64"), Via: ip("2001:db8:3::9"), Link: "eth1"})
		for _, c := range []struct {
			s    Setting
			want error
			text string
		}{
			{Address{Link: "nope", Prefix: cut("203.0.113.10/32")}, ipvs.ErrNoDevice, "cannot add address 203.0.113.10/32 on nope: no such network interface"},
			{Address{Link: "lvs1", Prefix: cut("2001:db8:2::11/128")}, ErrNoIPv6, "EACCES"},
			{AnyInside{"nope"}, ipvs.ErrNoDevice, "cannot add tunnel nope open to IPv4 inside: no such network interface"},
			{AnyInside{"eth1"}, ipvs.ErrFamily, "operation not supported"},
			{Up{"nope"}, ipvs.ErrNoDevice, "cannot switch on link nope: no such network interface"},
			{Route{To: cut("192.0.2.0/24"), Via: ip("10.0.3.9"), Link: "nope"}, ipvs.ErrNoDevice, "cannot add route to 192.0.2.0/24 via 10.0.3.9 on nope"},
			{Route{To: cut("192.0.2.0/24"), Via: ip("172.16.0.1"), Link: "eth1"}, ErrGateway, "ENETUNREACH"},
			{Route{To: cut("2001:db8:8::/64"), Via: ip("2001:db8:77::1"), Link: "eth1"}, ErrGateway, "EHOSTUNREACH"},
			{Route{To: cut("192.0.2.0/24"), Via: ip("172.16.0.1"), Table: 100}, ErrGateway, "ENETUNREACH"},
			{Route{To: cut("192.0.2.0/24"), Via: ip("10.0.3.9"), Link: "lvs1"}, ErrGateway, "or the interface is switched off"},
			{Route{To: cut("0.0.0.0/0"), Via: ip("10.0.3.9"), Link: "eth1"}, ErrOther, "EEXIST"},
			{Dummy{"eth1"}, ErrOther, "cannot add dummy link eth1: something else has its place"},
			{Address{Link: "lo", Prefix: cut("2001:db8:2::10/64")}, ErrOther, "EEXIST"},
			{Address{Link: "lo", Prefix: cut("2001:db8:2::10/128"), NotSource: true}, ErrOther, "EEXIST"},
			{Module{"no_such_module"}, ErrNoModule, "cannot load module no_such_module: this kernel has no such module"},
			{Filter{Table: "filter", Chain: "NOSUCH", Match: "-p tcp", Jump: "ACCEPT"}, ErrRefused, "cannot add iptables rule in filter NOSUCH: -p tcp -j ACCEPT"},
			{Up{"a b"}, nil, `cannot switch on link a b: interface "a b": must be`},
		} {
			err := h.Add(c.s)
			var refused *SettingError
			if !errors.As(err, &refused) || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
				t.Errorf("%s: %v; want %v and %q", c.s, err, c.want, c.text)
			}
			if has, err := h.Has(c.s); has || err != nil && c.want != nil {
				t.Errorf("%s was refused, and is there: %v (%v)", c.s, has, err)
			}
		}
	})
}

// TestChecks: what no host can have, and what goes into scripts.
func TestChecks(t *testing.T) {
	for _, s := range samples() {
		if err := s.Check(); err != nil {
			t.Errorf("%s: %v", s, err)
		}
	}
	for _, s := range []Setting{
		Address{}, Address{Link: "eth0"}, Address{Link: "eth0", Prefix: cut("224.0.0.1/32")}, Address{Link: "eth0", Prefix: cut("0.0.0.0/0")},
		Address{Link: "eth0", Prefix: cut("::ffff:203.0.113.10/128")}, Address{Link: "eth0;id", Prefix: cut("203.0.113.10/32")},
		Address{Link: "", Prefix: cut("203.0.113.10/32")}, Address{Link: "../../etc", Prefix: cut("203.0.113.10/32")},
		Up{}, Up{"-a"}, Up{".."}, Up{"sixteen-letters0"}, Dummy{"a\nb"}, Dummy{"$(id)"}, AnyInside{}, AnyInside{"a b"}, GUE{}, GUE{IPv6: true},
		Route{}, Route{To: cut("10.0.0.1/24"), Via: ip("10.0.3.9"), Link: "eth0"}, Route{To: cut("10.0.0.0/24"), Via: ip("2001:db8::1"), Link: "eth0"},
		Route{To: cut("10.0.0.0/24"), Link: "eth0"}, Route{To: cut("::/0"), Via: ip("fe80::1")},
		Route{To: cut("::/0"), Via: ip("fe80::1%eth0"), Link: "eth0"}, Route{To: cut("10.0.0.0/24"), Via: ip("10.0.3.9"), Link: "eth0", Table: -1},
		Rule{}, Rule{From: cut("10.0.0.1/32"), Near: true, Table: 100, Priority: 90}, Rule{From: cut("10.0.0.1/24"), Table: 100, Priority: 90}, Rule{From: cut("0.0.0.0/0"), Table: 100, Priority: 90},
		Rule{From: cut("10.0.0.1/32"), Table: 254, Priority: 90}, Rule{From: cut("10.0.0.1/32"), Table: 100, Priority: 32766},
		Rule{From: cut("10.0.0.1/32"), Table: 100, Priority: 90, Port: 80}, Rule{From: cut("10.0.0.1/32"), Table: 100, Priority: 90, Protocol: "tcp"},
		Rule{From: cut("10.0.0.1/32"), Table: 100, Priority: 90, Port: 80, Protocol: "sctp"},
		Module{}, Module{"../x"}, Module{"-r"}, Module{"ip_vs; id"},
		Filter{}, Filter{Table: "nat", Chain: "INPUT", Match: "-p tcp", Jump: "ACCEPT; id"}, Filter{Table: "nat", Chain: "a b", Match: "-p tcp", Jump: "ACCEPT"},
		Filter{Table: "nat", Chain: "INPUT", Match: "-p  tcp", Jump: "ACCEPT"}, Filter{Table: "nat", Chain: "INPUT", Match: "-s $(id)", Jump: "ACCEPT"},
	} {
		if s.Check() == nil {
			t.Errorf("%#v passes", s)
		}
	}
}
