package lab

import (
	"context"
	"fmt"
	"math"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// The first thread of a process must never enter a namespace: /proc/self and
// what lies below it (/proc/net) speak of that thread. It belongs to the main
// goroutine from here on, which only waits for tests.
func init() { runtime.LockOSThread() }

// TB is what the lab needs of a test.
type TB interface {
	Helper()
	Cleanup(func())
	Context() context.Context
	Fatalf(format string, args ...any)
}

// Net is a network of hosts. It is removed when its test ends.
type Net struct {
	t     TB
	wires *Host // a namespace for all the bridges, so that no host sees them
	ports int
}

// New makes an empty network.
func New(t TB) *Net {
	t.Helper()
	n := &Net{t: t}
	n.wires = n.Host("wires")
	// The bridges carry the hosts' packets and have none of their own.
	n.wires.Sysctl("net.ipv6.conf.all.disable_ipv6", "1")
	n.wires.Sysctl("net.ipv6.conf.default.disable_ipv6", "1")
	return n
}

// Segment is an Ethernet segment: what is joined to it sees each other.
type Segment struct{ bridge *netlink.Bridge }

// Segment makes a segment; the name has at most 15 characters.
func (n *Net) Segment(name string) *Segment {
	n.t.Helper()
	snooping := false // it would learn who listens first, and lose neighbour requests meanwhile
	bridge := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: name}, MulticastSnooping: &snooping}
	if err := n.wires.links.LinkAdd(bridge); err != nil {
		n.t.Fatalf("lab: add segment %s: %v", name, err)
	}
	n.wires.Up(name)
	return &Segment{bridge}
}

// Join gives the host a network card on a segment, switched on, with addresses
// such as "192.0.2.1/24".
func (h *Host) Join(s *Segment, card string, addrs ...string) {
	h.net.t.Helper()
	n := h.net
	n.ports++
	port := fmt.Sprintf("port%d", n.ports)
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.MasterIndex = port, s.bridge.Index
	veth := &netlink.Veth{LinkAttrs: attrs, PeerName: card, PeerNamespace: netlink.NsFd(h.spaces[0].Fd())}
	if err := n.wires.links.LinkAdd(veth); err != nil {
		n.t.Fatalf("lab: join %s to segment %s: %v", h.Name, s.bridge.Name, err)
	}
	n.wires.Up(port)
	h.Up(card)
	for _, a := range addrs {
		h.AddAddr(card, a)
	}
}

// Up switches an interface on.
func (h *Host) Up(name string) {
	h.net.t.Helper()
	if err := h.links.LinkSetUp(h.link(name)); err != nil {
		h.net.t.Fatalf("lab: switch %s on %s on: %v", name, h.Name, err)
	}
}

// AddAddr gives an interface an address such as "192.0.2.1/24". An IPv6 address
// can be used at once: nobody asks first whether it is taken.
func (h *Host) AddAddr(name, cidr string) {
	h.net.t.Helper()
	addr, err := netlink.ParseAddr(cidr)
	if err != nil {
		h.net.t.Fatalf("lab: address %q: %v", cidr, err)
	}
	h.addAddr(name, addr)
}

// AddVIP gives an interface a service's address, alone and not for the host's
// own use. A director that speaks with an IPv6 VIP of its own accord puts it on
// the outside of tunnels, too, and the servers, who have it, drop such packets.
func (h *Host) AddVIP(name string, vip netip.Addr) {
	h.net.t.Helper()
	addr := &netlink.Addr{IPNet: &net.IPNet{IP: vip.AsSlice(), Mask: net.CIDRMask(vip.BitLen(), vip.BitLen())}}
	if vip.Is6() {
		addr.PreferedLft, addr.ValidLft = 0, math.MaxUint32
	}
	h.addAddr(name, addr)
}

func (h *Host) addAddr(name string, addr *netlink.Addr) {
	h.net.t.Helper()
	addr.Flags = unix.IFA_F_NODAD
	if err := h.links.AddrAdd(h.link(name), addr); err != nil {
		h.net.t.Fatalf("lab: add address %v to %s on %s: %v", addr.IPNet, name, h.Name, err)
	}
}

// AddRoute routes a prefix ("0.0.0.0/0" and "::/0" are the rest) over a gateway.
func (h *Host) AddRoute(prefix, via string) {
	h.net.t.Helper()
	_, dst, err := net.ParseCIDR(prefix)
	if err == nil {
		err = h.links.RouteAdd(&netlink.Route{Dst: dst, Gw: net.ParseIP(via)})
	}
	if err != nil {
		h.net.t.Fatalf("lab: route %s over %s on %s: %v", prefix, via, h.Name, err)
	}
}

// Card is an interface's number and hardware address, for frames made by hand.
func (h *Host) Card(name string) (index int, mac net.HardwareAddr) {
	h.net.t.Helper()
	attrs := h.link(name).Attrs()
	return attrs.Index, attrs.HardwareAddr
}

func (h *Host) link(name string) netlink.Link {
	h.net.t.Helper()
	link, err := h.links.LinkByName(name)
	if err != nil {
		h.net.t.Fatalf("lab: interface %s on %s: %v", name, h.Name, err)
	}
	return link
}

// Sysctl sets a kernel setting of the host's: "net.ipv4.ip_forward". A part
// with a dot in it, such as a VLAN's name, is written with slashes around.
func (h *Host) Sysctl(name, value string) {
	h.net.t.Helper()
	if !strings.Contains(name, "/") {
		name = strings.ReplaceAll(name, ".", "/")
	}
	var err error
	h.Do(func() { err = os.WriteFile("/proc/sys/"+name, []byte(value), 0o644) })
	if err != nil {
		h.net.t.Fatalf("lab: set %s to %s on %s: %v", name, value, h.Name, err)
	}
}

// Wait is for what comes true in its own time: it asks until there is no error,
// or ends the test when that takes too long.
func Wait(t TB, what string, ask func() error) {
	t.Helper()
	const patience, pause = 30 * time.Second, 10 * time.Millisecond
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	again := time.NewTicker(pause)
	defer again.Stop()
	for {
		err := ask()
		if err == nil {
			return
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			t.Fatalf("lab: waited %v for %s: %v", patience, what, err)
		}
	}
}

// Modprobe loads kernel modules, for all hosts alike.
func Modprobe(t TB, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := output("modprobe", name); err != nil {
			t.Fatalf("lab: %v", err)
		}
	}
}

// number is the address of a host in a network, by its last byte.
func number(p netip.Prefix, n int) netip.Addr {
	b := p.Addr().AsSlice()
	b[len(b)-1] = byte(n)
	a, _ := netip.AddrFromSlice(b)
	return a
}

// cidr is an address written with its network's length.
func cidr(p netip.Prefix, n int) string {
	return netip.PrefixFrom(number(p, n), p.Bits()).String()
}
