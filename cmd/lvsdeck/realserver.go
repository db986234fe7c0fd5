package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
	"lvsdeck/ops/confirm"
	"lvsdeck/ops/plan"
	"lvsdeck/ops/realserver"
	"lvsdeck/ops/setup"
	"lvsdeck/persist"
	"lvsdeck/ui/plain"
	"lvsdeck/ui/text"
)

// realserverOptions are the flags of realserver.
type realserverOptions struct {
	vip, gateway, address, port, tunnel, loose string
	shares, noMSS, sudo                        bool
	servers                                    []string
	within                                     time.Duration
}

func newRealserver() *cobra.Command {
	var o realserverOptions
	cmd := &cobra.Command{
		Use:   "realserver nat|dr|tun|fullnat check|apply|undo|script|unit",
		Short: "make a host a real server, here or by ssh: exit status 0 done, 1 something is missing or stays",
		Long: "realserver does what a mode needs of a real server: on the real server itself, or\n" +
			"with --ssh on others, by a script that needs no lvsdeck there.\n\n" +
			"  check    say what is missing; change nothing\n" +
			"  apply    do what is missing; a step that fails takes back those before it\n" +
			"  undo     take back exactly what apply did; what another service needs stays\n" +
			"  script   print the script: check, apply, confirm and undo in any POSIX shell\n" +
			"  unit     print a systemd unit that runs the script when the host starts\n\n" +
			"realserver windows and realserver bsd print in words what to do there.",
		Example: "  lvsdeck realserver dr --vip 203.0.113.10 apply\n" +
			"  lvsdeck realserver tun --vip 203.0.113.10 --tunnel gue:6080 check\n" +
			"  lvsdeck realserver nat --gateway 10.0.3.1 --port 8080 apply --ssh root@10.0.3.11,root@10.0.3.12\n" +
			"  lvsdeck realserver dr --vip 203.0.113.10 script > dr.sh",
		Args: takes("nat|dr|tun|fullnat", "[check|apply|undo|script|unit]"),
		RunE: func(cmd *cobra.Command, args []string) error {
			// An interrupt between two steps takes back those that were done.
			ctx, stop := signal.NotifyContext(cmd.Context(), unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
			defer stop()
			return o.run(ctx, args, os.Stdout)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.vip, "vip", "", "of dr and tun: the service's `ADDRESS`")
	f.StringVar(&o.gateway, "gateway", "", "of nat: the director's `ADDRESS` in the servers' network")
	f.StringVar(&o.address, "address", "", "the server's own `ADDRESS`; of nat it is found out without it, of tun it tells the family of the tunnel's outside")
	f.StringVar(&o.port, "port", "", "of nat: the server's own `PORT[/udp]`: only its answers go by the director; without it all that the address sends")
	f.StringVar(&o.tunnel, "tunnel", "ipip", "of tun: ipip, gre or gue:PORT")
	f.BoolVar(&o.shares, "shares-segment", false, "of tun: the server stands on the VIP's own segment")
	f.StringVar(&o.loose, "from", "", "the `INTERFACE` facing the director, when the way to the clients is over another")
	f.BoolVar(&o.noMSS, "no-mss", false, "of tun: leave the size of packets as it is")
	f.StringSliceVar(&o.servers, "ssh", nil, "do it on other hosts by ssh: `[USER@]HOST,…`, with your own keys and configuration")
	f.BoolVar(&o.sudo, "sudo", false, "with --ssh: by sudo -n there")
	f.DurationVar(&o.within, "confirm-within", 0, "take apply back unless it is confirmed in this time; with --ssh a new login confirms it. 60s where all that a server sends changes its way")
	return cmd
}

func (o *realserverOptions) run(ctx context.Context, args []string, w io.Writer) error {
	if s := realserver.System(args[0]); s == realserver.Windows || s == realserver.BSD {
		return o.recipe(s, args[1:], w)
	}
	want, err := o.want(args[0])
	if err != nil {
		return err
	}
	if want.Mode == setup.FullNAT {
		return say(w, realserver.ErrNothing.Error())
	}
	verb := strings.Join(args[1:], "")
	local := map[string]func(context.Context, realserver.Want, io.Writer) error{
		"check": o.check, "apply": o.apply, "undo": o.undo, "script": o.script, "unit": o.unit,
	}[verb]
	if local == nil {
		return fmt.Errorf("realserver %s %q: must be check, apply, undo, script or unit", args[0], verb)
	}
	if o.within == 0 && want.Risky() && verb == "apply" {
		o.within = realserver.RiskyWindow
	}
	if o.within != 0 {
		if err := confirm.CheckWindow(o.within); err != nil {
			return err
		}
	}
	if len(o.servers) > 0 {
		return o.remote(ctx, want, verb, w)
	}
	if want.Mode == setup.NAT && !want.Server.IsValid() {
		host, err := netcfg.Open()
		if err != nil {
			return err
		}
		defer host.Close()
		if want.Server, err = realserver.Address(host, want.Gateway); err != nil {
			return err
		}
	}
	return local(ctx, want, w)
}

// want reads the flags.
func (o *realserverOptions) want(mode string) (w realserver.Want, err error) {
	w = realserver.Want{Shares: o.shares, Loose: o.loose, ClampMSS: !o.noMSS}
	if w.Mode, err = setup.ParseMode(mode); err != nil {
		return w, err
	}
	if w.Tunnel, err = setup.ParseTunnel(o.tunnel); err != nil {
		return w, err
	}
	for _, f := range []struct {
		name, text string
		at         *netip.Addr
		needed     bool
	}{
		{"vip", o.vip, &w.VIP, w.Mode == setup.DR || w.Mode == setup.TUN},
		{"gateway", o.gateway, &w.Gateway, w.Mode == setup.NAT},
		{"address", o.address, &w.Server, false},
	} {
		if *f.at, err = readAddress(f.name, f.text, f.needed); err != nil {
			return w, err
		}
	}
	w.Protocol, w.Port, err = readPort(o.port)
	return w, err
}

func readAddress(flag, words string, needed bool) (netip.Addr, error) {
	if words == "" && !needed {
		return netip.Addr{}, nil
	}
	a, err := netip.ParseAddr(words)
	if err != nil {
		return a, fmt.Errorf("--%s %q: must be an address, like 203.0.113.10 or 2001:db8::10", flag, words)
	}
	return a.Unmap(), nil
}

// readPort reads PORT or PORT/udp. None is all that the server sends.
func readPort(words string) (ipvs.Protocol, uint16, error) {
	if words == "" {
		return ipvs.TCP, 0, nil
	}
	number, protocol, _ := strings.Cut(words, "/")
	n, err := strconv.ParseUint(number, 10, 16)
	p, known := map[string]ipvs.Protocol{"": ipvs.TCP, "tcp": ipvs.TCP, "udp": ipvs.UDP}[protocol]
	if err != nil || n == 0 || !known {
		return p, 0, fmt.Errorf("--port %q: must be 1 to 65535, with /udp unless it is TCP, like 8080 or 53/udp", words)
	}
	return p, uint16(n), nil
}

func (o *realserverOptions) recipe(s realserver.System, more []string, w io.Writer) error {
	if len(more) > 0 {
		return fmt.Errorf("realserver %s only prints what to do: leave %q out", s, more[0])
	}
	vip, err := readAddress("vip", o.vip, o.gateway == "")
	if err != nil {
		return err
	}
	gateway, err := readAddress("gateway", o.gateway, o.vip == "")
	if err != nil {
		return err
	}
	recipe, err := realserver.Recipe(s, vip, gateway)
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, recipe)
	return err
}

func (o *realserverOptions) script(_ context.Context, want realserver.Want, w io.Writer) error {
	script, err := realserver.Script(want)
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, script)
	return err
}

