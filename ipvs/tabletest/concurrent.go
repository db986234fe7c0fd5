package tabletest

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"

	"lvsdeck/ipvs"
)

// is is errors.Is that takes nil as a kind too.
func is(err, kind error) bool {
	if kind == nil {
		return err == nil
	}
	return errors.Is(err, kind)
}

// testConcurrent lets writers work on services of their own while readers look
// at all of them. Nobody may fail, and no reader may see a service or server
// twice.
func testConcurrent(t *table) {
	const writers, readers, rounds = 4, 3, 15
	var writing, reading sync.WaitGroup
	done := make(chan struct{})
	for n := range writers {
		writing.Go(func() { t.note(t.write(n, rounds)) })
	}
	for range readers {
		reading.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					t.note(t.look())
				}
			}
		})
	}
	writing.Wait()
	close(done)
	reading.Wait()
	o, err := t.Overview(t.ctx)
	t.ok(err)
	if len(o.Services) != writers {
		t.Errorf("want the %d services that the writers left, got %d", writers, len(o.Services))
	}
}

func (t *table) note(err error) {
	if err != nil {
		t.Error(err)
	}
}

// write adds, edits and deletes a service again and again, checks what only it
// can have changed, and leaves the service there.
func (t *table) write(n, rounds int) error {
	id := ipvs.AddressService(ipvs.TCP, netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, 0, 113, byte(n)}), 80))
	rs := server("10.0.0.1:80")
	for round := range rounds {
		rs.Weight = uint32(round)
		set := rs
		set.Weight = uint32(1000 + round)
		if err := errors.Join(
			t.AddService(t.ctx, ipvs.NewService(id)),
			t.AddServer(t.ctx, id, rs),
			t.SetServer(t.ctx, id, set),
		); err != nil {
			return err
		}
		got, err := t.Servers(t.ctx, id)
		if err != nil {
			return err
		}
		if len(got) != 1 || got[0].Weight != set.Weight {
			return fmt.Errorf("%s: want its one server at weight %d, got %+v", id, set.Weight, got)
		}
		if round < rounds-1 {
			if err := t.DeleteService(t.ctx, id); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *table) look() error {
	o, err := t.Overview(t.ctx)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	once := func(name string) {
		if seen[name] {
			err = fmt.Errorf("%s shows twice in one overview", name)
		}
		seen[name] = true
	}
	for _, e := range o.Services {
		once(e.String())
		for _, s := range e.Servers {
			once(ipvs.ServerTarget(e.ServiceID, s.Server))
		}
	}
	if err != nil {
		return err
	}
	rules, err := t.Rules(t.ctx)
	clear(seen)
	for _, s := range rules {
		once(s.String())
	}
	return err
}

// testCancelled: a call whose context is over does nothing and says so, and the
// table works on.
func testCancelled(t *table) {
	t.ok(t.AddService(t.ctx, ipvs.NewService(web)))
	rs := server("10.0.0.1:80")
	t.ok(t.AddServer(t.ctx, web, rs))
	ctx, cancel := context.WithCancel(t.ctx)
	cancel()
	changed := rs
	changed.Weight = 9
	for _, call := range []struct {
		op  ipvs.Op
		run func() error
	}{
		{ipvs.OpInfo, func() error { _, err := t.Info(ctx); return err }},
		{ipvs.OpList, func() error { _, err := t.Overview(ctx); return err }},
		{ipvs.OpList, func() error { _, err := t.Services(ctx); return err }},
		{ipvs.OpList, func() error { _, err := t.Rules(ctx); return err }},
		{ipvs.OpGetService, func() error { _, err := t.Service(ctx, web); return err }},
		{ipvs.OpGetServers, func() error { _, err := t.Servers(ctx, web); return err }},
		{ipvs.OpGetTimeouts, func() error { _, err := t.Timeouts(ctx); return err }},
		{ipvs.OpGetDaemons, func() error { _, err := t.Daemons(ctx); return err }},
		{ipvs.OpAddService, func() error { return t.AddService(ctx, ipvs.NewService(web6)) }},
		{ipvs.OpSetService, func() error { return t.SetService(ctx, ipvs.NewService(web)) }},
		{ipvs.OpDeleteService, func() error { return t.DeleteService(ctx, web) }},
		{ipvs.OpAddServer, func() error { return t.AddServer(ctx, web, server("10.0.0.2:80")) }},
		{ipvs.OpSetServer, func() error { return t.SetServer(ctx, web, changed) }},
		{ipvs.OpDeleteServer, func() error { return t.DeleteServer(ctx, web, rs) }},
		{ipvs.OpAddService, func() error { return t.Apply(ctx, []ipvs.Change{addService(web6)})[0] }},
		{ipvs.OpZero, func() error { return t.Zero(ctx, web) }},
		{ipvs.OpZero, func() error { return t.ZeroAll(ctx) }},
		{ipvs.OpFlush, func() error { return t.Flush(ctx) }},
		{ipvs.OpSetTimeouts, func() error { return t.SetTimeouts(ctx, ipvs.Timeouts{TCP: 5}) }},
		{ipvs.OpStartDaemon, func() error { return t.StartDaemon(ctx, ipvs.Daemon{Role: ipvs.Master, Interface: "lo"}) }},
		{ipvs.OpStopDaemon, func() error { return t.StopDaemon(ctx, ipvs.Daemon{Role: ipvs.Master}) }},
	} {
		if err := call.run(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s with a cancelled context:\n want %v\n got  %v", call.op, context.Canceled, err)
		}
	}
	t.same("the table", stateText(map[ipvs.ServiceID]entry{
		web: {ipvs.NewService(web), map[string]ipvs.Server{"": rs}},
	}), t.read())
}

// testClosed: what is asked of a closed table may fail but not hang or crash.
// The one in memory has nothing to close and may go on.
func testClosed(t *table) {
	t.ok(t.Close())
	t.Overview(t.ctx)
	t.Service(t.ctx, web)
	t.Flush(t.ctx)
	t.ok(t.Close())
}
