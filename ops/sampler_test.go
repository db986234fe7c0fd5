package ops_test

import (
	"context"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/memory"
	"lvsdeck/ops"
)

var (
	web  = ipvs.AddressService(ipvs.TCP, netip.MustParseAddrPort("203.0.113.10:443"))
	dns  = ipvs.AddressService(ipvs.UDP, netip.MustParseAddrPort("203.0.113.53:53"))
	mark = ipvs.MarkService(7, ipvs.IPv4)
)

// fill puts services with some servers each into a new table.
func fill(t *testing.T, servers int, ids ...ipvs.ServiceID) *memory.Table {
	t.Helper()
	table := memory.New()
	for _, id := range ids {
		must(t, table.AddService(t.Context(), ipvs.NewService(id)))
		for i := range servers {
			must(t, table.AddServer(t.Context(), id, rs(i)))
		}
	}
	return table
}

// rs is the i-th real server, with thresholds that an overview does not show.
func rs(i int) ipvs.Server {
	addr := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i + 1)})
	return ipvs.Server{Addr: netip.AddrPortFrom(addr, 80), Weight: 1, Upper: 1000, Lower: 500}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// running starts a sampler in a bubble of synctest, in which it lives until the
// test ends.
func running(t *testing.T, r ipvs.Reader) *ops.Sampler {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	s := ops.NewSampler(r, ops.Options{})
	go s.Run(ctx)
	synctest.Wait()
	return s
}

func TestFirstReadingComesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := running(t, fill(t, 2, web, dns))
		select {
		case <-s.Updated():
		default:
			t.Fatal("want word of a first sample")
		}
		first := s.Latest()
		if first.Seq != 1 || len(first.Services) != 2 || first.Servers != 4 || first.Interval != ops.DefaultInterval {
			t.Errorf("want sample 1 of 2 services and 4 servers every 2 s, got %+v", first)
		}
		time.Sleep(ops.DefaultInterval)
		synctest.Wait()
		if got := s.Latest().Seq; got != 2 {
			t.Errorf("want sample 2 after one interval, got %d", got)
		}
	})
}
