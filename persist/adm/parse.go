package adm

import (
	"fmt"
	"net/netip"
	"slices"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/check"
)

// line is one command line while it is read. ipvsadm takes options one by one,
// so that the meaning of one depends on those before it.
type line struct {
	scanner
	names Names
	cmd   Command
	given set
	where [kinds]int    // the arguments that gave them
	flags string        // of -b: read when the scheduler is known
	proto ipvs.Protocol // of names of ports: that of the service as known so far

	// strict refuses what ipvsadm takes for something else than was meant, and
	// leaves the last word on values to package check.
	strict bool
	at     places // of fields

	// before is of a line before this: that of many lines is the same. Names are
	// copied, so that rules do not keep the text from which they were read.
	before struct {
		text      string // of the service
		at        netip.AddrPort
		scheduler string
	}
}

// places tell which argument gave a field. They are few: a map would cost more
// than all the rest of reading a line.
type places []place

type place struct {
	check.Field
	arg int
}

func (p *places) put(f check.Field, arg int) { *p = append(*p, place{f, arg}) }

// of gives the argument that gave a field last.
func (p places) of(f check.Field) (arg int, given bool) {
	for _, at := range slices.Backward(p) {
		if at.Field == f {
			return at.arg, true
		}
	}
	return 0, false
}

// Parse reads one command line, without the program's name, as ipvsadm does.
// names may be nil: then only numbers are understood. The error is an *Error.
func Parse(args []string, names Names) (Command, error) {
	if len(args) == 0 {
		return Command{Verb: List}, nil
	}
	l := &line{scanner: scanner{args: args}, names: names}
	if err := l.parse(); err != nil {
		return Command{}, err
	}
	return l.cmd, nil
}

func (l *line) parse() *Error {
	l.cmd.Server = ipvs.Server{Forward: ipvs.Direct, Weight: 1}
	l.cmd.Service = ipvs.NewService(ipvs.ServiceID{Family: ipvs.IPv4})
	if err := l.command(); err != nil {
		return err
	}
	if l.cmd.Verb == Help || l.cmd.Verb == Version {
		return nil // whatever follows
	}
	for {
		u, err := l.scan()
		if err != nil {
			return err
		}
		if u == nil {
			break
		}
		if err := l.option(u); err != nil {
			return err.located(u.arg)
		}
	}
	if err := l.arguments(); err != nil {
		return err
	}
	if err := l.schedFlags(); err != nil {
		return err
	}
	if err := l.judge(); err != nil {
		return err
	}
	return l.settle()
}

// by adds the argument that gave a field, if the fault's place is not known
// better.
func (l *line) by(f check.Field, e *Error) *Error {
	arg, _ := l.at.of(f)
	return e.located(arg)
}

// located adds where the fault is, if that is not known better.
func (e *Error) located(arg int) *Error {
	if e.Arg == 0 {
		e.Arg = arg
	}
	return e
}

// command takes the first option, which says what is asked for.
func (l *line) command() *Error {
	u, err := l.scan()
	if err != nil || u == nil || u.kind != command {
		arg := l.last()
		if len(l.rest) > 0 {
			arg = l.rest[0]
		}
		return tryHelp(arg, l.args[arg])
	}
	l.cmd.Verb = u.verb
	l.at.put("", l.last())
	switch u.verb {
	case SetTimeouts:
		l.at.put(check.Timeouts, l.last())
	case StartDaemon:
		l.cmd.Daemon.Interface = "eth0"
		return l.role(u, "illegal start-daemon parameter specified")
	case StopDaemon:
		return l.role(u, "illegal start_daemon specified")
	}
	return nil
}

func (l *line) role(u *use, complaint string) *Error {
	l.at.put(u.field, u.arg)
	switch u.value {
	case "master":
		l.cmd.Daemon.Role = ipvs.Master
	case "backup":
		l.cmd.Daemon.Role = ipvs.Backup
	default:
		return fail(problem(check.Role, u.value, "must be master or backup"), "%s", complaint).located(u.arg)
	}
	return nil
}

func (l *line) option(u *use) *Error {
	switch {
	case u.kind == command:
		text := l.lastText()
		return fail(problem("", text, "only one command to a line"), "invalid option `%s'", text)
	case u.kind == free:
	case l.given.has(u.kind):
		return fail(problem(u.field, "", "given twice"), "multiple '%s' options specified", kindNames[u.kind])
	default:
		l.given |= of(u.kind)
		l.where[u.kind] = u.arg
	}
	if u.field != "" {
		l.at.put(u.field, u.arg)
	}
	if u.set == nil {
		return nil
	}
	if u.takes == perhaps && !u.given {
		return u.set(l, fmt.Sprint(check.DefaultTimeout))
	}
	return u.set(l, u.value)
}

