package main

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/signal"

	"github.com/spf13/cobra"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
	"lvsdeck/ops/check"
	"lvsdeck/ops/conns"
	"lvsdeck/ops/plan"
	"lvsdeck/ops/why"
	"lvsdeck/persist"
	"lvsdeck/ui/plain"
)

// whyOptions are the flags of why.
type whyOptions struct {
	format, demo string
	probe        bool
}

func newWhy() *cobra.Command {
	var o whyOptions
	cmd := &cobra.Command{
		Use:   "why SERVICE [SERVER]",
		Short: "say why a service or server does not work: exit status 0 nothing found, 1 something, 2 could not look",
		Long: "why asks what an experienced operator asks about a service, or one of its servers,\n" +
			"that does not work: what has changed, do packets come in, is there a server, do\n" +
			"handshakes end, and so on. It answers each question with figures, says what it\n" +
			"comes to, and gives commands that capture the packets. It takes a few seconds,\n" +
			"changes nothing and sends no packet.\n\n" +
			"With --probe the service's servers are asked, too: a connection is begun and taken\n" +
			"back, which IPVS does not see. That takes root's rights.",
		Example: "  lvsdeck why 203.0.113.10:443\n  lvsdeck why \"udp 203.0.113.53:53\" 10.0.4.1 --probe",
		Args:    takes("SERVICE", "[SERVER]"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt)
			defer stop()
			return runWhy(ctx, args, o, os.Stdout)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.format, "output", "o", "table", "table or json")
	f.BoolVar(&o.probe, "probe", false, "ask the servers, too: at most one connection for each is begun and taken back")
	demoFlag(f, &o.demo)
	return cmd
}

func runWhy(ctx context.Context, args []string, o whyOptions, out io.Writer) error {
	if err := plain.CheckFormat(o.format); err != nil {
		return err
	}
	row, err := parseRow(args)
	if err != nil {
		return err
	}
	watch, done, err := watchOf(ctx, o.demo, o.probe)
	if err != nil {
		return err
	}
	defer done()
	at, err := row.in(watch.Sample())
	if err != nil {
		return err
	}
	from := why.FromWatch(watch)
	if _, err := os.Stat(persist.DefaultDir); err == nil && o.demo == "" { // else nothing was ever changed from here
		store, err := openStore(persist.DefaultDir)
		if err != nil {
			return err
		}
		from.History = func() (plan.History, error) { return plan.ReadHistory(store) }
	}
	verdict, err := why.Begin(from, at, o.probe).All(ctx, func(why.Answer) {})
	if err != nil {
		return err
	}
	if err := plain.WriteWhy(out, verdict, o.format, terminalWidth()); err != nil {
		return err
	}
	if verdict.Wrong() {
		return exitCode(1)
	}
	return nil
}

// rowWords are a service, and perhaps one of its servers, as somebody wrote them.
type rowWords struct {
	service ipvs.ServiceID
	server  netip.AddrPort
	words   []string
}

func parseRow(words []string) (r rowWords, err error) {
	r.words = words
	if r.service, err = conns.ParseService(words[0]); err == nil && len(words) > 1 {
		r.server, err = conns.ParseServer(words[1])
	}
	return r, err
}

// in is the one row of the table that is meant.
func (r rowWords) in(s *ops.Sample) (at check.Place, err error) {
	var meant []*ops.Service
	for _, v := range s.Services {
		if serviceMeant(r.service, v.ServiceID) {
			meant = append(meant, v)
		}
	}
	switch {
	case len(meant) == 0:
		return at, fmt.Errorf("service %q: the table has no such service", r.words[0])
	case len(meant) > 1:
		return at, fmt.Errorf("service %q: that may be %s or %s; say which", r.words[0], meant[0].ServiceID, meant[1].ServiceID)
	}
	at.Service = meant[0].ServiceID
	if !r.server.IsValid() {
		return at, nil
	}
	for _, s := range meant[0].Servers {
		switch {
		case s.Addr.Addr() != r.server.Addr() || r.server.Port() != 0 && r.server.Port() != s.Addr.Port():
		case at.Server.IsValid():
			return at, fmt.Errorf("server %q: that may be %s or %s; say which", r.words[1], at.Server, s.Addr)
		default:
			at.Server = s.Addr
		}
	}
	if !at.Server.IsValid() {
		return at, fmt.Errorf("server %q: %s has no such server", r.words[1], at.Service)
	}
	return at, nil
}
