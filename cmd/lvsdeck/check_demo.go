package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"lvsdeck/ops"
	"lvsdeck/ops/check"
	"lvsdeck/ops/demo"
	"lvsdeck/ops/keep"
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
	kind, err := demo.ParseKind(name)
	if err != nil {
		return nil, nil, err
	}
	state, err := os.MkdirTemp("", "lvsdeck-demo-")
	if err != nil {
		return nil, nil, err
	}
	done = func() { os.RemoveAll(state) }
	site := demo.New(kind, demoSeed)
	rules := filepath.Join(state, "ipvsadm.rules")
	w = check.NewWatch(check.WatchOptions{Sources: check.Sources{Host: site.Host(), Table: site.Table(), Conns: site, RulesFile: rules}})
	sampler := ops.NewSampler(site.Table(), ops.Options{})
	sampler.FocusAll()
	sampler.Each(w.Seen)
	now := time.Now()
	site.Prime(ctx, sampler, now.Add(-demoFor))
	if _, err = keep.Save(ctx, site.Table(), rules); err == nil { // a director at rest has its rules saved
		site.Play(ctx, sampler, now.Add(-demoFor), demoFor)
		_, err = w.LookNow(ctx)
	}
	if err != nil {
		done()
		return nil, nil, err
	}
	return w, done, nil
}
