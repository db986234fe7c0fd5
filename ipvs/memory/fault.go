package memory

import (
	"context"
	"sync"

	"lvsdeck/ipvs"
)

// Fault runs before a call does anything. A call whose fault gives an error
// ends with it and changes nothing.
type Fault func(context.Context, ipvs.Op) error

// Fail makes calls fail.
func Fail(err error) Fault {
	return func(context.Context, ipvs.Op) error { return err }
}

// Hang makes calls wait until their context is done.
func Hang(ctx context.Context, _ ipvs.Op) error {
	<-ctx.Done()
	return ctx.Err()
}

// Nth lets a fault happen to the n-th call only; 1 is the next.
func Nth(n int, f Fault) Fault {
	var mu sync.Mutex
	return func(ctx context.Context, op ipvs.Op) error {
		mu.Lock()
		n--
		now := n == 0
		mu.Unlock()
		if !now {
			return nil
		}
		return f(ctx, op)
	}
}

// Inject makes every call from now on meet the fault; nil ends that.
func (t *Table) Inject(f Fault) {
	t.fault.Lock()
	defer t.fault.Unlock()
	t.fault.f = f
}

// faultBox has a lock of its own, so that a call can hang without the table.
type faultBox struct {
	sync.Mutex
	f Fault
}

// enter begins every call but Limits and Close.
func (t *Table) enter(ctx context.Context, op ipvs.Op) error {
	t.fault.Lock()
	f := t.fault.f
	t.fault.Unlock()
	if f != nil {
		if err := f(ctx, op); err != nil {
			return err
		}
	}
	return ctx.Err()
}
