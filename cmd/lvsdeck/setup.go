package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"lvsdeck/ipvs"
	"lvsdeck/ops/plan"
	"lvsdeck/ops/realserver"
	"lvsdeck/ops/setup"
	"lvsdeck/ui/plain"
)

// setupOptions are the flags of setup.
type setupOptions struct {
	vip, scheduler, tunnel, snat, sources, link string
	servers                                     []string
	keep                                        bool
	changeOptions
}

func newSetup() *cobra.Command {
	var o setupOptions
	cmd := &cobra.Command{
		Use:   "setup nat|dr|tun|fullnat --vip ADDRESS:PORT --rs ADDRESS",
		Short: "make this host the director of a service: exit status 0 done, 1 only shown or not proven",
		Long: "setup finds out what it is not told, shows every step with its reason, and does\n" +
			"what is not so already. A step that fails takes back those before it. Unless it\n" +
			"is confirmed (lvsdeck confirm), all is taken back when its time is over. Then each\n" +
			"server is asked whether it plays its part. lvsdeck unset takes back what was done.\n" +
			"With --keep it lasts over a restart once it is confirmed, not before: what cut\n" +
			"you off would else come back with every restart.\n\n" +
			"  nat      servers answer through the director; ports may differ\n" +
			"  dr       servers on the same segment answer the clients themselves\n" +
			"  tun      servers anywhere answer the clients themselves\n" +
			"  fullnat  servers that cannot be changed; they do not see who their clients are",
		Example: "  lvsdeck setup dr --vip 203.0.113.10:443 --rs 203.0.113.11 --rs 203.0.113.12,2\n" +
			"  lvsdeck setup nat --vip 203.0.113.10:80 --rs 10.0.3.11:8080 --snat 10.0.3.0/24\n" +
			"  lvsdeck setup tun --vip 203.0.113.10:53/udp --rs 192.0.2.11 --tunnel gue:6080",
		Args: takes("nat|dr|tun|fullnat"),
		RunE: func(cmd *cobra.Command, args []string) error {
			// An interrupt between two steps takes back those that were done.
			ctx, stop := signal.NotifyContext(cmd.Context(), unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
			defer stop()
			if err := o.check(); err != nil {
				return err
			}
			w, err := o.wish(args[0])
			if err != nil {
				return err
			}
			return runSetup(ctx, w, &o, os.Stdout)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.vip, "vip", "", "the service, `ADDRESS:PORT` with /udp or /sctp unless it is TCP")
	f.StringArrayVar(&o.servers, "rs", nil, "a real server, `ADDRESS[:PORT][,WEIGHT]`; once for each")
	f.StringVarP(&o.scheduler, "scheduler", "s", "wlc", "how servers are picked")
	f.StringVar(&o.tunnel, "tunnel", "ipip", "of tun: ipip, gre or gue:PORT")
	f.StringVar(&o.snat, "snat", "", "of nat: the `NETWORK` of servers that may reach the world through the director; balanced connections do not need it")
	f.StringVar(&o.sources, "source", "", "of fullnat: the `ADDRESS` or FIRST-LAST that servers see for clients; the director's own without it")
	f.StringVar(&o.link, "interface", "", "where the VIP goes; found out without it")
	f.BoolVar(&o.keep, "keep", false, "make it last over a restart, once it is confirmed")
	o.changeOptions.flags(f)
	_ = cmd.MarkFlagRequired("vip")
	_ = cmd.MarkFlagRequired("rs")
	return cmd
}

// wish reads the flags.
func (o *setupOptions) wish(mode string) (w setup.Wish, err error) {
	w = setup.Wish{Scheduler: o.scheduler, Link: o.link}
	if w.Mode, err = setup.ParseMode(mode); err != nil {
		return w, err
	}
	if w.Service, err = setup.ParseService(o.vip); err != nil {
		return w, err
	}
	for _, text := range o.servers {
		server, err := setup.ParseServer(text)
		if err != nil {
			return w, err
		}
		w.Servers = append(w.Servers, server)
	}
	if w.Tunnel, err = setup.ParseTunnel(o.tunnel); err != nil {
		return w, err
	}
	if o.snat != "" {
		if w.SNAT, err = netip.ParsePrefix(o.snat); err != nil {
			return w, fmt.Errorf("--snat %q: must be a network, like 10.0.3.0/24", o.snat)
		}
	}
	if o.sources != "" {
		if w.Sources, err = setup.ParseRange(o.sources); err != nil {
			return w, err
		}
	}
	return w, w.Check()
}

func runSetup(ctx context.Context, w setup.Wish, o *setupOptions, out io.Writer) error {
	d, done, err := openDesk(ctx)
	if err != nil {
		return err
	}
	defer done()
	draft, err := d.Draft(ctx, w)
	report := plain.Report{Services: []ipvs.ServiceID{w.Service}, Result: plan.Result{Outcome: plan.NotBegun}, Err: err}
	if err != nil {
		if o.json() {
			err = errors.Join(err, plain.WriteReport(out, report))
		}
		return err
	}
	preview, err := draft.Plan.Preview(ctx, d.Runner.Target)
	if err != nil {
		return err
	}
	steps := make([]plan.StepResult, len(preview.States))
	for i, s := range preview.States {
		steps[i].State = s
	}
	servers, err := serversPart(draft)
	if err != nil {
		return err
	}
	report.Change = plain.Change{
		Title: draft.Plan.Title, Warnings: draft.Warnings,
		Hosts: append([]plain.Host{{Steps: plain.StepsOf(draft.Plan.Items, steps)}}, servers...),
	}
	draft.Keep = o.keep
	if o.keep && o.yes && !o.dryRun && !slices.ContainsFunc(steps, isToDo) { // it has only to be kept
		if r, err := d.Apply(ctx, draft, o.within, nil); err != nil || r.Warning != nil {
			return errors.Join(err, r.Warning)
		}
	}
	return o.carryOut(ctx, out, change{
		Report: report,
		run:    func(within time.Duration) (plan.Result, error) { return d.Apply(ctx, draft, within, nil) },
		prove:  func(r *plain.Report) error { return d.prove(ctx, draft, r, o.textTo(out)) },
		kept:   o.keep,
		newWay: fmt.Sprintf("Open a new connection to %s, and a new login", w.Service),
	})
}

func isToDo(s plan.StepResult) bool { return s.State != plan.Already }

// serversPart is what the real servers need, to be done there.
func serversPart(d setup.Draft) (hosts []plain.Host, err error) {
	for _, s := range d.Servers {
		want := realserver.Of(d, s)
		steps, err := realserver.Steps(want)
		if err != nil {
			return nil, err
		}
		if len(steps) == 0 {
			continue
		}
		h := plain.Host{Name: s.Addr.Addr().String(), How: onServer(want)}
		for _, step := range steps {
			h.Steps = append(h.Steps, plain.Step{Text: step.String(), Reason: step.Reason})
		}
		hosts = append(hosts, h)
	}
	return hosts, nil
}

// onServer is the command that makes a real server of the host it is given on.
func onServer(w realserver.Want) string {
	words := []string{"lvsdeck realserver", string(w.Mode)}
	add := func(when bool, flags ...string) {
		if when {
			words = append(words, flags...)
		}
	}
	add(w.VIP.IsValid(), "--vip", w.VIP.String())
	tunnel := w.Tunnel.Type.String()
	if w.Tunnel.Port != 0 {
		tunnel += fmt.Sprintf(":%d", w.Tunnel.Port)
	}
	add(w.Mode == setup.TUN, "--tunnel", tunnel)
	add(w.Gateway.IsValid(), "--gateway", w.Gateway.String())
	port := fmt.Sprint(w.Port)
	if w.Protocol == ipvs.UDP {
		port += "/udp"
	}
	add(w.Port != 0, "--port", port)
	add(w.Mode != setup.DR, "--address", w.Server.String())
	add(w.Mode == setup.TUN && w.Shares, "--shares-segment")
	add(w.Mode == setup.TUN && !w.ClampMSS, "--no-mss")
	return strings.Join(append(words, "apply"), " ")
}

// prove looks whether the VIP is nobody else's and each server plays its part.
func (d desk) prove(ctx context.Context, draft setup.Draft, report *plain.Report, out io.Writer) error {
	proof, err := d.Prove(ctx, draft)
	if err != nil {
		return err
	}
	report.Proof = &proof
	if err := plain.Proof(out, draft.Wish.Service.Addr, proof); err != nil || proof.Fine() {
		return err
	}
	return exitCode(1)
}
