package block

import (
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/kernel"
	"lvsdeck/lab"
	"lvsdeck/netcfg"
	"lvsdeck/ops/keep"
	"lvsdeck/ops/plan"
	"lvsdeck/persist"
)

// TestLabBlock: a client is served; kept out, its packets are dropped and nobody
// answers; let in again, the very connection that waited is served.
func TestLabBlock(t *testing.T) {
	lab.Require(t)
	for _, c := range []struct {
		name string
		mode lab.Mode
		v6   bool
		back func(*plan.Runner, plan.Result, Block) error
	}{
		{"NAT, IPv4, undone", lab.NAT, false, func(r *plan.Runner, done plan.Result, _ Block) error {
			_, err := r.Undo(t.Context(), done.ID, nil)
			return err
		}},
		{"DR, IPv6, lifted", lab.DR, true, func(r *plan.Runner, _ plan.Result, b Block) error {
			_, err := r.Run(t.Context(), Lift(b), nil)
			return err
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := lab.Director(t, c.mode, 1, c.v6)
			web := s.At(lab.HTTPPort)
			s.Director.Ipvsadm("-A", "-t", web, "-s", "rr")
			s.Director.Ipvsadm("-a", "-t", web, "-r", netip.AddrPortFrom(s.Addrs[0], lab.HTTPPort).String(), c.mode.Flag())
			served := func(when string) {
				t.Helper()
				if name, err := s.Client.HTTPGet(web); err != nil || name != "rs1" {
					t.Fatalf("%s: %q, %v", when, name, err)
				}
			}
			served("before")

			runner, host := onHost(t, s.Director)
			block := Block{Client: netip.PrefixFrom(clientOf(t, s), s.VIP.BitLen()), VIP: s.VIP}
			done, err := runner.Run(t.Context(), Keep(block), nil)
			if err != nil {
				t.Fatal(err)
			}
			rules, err := host.Firewall()
			if err != nil || !slices.Equal(InForce(rules), []Block{block}) {
				t.Fatalf("in force: %v, %v", InForce(rules), err)
			}
			type answer struct {
				net.Conn
				error
			}
			asked := make(chan answer, 1)
			go func() {
				c, err := s.Client.Dial("tcp", web)
				asked <- answer{c, err}
			}()
			lab.Wait(t, "packets of the client dropped", func() error { return dropped(s.Director, c.v6) })
			select {
			case got := <-asked:
				t.Fatalf("connected while it is kept out: %v", got.error)
			default:
			}
			if err := c.back(runner, done, block); err != nil {
				t.Fatal(err)
			}
			got := <-asked
			if got.error != nil {
				t.Fatalf("let in again: %v", got.error)
			}
			got.Close()
			served("afterwards")
			if rules, err := host.Firewall(); err != nil || len(InForce(rules)) != 0 {
				t.Errorf("still in force: %v, %v", InForce(rules), err)
			}
		})
	}
}

// onHost is what changes a host.
func onHost(t *testing.T, h *lab.Host) (*plan.Runner, *netcfg.Kernel) {
	t.Helper()
	var host *netcfg.Kernel
	var table ipvs.Table
	var err error
	h.Do(func() {
		if host, err = netcfg.Open(); err == nil {
			table, err = kernel.Open(t.Context(), kernel.Options{})
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { host.Close(); table.Close() })
	store, err := persist.Open(persist.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return &plan.Runner{Target: plan.Target{Table: table, Sysctls: host, Host: host}, Store: store, Rules: keep.Language}, host
}

// clientOf is the client's address in the VIP's family.
func clientOf(t *testing.T, s *lab.Site) netip.Addr {
	t.Helper()
	c, err := s.Client.Dial("udp", s.At(lab.UDPPort))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return netip.MustParseAddrPort(c.LocalAddr().String()).Addr()
}

// dropped tells when the rule has dropped a packet.
func dropped(h *lab.Host, v6 bool) error {
	tool := "iptables"
	if v6 {
		tool = "ip6tables"
	}
	text, err := h.Try(tool, "-t", "raw", "-L", "PREROUTING", "-n", "-v", "-x")
	if err != nil {
		return err
	}
	for line := range strings.Lines(text) {
		if strings.Contains(line, netcfg.Comment) && !strings.HasPrefix(strings.TrimSpace(line), "0 ") {
			return nil
		}
	}
	return errNotYet(text)
}

type errNotYet string

func (e errNotYet) Error() string { return "no packet so far:\n" + string(e) }
