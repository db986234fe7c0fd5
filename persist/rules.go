package persist

import (
	"context"

	"lvsdeck/ipvs"
)

// ReadRules reads what a table is told, in its one order.
func ReadRules(ctx context.Context, t ipvs.Table) (ipvs.Rules, error) {
	services, err := t.Rules(ctx)
	if err != nil {
		return ipvs.Rules{}, err
	}
	timeouts, err := t.Timeouts(ctx)
	if err != nil {
		return ipvs.Rules{}, err
	}
	daemons, err := t.Daemons(ctx)
	if err != nil {
		return ipvs.Rules{}, err
	}
	rules := ipvs.Rules{Services: services, Timeouts: &timeouts, Daemons: daemons}
	rules.Sort()
	return rules, nil
}