func (o *realserverOptions) unit(_ context.Context, want realserver.Want, w io.Writer) error {
	if err := want.Check(); err != nil {
		return err
	}
	_, err := io.WriteString(w, realserver.Unit(want, realserver.Path(want)))
	return err
}

// realHost is this host as a real server. It needs no IPVS.
type realHost struct {
	host   *netcfg.Kernel
	runner *plan.Runner
}

func openRealHost(ctx context.Context) (h realHost, done func(), err error) {
	target, done, err := openAnyTarget(ctx)
	if err != nil {
		return h, nil, err
	}
	runner, err := newRunner(target, persist.DefaultDir)
	if err != nil {
		done()
		return h, nil, err
	}
	return realHost{target.Host.(*netcfg.Kernel), runner}, done, nil
}

// draft makes the plan and looks where its steps stand.
func (h realHost) draft(ctx context.Context, want realserver.Want, w io.Writer) (d realserver.Draft, states []plan.StepResult, todo bool, err error) {
	if d, err = realserver.Make(h.host, want); err != nil {
		return d, nil, false, err
	}
	preview, err := d.Plan.Preview(ctx, h.runner.Target)
	if err != nil {
		return d, nil, false, err
	}
	for _, s := range preview.States {
		states = append(states, plan.StepResult{State: s})
		todo = todo || s != plan.Already
	}
	for _, words := range d.Passed {
		if err := say(w, "not needed: "+words); err != nil {
			return d, nil, false, err
		}
	}
	return d, states, todo, nil
}

