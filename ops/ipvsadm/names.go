package ipvsadm

import (
	"bufio"
	"context"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"lvsdeck/ipvs"
)

// systemNames asks the system's resolver and /etc/services.
type systemNames struct {
	ctx   context.Context
	ports map[string]uint16 // by "http/tcp"; nil until asked
	names map[string]string // by "80/tcp"
	hosts map[netip.Addr]string
}

// SystemNames looks names up as other programs of the system do. What was
// looked up once is remembered. It is not safe for concurrent use.
func SystemNames(ctx context.Context) Names {
	return &systemNames{ctx: ctx, hosts: map[netip.Addr]string{}}
}

func (n *systemNames) Host(name string) (netip.Addr, bool) {
	found, err := net.DefaultResolver.LookupNetIP(n.ctx, "ip4", name)
	if err != nil || len(found) == 0 {
		return netip.Addr{}, false
	}
	return found[0].Unmap(), true
}

func (n *systemNames) HostName(a netip.Addr) (string, bool) {
	name, known := n.hosts[a]
	if !known {
		if found, err := net.DefaultResolver.LookupAddr(n.ctx, a.String()); err == nil && len(found) > 0 {
			name = strings.TrimSuffix(found[0], ".")
		}
		n.hosts[a] = name
	}
	return name, name != ""
}

func (n *systemNames) Port(name string, p ipvs.Protocol) (uint16, bool) {
	n.load()
	port, ok := n.ports[name+"/"+strings.ToLower(p.String())]
	return port, ok
}

func (n *systemNames) PortName(port uint16, p ipvs.Protocol) (string, bool) {
	n.load()
	name, ok := n.names[strconv.Itoa(int(port))+"/"+strings.ToLower(p.String())]
	return name, ok
}

// load reads /etc/services, in which the first line wins. A system without it
// has no names.
func (n *systemNames) load() {
	if n.ports != nil {
		return
	}
	n.ports, n.names = map[string]uint16{}, map[string]string{}
	f, err := os.Open("/etc/services")
	if err != nil {
		return
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line, _, _ := strings.Cut(lines.Text(), "#")
		n.service(strings.Fields(line))
	}
}

// service takes a line "http 80/tcp www" in.
func (n *systemNames) service(words []string) {
	if len(words) < 2 {
		return
	}
	number, proto, _ := strings.Cut(words[1], "/")
	port, err := strconv.ParseUint(number, 10, 16)
	if err != nil {
		return
	}
	if _, known := n.names[words[1]]; !known {
		n.names[words[1]] = words[0]
	}
	for _, name := range append(words[2:], words[0]) {
		if _, known := n.ports[name+"/"+proto]; !known {
			n.ports[name+"/"+proto] = uint16(port)
		}
	}
}
