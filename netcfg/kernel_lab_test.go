package netcfg

import (
	"errors"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/lab"
	"lvsdeck/netcfg/firewall"
)

// TestShells: what the library adds, the lines for a shell find and remove, and
// the other way round; in the end the host is as before.
func TestShells(t *testing.T) {
	lab.Require(t)
	host := director(t)
	k := open(t, host)
	lab.Modprobe(t, "fou")
	before := host.State()
	sh := func(line string) error {
		out, err := host.Try("dash", "-c", line)
		if err == nil && out != "" {
			err = errors.New("it says " + out)
		}
		return err
	}
	for _, s := range samples() {
		s.prepare(t, k)
		shell := s.Shell()
		ok := func(what string, err error) {
			t.Helper()
			if err != nil {
				t.Errorf("%s: %s: %v", s, what, err)
			}
		}
		has := func(want bool, after string) {
			t.Helper()
			if got, err := k.Has(s.Setting); got != want || err != nil {
				t.Errorf("%s: after %s the host has it: %v (%v)", s, after, got, err)
			}
			if found := sh(shell.Has) == nil; found != want {
				t.Errorf("%s: after %s, %s finds it: %v", s, after, shell.Has, found)
			}
		}
		has(false, "nothing")
		ok("add", k.Add(s.Setting))
		has(true, "the library's add")
		ok(shell.Remove, sh(shell.Remove))
		has(false, "the shell's remove")
		ok(shell.Add, sh(shell.Add))
		has(true, "the shell's add")
		ok("remove", k.Remove(s.Setting))
		has(false, "the library's remove")
		for _, need := range s.needs {
			if err := k.Remove(need); err != nil {
				t.Error(err)
			}
		}
	}
	if now := host.State(); now != before {
		t.Errorf("the host is not as before:\n%s", lab.Difference(before, now))
	}
}

// TestShellsOfModules: loaded, built in, not there.
func TestShellsOfModules(t *testing.T) {
	lab.Require(t)
	host := director(t)
	k := open(t, host)
	for name, want := range map[string]bool{"ip_vs": true, "binfmt_script": true, "binfmt_scrip": false, "no_such_module": false} {
		m := Module{name}
		if has, err := k.Has(m); has != want || err != nil {
			t.Errorf("%s: %v (%v)", m, has, err)
		}
		if _, err := host.Try("dash", "-c", m.Shell().Has); (err == nil) != want {
			t.Errorf("%s: %v", m.Shell().Has, err)
		}
	}
	m := Module{"ip_vs_lblcr"}
	if _, err := host.Try("dash", "-ec", m.Shell().Add+"\n"+m.Shell().Has+"\n"+m.Shell().Remove); err != nil {
		t.Error(err)
	}
	if has, err := k.Has(m); !has || err != nil {
		t.Errorf("%s: %v (%v)", m, has, err)
	}
}

// inside is set for the process of a test that runs itself once more.
const inside = "LVSDECK_TEST_INSIDE"

// runInside runs the test once more on a host, as a process of its own.
func runInside(t *testing.T, h *lab.Host, attr *syscall.SysProcAttr) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.SysProcAttr = attr
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := h.Start(cmd); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, out.String())
	}
}

func openHere(t *testing.T) *Kernel {
	t.Helper()
	k, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { k.Close() })
	return k
}

// TestWithoutRights: nobody can look, and no change is permitted.
func TestWithoutRights(t *testing.T) {
	lab.Require(t)
	if os.Getenv(inside) == "" {
		runInside(t, director(t), &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}})
		return
	}
	k := openHere(t)
	if path, err := k.Path(ip("203.0.113.77"), ip("203.0.113.2")); path.Link != "eth0" || err != nil {
		t.Errorf("%+v, %v", path, err)
	}
	for _, s := range append(samples(), sample{Setting: Module{"ip_vs_lblc"}}) {
		if _, err := k.Has(s.Setting); err != nil && !errors.Is(err, ipvs.ErrPermission) {
			t.Errorf("%s: %v", s, err)
		}
		if len(s.needs) > 0 {
			continue // which nobody cannot give
		}
		if err := k.Add(s.Setting); !errors.Is(err, ipvs.ErrPermission) {
			t.Errorf("%s: %v", s, err)
		}
	}
	if _, err := k.Firewall(); !errors.Is(err, ipvs.ErrPermission) {
		t.Error(err)
	}
	if err := k.Set("net/ipv4/ip_forward", "1"); !errors.Is(err, ipvs.ErrPermission) {
		t.Error(err)
	}
}

