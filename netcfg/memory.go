package netcfg

import (
	"fmt"
	"maps"
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// Memory is a host in memory, for demo and tests. It has one routing table for
// each number, and finds ways as the kernel does for what a set-up meets:
// addresses of its own, neighbours on a link, gateways, rules by sender.
type Memory struct {
	mu         sync.Mutex
	sysctls    map[string]string // by their names; files below /proc/sys have slashes
	modules    Modules
	loaded     []string // modules other than IPVS's
	links      []Link
	addresses  []Address
	others     []Setting // routes, rules, GUE ports, filters
	neighbours []Neighbour
	saved      map[bool]string // rules of iptables besides our settings, by IPv6
}

var _ Host = (*Memory)(nil)

// New gives a director between a network outside and one of servers, with the
// sysctls and modules of a fresh Linux 6.1.
func New() *Memory {
	m := NewHost()
	m.Plug("eth0", "203.0.113.2/24")
	m.Plug("eth1", "10.0.3.1/24")
	must(m.Add(Route{To: netip.MustParsePrefix("0.0.0.0/0"), Via: netip.MustParseAddr("203.0.113.1"), Link: "eth0"}))
	return m
}

// NewHost gives a host without network cards.
func NewHost() *Memory {
	m := &Memory{sysctls: map[string]string{}, modules: Modules{
		Loaded: []string{"ip_vs", "ip_vs_rr", "ip_vs_wlc"},
		Loadable: []string{
			"ip_vs", "ip_vs_dh", "ip_vs_fo", "ip_vs_ftp", "ip_vs_lblc", "ip_vs_lblcr", "ip_vs_lc", "ip_vs_mh", "ip_vs_nq",
			"ip_vs_ovf", "ip_vs_pe_sip", "ip_vs_rr", "ip_vs_sed", "ip_vs_sh", "ip_vs_wlc", "ip_vs_wrr",
		},
		Listed: true,
	}}
	for _, s := range known {
		if s.Since == "" || s.Since == "5.15" {
			m.sysctls[s.Name] = s.Default
		}
	}
	delete(m.sysctls, "debug_level") // few kernels are built with it
	m.sysctls["sync_qlen_max"] = "3721"
	maps.Copy(m.sysctls, map[string]string{"net/ipv4/ip_forward": "0", "net/ipv4/ip_local_port_range": "32768 60999"})
	for name, value := range linkSysctls {
		for _, link := range []string{"all", "default"} {
			m.sysctls[strings.Replace(name, "*", link, 1)] = value
		}
	}
	m.PutLink(Link{Name: "lo", Kind: "device", MTU: 65536, Up: true, Carrier: true, Loopback: true})
	m.address("lo", "127.0.0.1/8")
	m.address("lo", "::1/128")
	return m
}

// linkSysctls are the sysctls that each link has, as they are on a fresh kernel.
var linkSysctls = map[string]string{
	"net/ipv4/conf/*/accept_local": "0", "net/ipv4/conf/*/accept_redirects": "1", "net/ipv4/conf/*/arp_announce": "0",
	"net/ipv4/conf/*/arp_ignore": "0", "net/ipv4/conf/*/arp_notify": "0", "net/ipv4/conf/*/forwarding": "0",
	"net/ipv4/conf/*/log_martians": "0", "net/ipv4/conf/*/proxy_arp": "0", "net/ipv4/conf/*/rp_filter": "0",
	"net/ipv4/conf/*/secure_redirects": "1", "net/ipv4/conf/*/send_redirects": "1", "net/ipv4/conf/*/src_valid_mark": "0",
	"net/ipv6/conf/*/accept_ra": "1", "net/ipv6/conf/*/accept_redirects": "1", "net/ipv6/conf/*/disable_ipv6": "0",
	"net/ipv6/conf/*/forwarding": "0",
}

// Plug gives the host a network card, switched on, with addresses such as
// "192.0.2.1/24".
func (m *Memory) Plug(name string, addresses ...string) {
	m.PutLink(Link{Name: name, Kind: "device", MTU: 1500, Up: true, Carrier: true})
	for _, a := range addresses {
		m.address(name, a)
	}
}

// PutLink gives the host a network interface of any kind. Its index is the next,
// and by that goes its hardware address.
func (m *Memory) PutLink(l Link) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.putLink(l)
}

