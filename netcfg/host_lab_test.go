package netcfg

import (
	"testing"

	"lvsdeck/lab"
)

// fresh is a host of a real kernel, in a network namespace of its own.
func fresh(t *testing.T) Host {
	t.Helper()
	var k *Kernel
	var err error
	lab.New(t).Host("director").Do(func() { k, err = Open() })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { k.Close() })
	return k
}

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
			case fits && err != nil:
				t.Errorf("fits: %v", err)
			case !fits && err == nil && s.strict:
				t.Errorf("the kernel takes %q for %s", try, v.Name)
			}
		}
	}
}