// TestWithoutTools hides the directory of iptables and modprobe.
func TestWithoutTools(t *testing.T) {
	lab.Require(t)
	if os.Getenv(inside) == "" {
		host := director(t)
		host.Command("nft", "add", "table", "inet", "mine")
		host.Command("ip6tables-legacy", "-P", "INPUT", "DROP")
		host.Command("mount", "-t", "tmpfs", "none", "/usr/sbin")
		runInside(t, host, nil)
		return
	}
	k := openHere(t)
	filter := Filter{IPv6: true, Table: "filter", Chain: "INPUT", Match: "-p tcp", Jump: "ACCEPT"}
	const want = "cannot look for ip6tables rule in filter INPUT: -p tcp -j ACCEPT: iptables is not on this host; install it"
	if _, err := k.Has(filter); !errors.Is(err, ErrNoIPTables) || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("\n got %v\nwant %s", err, want)
	}
	if err := k.Add(Module{"ip_vs_lblc"}); !errors.Is(err, ErrRefused) {
		t.Error(err)
	}
	r, err := k.Firewall()
	if said := strings.Join(r.Unread, "\n"); err != nil || r.Default != "" ||
		!strings.Contains(said, "tables of nft (inet mine), which cannot be read: nft is not on this host; install it") ||
		!strings.Contains(said, "tables of the old ip6tables (filter), which cannot be read: ip6tables-legacy-save is not on this host; install it") {
		t.Errorf("%q, %q, %v", r.Default, said, err)
	}
	p := firewall.Packet{Dst: netip.MustParseAddrPort("203.0.113.2:80")}
	if v := r.Walk(firewall.Input, p); v.Result != firewall.Unknown {
		t.Errorf("past rules that nobody could read: %v", v)
	}
}

// TestNeighbours: one that answers, one that does not.
func TestNeighbours(t *testing.T) {
	lab.Require(t)
	n := lab.New(t)
	a, b := n.Host("a"), n.Host("b")
	lan := n.Segment("lan")
	a.Join(lan, "eth0", "10.0.3.1/24", "2001:db8:3::1/64")
	b.Join(lan, "eth0", "10.0.3.2/24", "2001:db8:3::2/64")
	_, mac := b.Card("eth0")
	k := open(t, a)
	want := map[string]Neighbour{
		"10.0.3.2":      {Link: "eth0", Addr: ip("10.0.3.2"), MAC: mac.String()},
		"2001:db8:3::2": {Link: "eth0", Addr: ip("2001:db8:3::2"), MAC: mac.String()},
		"10.0.3.3":      {Link: "eth0", Addr: ip("10.0.3.3"), Failed: true},
	}
	for to := range want {
		if c, err := a.Dial("udp", "["+to+"]:9"); err == nil {
			c.Write([]byte("?"))
			c.Close()
		}
	}
	lab.Wait(t, "the neighbours", func() error {
		all, err := k.Neighbours()
		if err != nil {
			return err
		}
		seen := map[string]Neighbour{}
		for _, n := range all {
			seen[n.Addr.String()] = n
		}
		for to, n := range want {
			if seen[to] != n {
				return errors.New(to + " is not known as it is")
			}
		}
		return nil
	})
}

// TestReadingRules: it loads no module and changes nothing, on a host without
// rules and on one with rules of all kinds.
func TestReadingRules(t *testing.T) {
	lab.Require(t)
	host := director(t)
	k := open(t, host)
	read := func() firewall.Rules {
		t.Helper()
		modules := func() string { return host.Command("sh", "-c", "cut -d' ' -f1 /proc/modules | sort") }
		loaded := modules()
		r, err := k.Firewall()
		if err != nil || len(r.Unread) > 0 {
			t.Errorf("%v, %v", r.Unread, err)
		}
		if now := modules(); now != loaded {
			t.Errorf("reading loads modules:\n%s", lab.Difference(loaded, now))
		}
		return r
	}
	read()
	for _, line := range []string{
		"iptables -A INPUT -p tcp -m comment --comment our.own -j ACCEPT", "ip6tables -t mangle -A PREROUTING -j DROP",
		"iptables-legacy -P INPUT DROP", "ip6tables-legacy -A FORWARD -j REJECT", "nft add table inet mine",
		"nft add chain inet mine c { type filter hook input priority 5; policy drop; }", "nft add table ip filter2", "nft add table bridge b",
	} {
		words := strings.Fields(line)
		host.Command(words[0], words[1:]...)
	}
	before := host.State() + host.Command("nft", "list", "ruleset")
	all := map[string]firewall.Backend{}
	for _, table := range read().Tables {
		all[string(table.Backend)+" "+string(table.Family)+" "+table.Name] = table.Backend
	}
	if now := host.State() + host.Command("nft", "list", "ruleset"); now != before {
		t.Errorf("reading changes the host:\n%s", lab.Difference(before, now))
	}
	for _, want := range []string{
		"iptables-nft ip filter", "iptables-nft ip6 mangle", "iptables-legacy ip filter", "iptables-legacy ip6 filter", "nft inet mine", "nft ip filter2", "nft bridge b",
	} {
		if _, ok := all[want]; !ok {
			t.Errorf("%s is not read: %v", want, all)
		}
		delete(all, want)
	}
	if len(all) > 0 {
		t.Errorf("read, too: %v", all)
	}
}
