package ipvsadm

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"path"
	"strings"

	"lvsdeck/ipvs"
	"lvsdeck/persist/adm"
)

// World is what the program has beside its arguments.
type World struct {
	In       io.Reader
	Out, Err io.Writer

	// Open opens the table. It is called at most once, and not for -h and -v.
	Open func(context.Context) (ipvs.Table, error)

	// Connections opens what the kernel has in /proc/net/ip_vs_conn.
	Connections func() (io.ReadCloser, error)

	Names Names // nil: numbers only
}

// Names finds what names stand for, and names for addresses and ports.
type Names interface {
	adm.Names
	HostName(netip.Addr) (string, bool)
	PortName(uint16, ipvs.Protocol) (string, bool)
}

// The exit statuses.
const (
	exitOK      = 0
	exitListing = 1   // a listing failed
	exitNoTable = 2   // the table could not be opened
	exitRefused = 255 // the kernel refused a change
)

// Main runs the program that args[0] names, by its last element: ipvsadm-save,
// ipvsadm-restore, or else ipvsadm. It returns the exit status.
func Main(ctx context.Context, args []string, w World) int {
	p := &program{ctx: ctx, World: w}
	defer p.close()
	name := "ipvsadm"
	if len(args) > 0 {
		name, args = path.Base(args[0]), args[1:]
	}
	switch name {
	case "ipvsadm-save":
		return p.saveScript(args)
	case "ipvsadm-restore":
		return p.restoreScript()
	}
	code, _ := p.run(args, p.restore)
	return code
}

// program is one run.
type program struct {
	ctx context.Context
	World
	table ipvs.Table
}

func (p *program) close() {
	if p.table != nil {
		p.table.Close()
	}
}

// saveScript is ipvsadm-save: all it knows is -n.
func (p *program) saveScript(args []string) int {
	save := []string{"-S"}
	for _, a := range args {
		switch {
		case a == "-n":
			save = []string{"-S", "-n"}
		case strings.HasPrefix(a, "-"):
			fmt.Fprint(p.Err, "ipvsadm-save: write the table to standard output as rules\n   -n  with numbers only\n")
			return exitListing
		}
	}
	code, _ := p.run(save, nil)
	return code
}

// restoreScript is ipvsadm-restore: it drops lines that begin with "#" and, as
// there, clears the table before it knows whether the rest is any good.
func (p *program) restoreScript() int {
	input, err := io.ReadAll(p.In)
	if err != nil {
		fmt.Fprintf(p.Err, "ipvsadm-restore: %v\n", err)
		return exitListing
	}
	var kept strings.Builder
	for l := range strings.Lines(string(input)) {
		if !strings.HasPrefix(l, "#") {
			kept.WriteString(l)
		}
	}
	p.run([]string{"-C"}, nil)
	p.In = strings.NewReader(kept.String())
	code, _ := p.run([]string{"-R"}, p.restore)
	return code
}

// run carries one command line out. ends tells that nothing may follow it in a
// restore. restore is what -R does, or nil where it must not stand.
func (p *program) run(args []string, restore func() int) (code int, ends bool) {
	var names adm.Names
	if p.Names != nil {
		names = p.Names
	}
	c, err := adm.Parse(args, names)
	if err == nil && c.Verb == adm.Restore && restore == nil {
		_, err = adm.Parse([]string{"restore"}, nil) // no command here
	}
	var refused *adm.Error
	if errors.As(err, &refused) {
		fmt.Fprintln(p.Err, refused.Message)
		return refused.Code, refused.Aborts
	}
	switch c.Verb {
	case adm.Help:
		_, err := fmt.Fprint(p.Out, version, usage)
		return p.listed(c.Verb, err), true
	case adm.Version:
		_, err := fmt.Fprint(p.Out, version)
		return p.listed(c.Verb, err), true
	}
	if p.table == nil {
		if p.table, err = p.Open(p.ctx); err != nil {
			fmt.Fprintf(p.Err, "Can't initialize ipvs: %s\n"+
				"Are you sure that IP Virtual Server is built in the kernel or as module?\n", message(0, err))
			p.table = nil
			return exitNoTable, true
		}
	}
	switch c.Verb {
	case adm.Restore:
		return restore(), true
	case adm.List, adm.Save:
		return p.show(c)
	}
	if err := p.change(c); err != nil {
		fmt.Fprintln(p.Err, message(c.Verb, err))
		return exitRefused, false
	}
	return exitOK, false
}

// change carries a command out that changes the table.
func (p *program) change(c adm.Command) error {
	id := c.Service.ServiceID
	switch c.Verb {
	case adm.AddService:
		return p.table.AddService(p.ctx, c.Service)
	case adm.EditService:
		return p.table.SetService(p.ctx, c.Service)
	case adm.DeleteService:
		return p.table.DeleteService(p.ctx, id)
	case adm.AddServer:
		return p.table.AddServer(p.ctx, id, c.Server)
	case adm.EditServer:
		return p.table.SetServer(p.ctx, id, c.Server)
	case adm.DeleteServer:
		return p.table.DeleteServer(p.ctx, id, c.Server)
	case adm.Clear:
		return p.table.Flush(p.ctx)
	case adm.SetTimeouts:
		return p.table.SetTimeouts(p.ctx, c.Timeouts)
	case adm.StartDaemon:
		return p.table.StartDaemon(p.ctx, c.Daemon)
	case adm.StopDaemon:
		return p.table.StopDaemon(p.ctx, c.Daemon)
	}
	if c.Named {
		return p.table.Zero(p.ctx, id)
	}
	return p.table.ZeroAll(p.ctx)
}

// show carries a command out that prints. What fails ends a restore, too.
func (p *program) show(c adm.Command) (code int, ends bool) {
	out := &printer{ctx: p.ctx, table: p.table, Listing: c.Listing, out: bufio.NewWriterSize(p.Out, 1<<16)}
	if !c.Numeric {
		out.names = p.Names
	}
	var err error
	switch {
	case c.Verb == adm.Save:
		err = out.save()
	case c.Listing.Of == adm.Timeouts:
		err = out.timeouts()
	case c.Listing.Of == adm.Daemons:
		err = out.daemons()
	case c.Listing.Of == adm.Connections:
		err = out.connections(p.Connections)
	case c.Named:
		err = out.one(c.Service.ServiceID)
	default:
		err = out.all()
	}
	// What was printed before the failure is shown, too, as there.
	err = out.end(err)
	return p.listed(c.Verb, err), err != nil
}

// listed is the exit status of what prints.
func (p *program) listed(v adm.Verb, err error) int {
	if err == nil {
		return exitOK
	}
	fmt.Fprintln(p.Err, message(v, err))
	return exitListing
}
