package plan

import (
	"context"

	"lvsdeck/ipvs"
)

// ZeroCounters sets the counters of one service and its servers to 0, or with
// no Service all there are. They cannot be set back.
type ZeroCounters struct {
	Service *ipvs.ServiceID `json:",omitempty"`
}

// Row names the counters.
func (s ZeroCounters) Row() string {
	if s.Service == nil {
		return "all counters"
	}
	return "the counters of " + s.Service.String()
}

// String warns.
func (s ZeroCounters) String() string { return "zero " + s.Row() + ", which cannot be taken back" }

// Command is ipvsadm -Z.
func (s ZeroCounters) Command() string {
	if s.Service == nil {
		return "ipvsadm -Z"
	}
	return ipvsadm("-Z", serviceWords(*s.Service))
}

// Counts is none: no row changes.
func (s ZeroCounters) Counts() Counts { return Counts{} }

// Undo is nil.
func (s ZeroCounters) Undo() Step { return nil }

// Done looks whether everything has counted nothing. After a zeroing it may soon
// have again: doing it twice does no harm.
func (s ZeroCounters) Done(ctx context.Context, t Target) (bool, error) {
	view, err := t.Table.Overview(ctx)
	if err != nil {
		return false, err
	}
	if s.Service == nil && view.Stats.Total != (ipvs.Traffic{}) {
		return false, nil
	}
	for _, e := range view.Services {
		if (s.Service == nil || e.ServiceID == *s.Service) && e.Stats.Total != (ipvs.Traffic{}) {
			return false, nil
		}
	}
	return true, nil
}

// Do zeroes.
func (s ZeroCounters) Do(ctx context.Context, t Target) error {
	if s.Service == nil {
		return t.Table.ZeroAll(ctx)
	}
	return t.Table.Zero(ctx, *s.Service)
}