func (m *Memory) putLink(l Link) {
	l.Index = 1
	if len(m.links) > 0 {
		l.Index += m.links[len(m.links)-1].Index
	}
	if !l.Loopback && (l.Kind == "device" || l.Kind == "dummy") {
		l.MAC = fmt.Sprintf("02:00:00:00:00:%02x", l.Index)
	}
	m.links = append(m.links, l)
	for name := range linkSysctls {
		m.sysctls[strings.Replace(name, "*", l.Name, 1)] = m.sysctls[strings.Replace(name, "*", "default", 1)]
	}
}

// PutNeighbour lets the host know a neighbour, in place of what it knew of it.
func (m *Memory) PutNeighbour(n Neighbour) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.neighbours = slices.DeleteFunc(m.neighbours, func(o Neighbour) bool { return o.Link == n.Link && o.Addr == n.Addr })
	m.neighbours = append(m.neighbours, n)
}

func (m *Memory) address(link, prefix string) {
	must(m.Add(Address{Link: link, Prefix: netip.MustParsePrefix(prefix)}))
}

// must is for what the maker of a host says wrong.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// Put sets a sysctl behind everybody's back; the kernel need not have it.
func (m *Memory) Put(name, value string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sysctls[name] = value
}

// List implements Host.
func (m *Memory) List() ([]Value, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []Value
	for _, name := range slices.Sorted(maps.Keys(m.sysctls)) {
		if !strings.Contains(name, "/") {
			all = append(all, Value{Name: name, Value: m.sysctls[name]})
		}
	}
	return all, nil
}

// Get implements Host.
func (m *Memory) Get(name string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	value, ok := m.sysctls[name]
	if !ok {
		return "", refused(Error{Name: name}, ErrAbsent)
	}
	return value, nil
}

// Set implements Host. Like the kernel it takes any number where it does not
// look closer.
func (m *Memory) Set(name, value string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	refusal := Error{Name: name, Value: value, Set: true}
	before, ok := m.sysctls[name]
	if !ok {
		return refused(refusal, ErrAbsent)
	}
	value = tidy(value)
	if !m.takes(name, before, value) {
		return refused(refusal, unix.EINVAL)
	}
	m.sysctls[name] = value
	if value != before {
		m.lead(name, value)
	}
	return nil
}

func (m *Memory) takes(name, before, value string) bool {
	if s, ok := Find(name); ok && s.strict {
		return s.fits(value)
	}
	for field := range strings.FieldsSeq(value) {
		if _, err := strconv.ParseInt(field, 10, 32); err != nil {
			return false
		}
	}
	return len(strings.Fields(value)) == len(strings.Fields(before))
}

// lead changes what the kernel changes along with a sysctl.
func (m *Memory) lead(name, value string) {
	for led := range m.along(name) {
		m.sysctls[led] = value
		if path.Base(led) == "accept_redirects" {
			m.sysctls[led] = strconv.Itoa(on(value == "0"))
		}
	}
	switch name { // two names of one
	case forwardAll:
		m.sysctls[ipForward] = value
	case ipForward:
		m.sysctls[forwardAll] = value
	}
}

// Along implements Host.
func (m *Memory) Along(name string) (map[string]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.along(name), nil
}

func (m *Memory) along(name string) map[string]string {
	all := map[string]string{}
	for _, pattern := range along[name] {
		for led, value := range m.sysctls {
			if ok, _ := path.Match(pattern, led); ok && isLed(led) {
				all[led] = value
			}
		}
	}
	return all
}

// Modules implements Host.
func (m *Memory) Modules() (Modules, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := m.modules
	all.Loaded = slices.Clone(all.Loaded)
	return all, nil
}
