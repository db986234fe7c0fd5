package plan

import (
	"context"
	"errors"
	"slices"

	"lvsdeck/ipvs"
)

// adding is services on their way into the table, and what of them has come. What
// was there before is not ours to take away.
type adding struct{ came []ipvs.Change } // as what takes it away

func newService(s ipvs.ServiceRules) ChangeService {
	return ChangeService{After: &s.Service, Servers: s.Servers}
}

// add brings a service with its servers. One that is there with nothing but some
// of them was left by a kill, if there was one, and is completed.
func (a *adding) add(ctx context.Context, t Target, s ipvs.ServiceRules) error {
	var there []ipvs.Server
	err := t.Table.AddService(ctx, s.Service)
	made := err == nil
	if made {
		a.came = append(a.came, ipvs.Change{Op: ipvs.OpDeleteService, Service: s.Service})
	}
	if errors.Is(err, ipvs.ErrServiceExists) {
		there, err = newService(s).leftBehind(ctx, t)
	}
	if err != nil {
		return err
	}
	for _, rs := range s.Servers {
		if slices.Contains(there, rs) {
			continue
		}
		if err := t.Table.AddServer(ctx, s.ServiceID, rs); err != nil {
			return err
		}
		if !made {
			a.came = append(a.came, ipvs.ChangeServer(ipvs.OpDeleteServer, s.ServiceID, rs))
		}
	}
	return nil
}

// leftBehind gives the servers of a service that is there, if it is ours to be
// completed.
func (s ChangeService) leftBehind(ctx context.Context, t Target) ([]ipvs.Server, error) {
	now, servers, err := s.find(ctx, t)
	switch {
	case err != nil:
		return nil, err
	case same(now, s.After) && within(s.Servers, servers):
		return nil, ErrAlready
	case same(now, s.After) && t.Resumed && within(servers, s.Servers):
		return servers, nil
	}
	return nil, s.moved(now, servers)
}

// end takes away what has come when there was an error.
func (a *adding) end(ctx context.Context, t Target, err error) error {
	if err == nil || errors.Is(err, ErrAlready) {
		return err
	}
	for _, gone := range slices.Backward(a.came) {
		err = errors.Join(err, gone.On(ctx, t.Table))
	}
	return err
}
