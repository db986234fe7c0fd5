package netcfg

import (
	"strings"
	"testing"

	"lvsdeck/lab"
)

// director is a host of the lab as testHost wants it.
func director(t *testing.T) *lab.Host {
	t.Helper()
	n := lab.New(t)
	h := n.Host("director")
	h.Join(n.Segment("wan"), "eth0", "203.0.113.2/24", "2001:db8:2::2/64")
	h.Join(n.Segment("lan"), "eth1", "10.0.3.1/24", "2001:db8:3::1/64")
	h.AddRoute("0.0.0.0/0", "203.0.113.1")
	return h
}

// open is the host by its kernel.
func open(t *testing.T, h *lab.Host) *Kernel {
	t.Helper()
	var k *Kernel
	var err error
	h.Do(func() { k, err = Open() })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { k.Close() })
	return k
}

func fresh(t *testing.T) Host { return open(t, director(t)) }

func TestKernel(t *testing.T) {
	lab.Require(t)
	testHost(t, fresh)
}

// TestTheKernelIsKnown: every sysctl of a real kernel is in the table, and is
// what the table calls its default. Those that a distribution's kernel may set
// otherwise are let pass.
func TestTheKernelIsKnown(t *testing.T) {
	lab.Require(t)
	distributions := map[string]bool{"conntrack": true, "conn_reuse_mode": true}
	all, err := fresh(t).List()
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range all {
		s, ok := Find(v.Name)
		switch {
		case !ok:
			t.Errorf("%s is not known", v.Name)
		case s.Default == "":
			if err := Check(v.Name, v.Value); err != nil {
				t.Errorf("the kernel's own value: %v", err)
			}
		case v.Differs() && !distributions[v.Name]:
			t.Errorf("%s is %q, not %q", v.Name, v.Value, s.Default)
		}
		if v.ReadOnly {
			t.Errorf("%s is called read-only", v.Name)
		}
	}
}

// TestTheKernelOfMemory: the sysctls of links that a host in memory has, and
// those that have effects, a real kernel has too, with the same values.
func TestTheKernelOfMemory(t *testing.T) {
	lab.Require(t)
	k := open(t, lab.New(t).Host("director"))
	for name, value := range linkSysctls {
		name = strings.Replace(name, "*", "default", 1)
		if got, err := k.Get(name); err != nil || got != value {
			t.Errorf("%s is %q (%v), in memory %q", name, got, err, value)
		}
	}
	for name := range effects {
		if _, err := Effective(k, "lo", name); err != nil {
			t.Error(err)
		}
		if _, ok := linkSysctls[Conf("*", name)]; !ok {
			t.Errorf("%s is not in memory", name)
		}
	}
}

// TestTheKernelRefuses: what the table says the kernel refuses itself, it does,
// and takes what fits.
func TestTheKernelRefuses(t *testing.T) {
	lab.Require(t)
	h := fresh(t)
	all, err := h.List()
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range all {
		s, _ := Find(v.Name)
		for _, try := range []string{"0", "1", "2", "3", "-3", "3 50", "50 3"} {
			err := h.Set(v.Name, try)
			switch fits := s.fits(try); {
			case fits && v.Name == cpuList && try != "0": // the lab's machine has one CPU
			case fits && err != nil:
				t.Errorf("fits: %v", err)
			case !fits && err == nil && s.strict:
				t.Errorf("the kernel takes %q for %s", try, v.Name)
			}
		}
	}
}
