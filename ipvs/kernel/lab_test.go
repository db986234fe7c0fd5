package kernel

import (
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/tabletest"
	"lvsdeck/lab"
)

// director is a host with an empty table.
func director(t testing.TB) *lab.Host {
	t.Helper()
	lab.Require(t)
	return lab.New(t).Host("director")
}

// openOn opens the host's table, closed when the test ends.
func openOn(t testing.TB, h *lab.Host) *Client {
	t.Helper()
	var c *Client
	var err error
	h.Do(func() { c, err = Open(t.Context(), Options{}) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestContract(t *testing.T) {
	lab.Require(t)
	// These two set up every namespace when they load. The kernel loads them while
	// the table is locked, and hangs for ever when another test's namespace is
	// being removed just then, which waits for the table.
	lab.Modprobe(t, "ip_vs_lblc", "ip_vs_lblcr")
	tabletest.Run(t, func(t *testing.T) ipvs.Table { return openOn(t, director(t)) })
}
