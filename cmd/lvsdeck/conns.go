package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/proc"
	"lvsdeck/ops"
	"lvsdeck/ops/conns"
	"lvsdeck/ui/figure"
	"lvsdeck/ui/plain"
)

// connsOptions are the flags of conns.
type connsOptions struct {
	by, service, server, client, state, origin, templates string

	net4, net6 int
	top, from  int
	list       bool
	unlisted   bool
	limited    bool // top was asked for
	format     string
	file, demo string
	within     time.Duration
}

func (o *connsOptions) flags(f *pflag.FlagSet) {
	f.StringVar(&o.by, "by", "client", "what to group by: client, net, service, server, state or origin")
	f.StringVar(&o.service, "service", "", "only of a `service`: 203.0.113.10:443, \"udp 203.0.113.53:53\", 203.0.113.10 or \"fwm 7\"")
	f.StringVar(&o.server, "server", "", "only to a real `server`: 10.0.3.11:443 or 10.0.3.11")
	f.StringVar(&o.client, "client", "", "only from a client's `address` or network: 198.51.100.7 or 198.51.100.0/24")
	f.StringVar(&o.state, "state", "", "only in a `state`: ESTABLISHED, SYN_RECV, …")
	f.StringVar(&o.origin, "origin", "", "only local connections, or those learnt from another director: local or sync")
	f.StringVar(&o.templates, "templates", "with", "persistence templates: with, only or without")
	f.BoolVar(&o.unlisted, "unlisted", false, "only with servers that the table does not list any more")
	f.IntVar(&o.net4, "net4", 24, "length of an IPv4 client's network, for --by net")
	f.IntVar(&o.net6, "net6", 64, "length of an IPv6 client's network, for --by net")
	f.IntVar(&o.top, "top", 20, "how many groups, the largest first, or with --list how many connections; 0: all")
	f.BoolVar(&o.list, "list", false, "list connections one by one instead of counting them; all, unless --top is given")
	f.IntVar(&o.from, "from", 0, "with --list: how many connections to pass over")
	f.StringVarP(&o.format, "output", "o", "table", "table, json or csv")
	f.StringVar(&o.file, "file", "", "read a saved copy of /proc/net/ip_vs_conn or ip_vs_conn_sync; -: standard input")
	demoFlag(f, &o.demo)
	f.DurationVar(&o.within, "within", 0, "end after a `time` and show what was read so far, which is a fair sample; 0: read all")
}

func newConns() *cobra.Command {
	var o connsOptions
	cmd := &cobra.Command{
		Use:   "conns",
		Short: "count or list connections: by client, network, service, server, state",
		Long: "conns reads the kernel's table of connections once and counts what it has in\n" +
			"common, or lists it. IDLE is how many were silent for half of what their state\n" +
			"allows. Templates are persistence's memory of clients, and no connections.\n\n" +
			"Reading costs the director about 2 s of a processor for a million connections,\n" +
			"but before Linux 6.14 the square of their number: use --within there. Ctrl-c\n" +
			"shows what was read so far. No right is needed beyond reading /proc.",
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.limited = cmd.Flags().Changed("top") || !o.list
			return runConns(cmd.Context(), o, os.Stdout)
		},
	}
	o.flags(cmd.Flags())
	return cmd
}

// query is what the flags ask for.
func (o *connsOptions) query() (q conns.Query, err error) {
	var errs []error
	check := func(set bool, parse func() error) {
		if set {
			errs = append(errs, parse())
		}
	}
	by := conns.ByClient
	check(true, func() (err error) { by, err = conns.ParseBy(o.by); return err })
	check(o.service != "", func() (err error) { q.Service, err = conns.ParseService(o.service); return err })
	check(o.server != "", func() (err error) { q.Server, err = conns.ParseServer(o.server); return err })
	check(o.client != "", func() (err error) { q.Client, err = conns.ParseClient(o.client); return err })
	check(o.state != "", func() (err error) { q.State, err = conns.ParseState(o.state); return err })
	check(o.origin != "", func() (err error) { q.Origin, err = conns.ParseOrigin(o.origin); return err })
	check(true, func() (err error) { q.Templates, err = conns.ParseTemplates(o.templates); return err })
	check(true, func() error { return plain.CheckFormat(o.format, plain.CSV) })
	for _, n := range []struct {
		name             string
		is, least, limit int
	}{{"net4", o.net4, 1, 32}, {"net6", o.net6, 1, 128}, {"top", o.top, 0, 1 << 30}, {"from", o.from, 0, 1 << 40}} {
		if n.is < n.least || n.is > n.limit {
			errs = append(errs, fmt.Errorf("--%s %d: must be %d to %d", n.name, n.is, n.least, n.limit))
		}
	}
	if o.from > 0 && !o.list {
		errs = append(errs, errors.New("--from goes with --list"))
	}
	q.By, q.Top, q.Net4, q.Net6 = []conns.By{by}, o.top, o.net4, o.net6
	if o.unlisted && o.file != "" {
		errs = append(errs, errors.New("--unlisted: a saved copy does not say what the table lists; leave out --file"))
	}
	if o.demo != "" && o.file != "" {
		errs = append(errs, errors.New("--demo and --file: choose one"))
	}
	if o.within < 0 {
		errs = append(errs, fmt.Errorf("--within %s: must not be negative; give a time as 5s, or 0 to read all", o.within))
	}
	q.Unlisted = o.unlisted
	return q, errors.Join(errs...)
}

