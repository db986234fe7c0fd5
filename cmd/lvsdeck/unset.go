package main

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/signal"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"lvsdeck/ipvs"
	"lvsdeck/ops/plan"
	"lvsdeck/ops/setup"
	"lvsdeck/ui"
	"lvsdeck/ui/plain"
)

func newUnset() *cobra.Command {
	var o changeOptions
	var vip string
	cmd := &cobra.Command{
		Use:   "unset --vip ADDRESS[:PORT]",
		Short: "take back what setup did: exit status 0 done, 1 only shown",
		Long: "unset takes back exactly what setup did itself for a service, or, without a port,\n" +
			"for all services of an address. What was so before stays, and so does what the\n" +
			"set-up of another service needs. The service goes as it is now. What was kept of it\n" +
			"(lvsdeck keep) goes once it is confirmed.",
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			// An interrupt between two steps takes back those that were done.
			ctx, stop := signal.NotifyContext(cmd.Context(), unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
			defer stop()
			if err := o.check(); err != nil {
				return err
			}
			return runUnset(ctx, vip, &o, os.Stdout)
		},
	}
	cmd.Flags().StringVar(&vip, "vip", "", "the service, `ADDRESS[:PORT]` with /udp or /sctp unless it is TCP")
	o.flags(cmd.Flags())
	_ = cmd.MarkFlagRequired("vip")
	return cmd
}

func runUnset(ctx context.Context, vip string, o *changeOptions, out io.Writer) error {
	d, done, err := openDesk(ctx)
	if err != nil {
		return err
	}
	defer done()
	services, err := setUpAt(d.Book, vip)
	if err != nil {
		return err
	}
	back, err := d.Unset(ctx, services...)
	if err != nil {
		return err
	}
	return o.takeBack(ctx, d, back, out)
}

// takeBack shows a way back and goes it. Also when nothing is left of a set-up there
// is its record, and what is kept of it.
func (o *changeOptions) takeBack(ctx context.Context, d ui.SetUps, back setup.Return, out io.Writer) error {
	if back.Plan.Empty() {
		back.Notes = append(back.Notes, "Nothing is left of it here but its record, and what is kept of it: these go.")
	}
	return o.carryOut(ctx, out, change{
		Report: plain.Report{
			Change: plain.Change{
				Title: back.Plan.Title, Warnings: back.Notes,
				// All is to do: Unset leaves out what is so already.
				Hosts: []plain.Host{{Steps: plain.StepsOf(back.Plan.Items, make([]plan.StepResult, len(back.Plan.Items)))}},
			},
			Services: back.Services, Result: plan.Result{Outcome: plan.NotBegun},
		},
		run:    func(within time.Duration) (plan.Result, error) { return d.Go(ctx, back, within, nil) },
		record: back.Plan.Empty(),
		newWay: "Try a new login",
	})
}

// setUpAt are the services that were set up at an address, with or without a port.
func setUpAt(book setup.Book, vip string) ([]ipvs.ServiceID, error) {
	addr, err := netip.ParseAddr(vip)
	if err != nil {
		id, err := setup.ParseService(vip)
		return []ipvs.ServiceID{id}, err
	}
	records, err := book.List()
	if err != nil {
		return nil, err
	}
	var all []ipvs.ServiceID
	for _, r := range records {
		if r.Wish.Service.Addr == addr.Unmap() {
			all = append(all, r.Wish.Service)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no set-up at %s is known here; lvsdeck journal lists every change, and undo takes one back", vip)
	}
	return all, nil
}
