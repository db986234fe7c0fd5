package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/proc"
	"lvsdeck/netcfg"
	"lvsdeck/ops"
	"lvsdeck/ops/check"
	"lvsdeck/ops/conns"
	"lvsdeck/ops/owner"
	"lvsdeck/ops/plan"
	"lvsdeck/persist"
	"lvsdeck/ui/plain"
)

// checkOptions are the flags of check.
type checkOptions struct {
	format, service, demo string
	probe                 bool
}

func newCheck() *cobra.Command {
	var o checkOptions
	cmd := &cobra.Command{
		Use:   "check",
		Short: "say what is wrong: exit status 0 nothing, 1 warnings or faults, 2 could not look",
		Long: "check looks at the table, the host around it and the traffic's own signature, and\n" +
			"says what is wrong, how that is known, what it means for clients, and what ends\n" +
			"it. It takes a few seconds, changes nothing and sends no packet.\n\n" +
			"With --probe each server is asked, too, whether it plays its part: a connection\n" +
			"is begun and taken back, which IPVS does not see. That takes root's rights.",
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt)
			defer stop()
			return runCheck(ctx, o, os.Stdout)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.format, "output", "o", "table", "table or json")
	f.StringVar(&o.service, "service", "", "only of a `service`, and of the director: 203.0.113.10:443, \"udp 203.0.113.53:53\", 203.0.113.10 or \"fwm 7\"")
	f.BoolVar(&o.probe, "probe", false, "ask the servers, too: at most one connection for each is begun and taken back")
	demoFlag(f, &o.demo)
	return cmd
}

// wanted tells which services are asked about.
func (o *checkOptions) wanted() (func(ipvs.ServiceID) bool, error) {
	if o.service == "" {
		return func(ipvs.ServiceID) bool { return true }, nil
	}
	want, err := conns.ParseService(o.service)
	return func(id ipvs.ServiceID) bool { return serviceMeant(want, id) }, err
}

// serviceMeant tells whether a service is one of those that somebody wrote: perhaps
// without port and protocol.
func serviceMeant(want, id ipvs.ServiceID) bool {
	if id == want || want.IsMark() || id.IsMark() {
		return id == want
	}
	return id.Addr == want.Addr && (want.Port == 0 || want.Port == id.Port) && (want.Protocol == 0 || want.Protocol == id.Protocol)
}

func runCheck(ctx context.Context, o checkOptions, out io.Writer) error {
	if err := plain.CheckFormat(o.format); err != nil {
		return err
	}
	wanted, err := o.wanted()
	if err != nil {
		return err
	}
	watch, done, err := watchOf(ctx, o.demo, o.probe)
	if err != nil {
		return err
	}
	defer done()
	result := plain.Checked{Width: terminalWidth()}
	if o.probe {
		asked, err := watch.Probe(ctx, wanted, nil)
		if err != nil {
			return err
		}
		result.Probed = asked.String()
	}
	report := watch.Latest()
	result.Unread = slices.Concat(report.Unread, check.OneLook(watch.Sample()))
	for _, v := range watch.Sample().Services {
		if wanted(v.ServiceID) {
			result.Services++
			result.Servers += len(v.Servers)
		}
	}
	if o.service != "" && result.Services == 0 {
		return fmt.Errorf("--service %q: the table has no such service", o.service)
	}
	for _, f := range report.Findings {
		if f.Service == (ipvs.ServiceID{}) || slices.ContainsFunc(f.Services(), wanted) {
			result.Findings = append(result.Findings, f)
		}
	}
	if err := plain.WriteChecked(out, result, o.format); err != nil {
		return err
	}
	if worst, _ := check.Worst(result.Findings); worst > check.Notice {
		return exitCode(1)
	}
	return nil
}

// between is the time from one sample to the next: long enough for the kernel to
// bring its counters up to date, which it does every 2 s.
const between = 2500 * time.Millisecond

// watchHere makes one round of checks on this host. Only without an error is there
// something to be done with.
func watchHere(ctx context.Context) (w *check.Watch, done func(), err error) {
	var opened []io.Closer
	closeAll := func() {
		for _, c := range slices.Backward(opened) {
			c.Close()
		}
	}
	defer func() {
		if err != nil {
			closeAll()
		}
	}()
	host, err := netcfg.Open()
	if err != nil {
		return nil, nil, err
	}
	opened = append(opened, host)
	table, err := openTable(ctx, asItIs)
	if err != nil {
		return nil, nil, err
	}
	opened = append(opened, table)
	owners, err := owner.Open()
	if err != nil {
		return nil, nil, err
	}
	opened = append(opened, owners)
	here, err := proc.Here()
	if err != nil {
		return nil, nil, err
	}
	opened = append(opened, here)
	w = check.NewWatch(check.WatchOptions{Sources: check.Sources{
		Host: host, Table: table, Conns: here, RulesFile: persist.RulesFile(),
		Owner: func() (*owner.Owner, error) { return owner.Find(owners) },
		Mover: func() (*owner.Process, error) { return owner.Mover(owners) },
		Meant: func() (func(plan.Row) uint32, error) {
			store, _ := openStore(persist.DefaultDir) // nobody may have made a change here
			return meantIn(store)
		},
	}})
	if err = observeTwice(ctx, table, w.Seen); err != nil {
		return nil, nil, err
	}
	_, err = w.LookNow(ctx)
	return w, closeAll, err
}

// observeTwice takes two samples, of which checks see what has moved.
func observeTwice(ctx context.Context, table ipvs.Reader, seen func(*ops.Sample)) error {
	// The interval bounds a reading: a big table gets the time it needs.
	sampler := ops.NewSampler(table, ops.Options{Interval: ops.MaxInterval})
	sampler.FocusAll()
	sampler.Each(seen)
	first := sampler.Observe(ctx, time.Now())
	if ctx.Err() == nil && first.Err == nil && len(first.Services) > 0 {
		select {
		case <-time.After(between):
		case <-ctx.Done():
		}
	}
	sample := sampler.Observe(ctx, time.Now())
	if err := ctx.Err(); err != nil {
		return err
	}
	return errors.Join(sample.Err, sample.Missed)
}