func runConns(ctx context.Context, o connsOptions, out io.Writer) error {
	q, err := o.query()
	if err != nil {
		return err
	}
	in, err := o.open(ctx, &q)
	if err != nil {
		return err
	}
	defer in.Close()

	ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	if o.within > 0 {
		var cancel func()
		ctx, cancel = context.WithTimeoutCause(ctx, o.within, fmt.Errorf("ended after %s, as --within says", o.within))
		defer cancel()
	}
	if o.file != "" {
		in = patient{ctx, in}
	}
	q.Progress = &conns.Progress{}
	quiet := showProgress(q.Progress)
	read, ended, err := o.write(ctx, in, q, out, quiet)
	quiet()
	if err != nil {
		return err
	}
	if read.Bad > 0 {
		fmt.Fprintf(os.Stderr, "lvsdeck: %d of %d lines were passed over; %v\n", read.Bad, read.Lines, read.FirstBad)
	}
	if ended != nil {
		if errors.Is(ctx.Err(), context.Canceled) {
			ended = errors.New("interrupted")
		}
		fmt.Fprintf(os.Stderr, "lvsdeck: %v: this is a sample, the first %d lines in the order of the kernel's hash\n", ended, read.Lines)
	}
	return nil
}

// patient is what may be silent for ever, such as a terminal: reading it ends with the
// context, too.
type patient struct {
	ctx context.Context
	io.ReadCloser
}

// Read implements io.Reader.
func (p patient) Read(b []byte) (int, error) {
	type result struct {
		n   int
		err error
	}
	read, own := make(chan result, 1), make([]byte, len(b)) // nobody touches b when this has returned
	go func() {
		n, err := p.ReadCloser.Read(own)
		read <- result{n, err}
	}()
	select {
	case r := <-read:
		return copy(b, own[:r.n]), r.err
	case <-p.ctx.Done():
		return 0, p.ctx.Err()
	}
}

// write reads and writes. Before the first word it calls ready.
func (o *connsOptions) write(ctx context.Context, in io.Reader, q conns.Query, out io.Writer, ready func()) (read proc.Count, ended, err error) {
	if !o.list {
		r, err := conns.Read(ctx, in, q)
		if err != nil {
			return read, nil, err
		}
		ready()
		return r.Read, r.Ended, plain.Conns(out, r, o.format)
	}
	ready()
	list, passed, written := plain.NewConnList(out, o.format, q.Listed != nil), 0, 0
	read, ended, err = conns.Each(ctx, in, q, func(r conns.Row) bool {
		if passed++; passed <= o.from {
			return true
		}
		written++
		return list.Add(r) && (!o.limited || o.top == 0 || written < o.top)
	})
	return read, ended, errors.Join(err, list.End())
}

// open opens what is read, and asks the table what it lists unless what is read is
// a copy.
func (o *connsOptions) open(ctx context.Context, q *conns.Query) (io.ReadCloser, error) {
	switch {
	case o.file == "-":
		return io.NopCloser(os.Stdin), nil
	case o.file != "":
		return os.Open(o.file)
	case o.demo != "":
		return o.openMade(ctx, q)
	}
	table, err := openTable(ctx, asItIs)
	if err != nil {
		return nil, err
	}
	defer table.Close()
	here, err := proc.Here()
	if err != nil {
		return nil, err
	}
	defer here.Close()
	return o.openOf(ctx, table, here, q)
}

// openMade opens what a demo has a minute after its start, when a bad day has begun.
func (o *connsOptions) openMade(ctx context.Context, q *conns.Query) (io.ReadCloser, error) {
	site, err := openDemo(o.demo)
	if err != nil {
		return nil, err
	}
	defer site.Close()
	sampler := ops.NewSampler(site.Table(), ops.Options{})
	began := time.Now().Add(-demoFor)
	site.Prime(ctx, sampler, began)
	site.Play(ctx, sampler, began, demoFor)
	return o.openOf(ctx, site.Table(), site, q)
}

// openOf opens the connections of a director, and asks its table what it lists.
func (o *connsOptions) openOf(ctx context.Context, table ipvs.Reader, of conns.Source, q *conns.Query) (io.ReadCloser, error) {
	overview, err := table.Overview(ctx)
	if err != nil {
		return nil, err
	}
	q.Listed = conns.ListedIn(overview)
	if q.Timeouts, err = table.Timeouts(ctx); err != nil && !errors.Is(err, ipvs.ErrPermission) {
		return nil, err
	}
	return of.Connections(!o.list || q.Origin != proc.OriginUnknown)
}

// showProgress tells somebody at a terminal how far a long reading has come, until
// it is called off.
func showProgress(p *conns.Progress) (end func()) {
	if !term.IsTerminal(os.Stderr.Fd()) {
		return func() {}
	}
	done, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		began, tick := time.Now(), time.NewTicker(time.Second)
		defer tick.Stop()
		shown := false
		for {
			select {
			case <-tick.C:
				shown = true
				fmt.Fprintf(os.Stderr, "\r%s lines read, %s; ctrl-c shows what was read ", figure.Exact(p.Lines()), figure.Span(time.Since(began)))
			case <-done:
				if shown {
					fmt.Fprint(os.Stderr, "\r\x1b[K")
				}
				return
			}
		}
	}()
	ended := false
	return func() {
		if !ended {
			ended = true
			close(done)
			<-gone
		}
	}
}