// arguments takes what is no option: the values of --set.
func (l *line) arguments() *Error {
	rest := l.rest
	if l.cmd.Verb == SetTimeouts {
		if len(rest) < 3 {
			return fail(problem(check.Timeouts, "", "needs three numbers of seconds: tcp tcpfin udp"),
				"--set option requires 3 timeout values").located(len(l.args))
		}
		t := &l.cmd.Timeouts
		for i, to := range []*uint32{&t.TCP, &t.TCPFin, &t.UDP} {
			if err := l.seconds(l.args[rest[i]], check.Timeouts, 0, to); err != nil {
				return err.located(rest[i])
			}
			if *to > check.MaxTimeout {
				l.at.put(check.Timeouts, rest[i])
			}
		}
		rest = rest[3:]
	}
	if len(rest) > 0 {
		text := l.args[rest[0]]
		return fail(problem("", text, "not expected here"), "unexpected argument %s", text).located(rest[0])
	}
	return nil
}

func (l *line) judge() *Error {
	if err := laws[l.cmd.Verb].judge(l.given, &l.where, "'%v' command", l.cmd.Verb); err != nil {
		return l.by("", err)
	}
	if l.cmd.Verb == List {
		return l.listing()
	}
	return nil
}

func (l *line) listing() *Error {
	if conflictsInListing(l.given) {
		return fail(problem("", "", "these options do not go together"), "options conflicts in the list command")
	}
	to := &l.cmd.Listing
	for k, of := range map[kind]Subject{connection: Connections, timeout: Timeouts, daemon: Daemons} {
		if l.given.has(k) {
			to.Of = of
		}
	}
	for _, c := range []struct {
		kind
		Columns
	}{{stats, Stats}, {rate, Rates}, {thresholds, Thresholds}, {persistentConn, PersistentConns}, {tunInfo, Tunnels}} {
		if l.given.has(c.kind) {
			to.Columns = c.Columns
			break
		}
	}
	to.PersistentConn = l.given.has(persistentConn)
	to.Exact, to.Unsorted = l.given.has(exact), l.given.has(nosort)
	return nil
}

// settle looks at the line as a whole.
func (l *line) settle() *Error {
	l.cmd.Named = l.given.has(service)
	l.cmd.Numeric = l.given.has(numeric)
	switch l.cmd.Verb {
	case AddService, EditService:
		return l.settleService()
	case AddServer, EditServer:
		return l.settleServer()
	}
	return nil
}

func (l *line) settleService() *Error {
	s := l.cmd.Service
	if l.strict {
		return nil
	}
	// These two of all problems ipvsadm sees itself, in this order.
	found := map[check.Field]check.Problem{}
	for _, p := range check.OfService(s) {
		found[p.Field] = p
	}
	if p, bad := found[check.Port]; bad {
		return l.by(check.Service, fail(p, "Zero port specified for non-persistent service"))
	}
	if p, bad := found[check.OnePacket]; bad {
		return l.by(check.OnePacket, fail(p, "One-Packet Scheduling is only for UDP virtual services"))
	}
	return nil
}

func (l *line) settleServer() *Error {
	s, id := &l.cmd.Server, l.cmd.Service.ServiceID
	if !l.strict && s.Family() != id.Family && s.Forward != ipvs.TunnelFwd {
		return l.by(check.Server, fail(problem(check.Server, s.Addr.Addr().String(), fmt.Sprintf(check.MixedRule, id.Family)),
			"Different address family is allowed only for tunneling servers"))
	}
	if s.Forward == ipvs.TunnelFwd {
		law := tunnelLaws[s.Tunnel.Type]
		if err := law.judge(l.given&tunnelOptions, &l.where, "'%v' tunnel type", s.Tunnel.Type); err != nil {
			return l.by(check.TunnelType, err)
		}
	} else if l.given&tunnelOptions != 0 {
		return l.by(check.Forward, fail(problem(check.Forward, "", "tunnel options need a tunnel (-i)"),
			"Tunnel options conflict with forward method"))
	}
	if s.Forward != ipvs.Masq && !id.IsMark() && !l.strict {
		s.Addr = addrPort(s.Addr.Addr(), id.Port)
	}
	return nil
}
