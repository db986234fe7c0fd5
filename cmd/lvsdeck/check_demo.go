package main

import (
	"context"
	"errors"
	"time"

	"lvsdeck/ops"
	"lvsdeck/ops/check"
)

// watchOf makes one round of checks, on this host or on a made-up one.
func watchOf(ctx context.Context, made string, probe bool) (w *check.Watch, done func(), err error) {
	switch {
	case made == "":
		return watchHere(ctx)
	case probe:
		return nil, nil, errors.New("--probe and --demo: choose one; servers that are made up cannot be asked")
	}
	return watchDemo(ctx, made)
}

// demoFor is how long a demo goes on before one round looks at it: its bad day has
// begun by then.
const demoFor = time.Minute

// watchDemo makes one round of checks on a made-up director.
func watchDemo(ctx context.Context, name string) (w *check.Watch, done func(), err error) {
	site, err := openDemo(name)
	if err != nil {
		return nil, nil, err
	}
	w = check.NewWatch(check.WatchOptions{Sources: check.Sources{Host: site.Host(), Table: site.Table(), Conns: site, RulesFile: site.rulesFile()}})
	sampler := ops.NewSampler(site.Table(), ops.Options{})
	sampler.FocusAll()
	sampler.Each(w.Seen)
	now := time.Now()
	site.Prime(ctx, sampler, now.Add(-demoFor))
	if err = site.saveRules(ctx); err == nil {
		site.Play(ctx, sampler, now.Add(-demoFor), demoFor)
		_, err = w.LookNow(ctx)
	}
	if err != nil {
		site.Close()
		return nil, nil, err
	}
	return w, site.Close, nil
}
