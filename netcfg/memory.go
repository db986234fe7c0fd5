package netcfg

import (
	"maps"
	"slices"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// Memory is a host in memory, for demo and tests.
type Memory struct {
	mu      sync.Mutex
	sysctls map[string]string
	modules Modules
}

var _ Host = (*Memory)(nil)

// New gives a host with the sysctls and modules of a fresh Linux 6.1.
func New() *Memory {
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
	return m
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
		all = append(all, Value{Name: name, Value: m.sysctls[name]})
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
	if _, ok := m.sysctls[name]; !ok {
		return refused(refusal, ErrAbsent)
	}
	s, ok := Find(name)
	_, err := strconv.ParseInt(value, 10, 32)
	if ok && s.strict && !s.fits(tidy(value)) || !s.strict && err != nil {
		return refused(refusal, unix.EINVAL)
	}
	m.sysctls[name] = tidy(value)
	return nil
}

// Modules implements Host.
func (m *Memory) Modules() (Modules, error) { return m.modules, nil }