func (o *realserverOptions) check(ctx context.Context, want realserver.Want, w io.Writer) error {
	h, done, err := openRealHost(ctx)
	if err != nil {
		return err
	}
	defer done()
	d, states, todo, err := h.draft(ctx, want, w)
	if err == nil {
		err = plain.Plan(w, d.Plan, states)
	}
	if err == nil && todo {
		err = exitCode(1)
	}
	return err
}

func (o *realserverOptions) apply(ctx context.Context, want realserver.Want, w io.Writer) error {
	h, done, err := openRealHost(ctx)
	if err != nil {
		return err
	}
	defer done()
	d, states, todo, err := h.draft(ctx, want, w)
	if err != nil {
		return err
	}
	if !todo {
		return errors.Join(plain.Plan(w, d.Plan, states), say(w, "Nothing is left to do."))
	}
	var result plan.Result
	if o.within == 0 {
		result, err = h.runner.Run(ctx, d.Plan, nil)
	} else {
		guard, failed := newGuard(h.runner.Store)
		if failed != nil {
			return failed
		}
		result, err = guard.Run(ctx, *h.runner, d.Plan, o.within, nil)
	}
	if result.Outcome == plan.NotBegun {
		return err
	}
	if err = errors.Join(err, plain.Plan(w, result.Plan, result.Steps)); err != nil {
		return err
	}
	if o.within > 0 {
		err = say(w, fmt.Sprintf("It is taken back in %s unless it is confirmed. Open a new login, then: lvsdeck confirm", o.within))
	}
	return errors.Join(err, result.Warning)
}

func (o *realserverOptions) undo(ctx context.Context, want realserver.Want, w io.Writer) error {
	h, done, err := openRealHost(ctx)
	if err != nil {
		return err
	}
	defer done()
	back, err := realserver.Undo(h.runner.Store, want)
	if err != nil {
		return err
	}
	if len(back.Plans) == 0 {
		return say(w, append(back.Stays, "Nothing is left to undo.")...)
	}
	partly := false
	for _, p := range back.Plans {
		result, err := h.runner.Run(ctx, p, nil)
		if result.Outcome == plan.NotBegun {
			return err
		}
		if err := errors.Join(plain.Plan(w, result.Plan, result.Steps), result.Warning); err != nil {
			return err
		}
		partly = partly || result.Outcome != plan.Applied
	}
	if err := say(w, back.Stays...); err != nil {
		return err
	}
	if partly {
		return exitCode(1)
	}
	return nil
}

// remote does it on other hosts. Its exit code is the worst of theirs.
func (o *realserverOptions) remote(ctx context.Context, want realserver.Want, verb string, w io.Writer) error {
	if verb != "check" && verb != "apply" && verb != "undo" {
		return fmt.Errorf("--ssh: only with check, apply and undo")
	}
	r := realserver.Remote{Sudo: o.sudo, Window: o.within}
	worst := 0
	for _, result := range r.Do(ctx, want, verb, o.servers) {
		worst = max(worst, result.Code)
		lines := []string{result.Where + ": " + remoteWords(result, verb)}
		for line := range strings.Lines(result.Output) {
			lines = append(lines, "   "+strings.TrimRight(line, "\r\n"))
		}
		if err := say(w, lines...); err != nil {
			return err
		}
	}
	if worst != 0 {
		return exitCode(worst)
	}
	return nil
}

func remoteWords(r realserver.Result, verb string) string {
	switch {
	case r.Err != nil:
		return "could not: " + text.Clean(r.Err.Error())
	case verb == "check" && r.Code == 0:
		return "all is so"
	case r.Code == 0:
		return "done"
	}
	return "something is missing"
}
