package adm

import (
	"fmt"

	"lvsdeck/ipvs"
)

// set is a set of kinds.
type set uint64

func of(kinds ...kind) set {
	var s set
	for _, k := range kinds {
		s |= 1 << k
	}
	return s
}

func (s set) has(k kind) bool { return s&(1<<k) != 0 }

// law says which options go with a command or a tunnel type.
type law struct {
	need, may, oneOf set // oneOf: not more than one of them
}

var (
	serviceLaw = law{need: of(service), may: of(scheduler, persistent, netmask, ops, engine, schedFlags)}
	serverLaw  = law{
		need: of(service, realServer),
		may:  of(forwarding, weight, upper, lower, tunType, tunPort, tunNocsum, tunCsum, tunRemcsum),
	}
)

// laws are those of the commands. That -L may have --syncid is ipvsadm's slip.
var laws = [...]law{
	AddService:    serviceLaw,
	EditService:   serviceLaw,
	DeleteService: {need: of(service)},
	Save:          {may: of(numeric)},
	AddServer:     serverLaw,
	EditServer:    serverLaw,
	DeleteServer:  {need: of(service, realServer)},
	List: {
		may:   of(numeric, stats, rate, thresholds, persistentConn, nosort, syncid, exact, tunInfo),
		oneOf: of(connection, service, timeout, daemon),
	},
	Zero:        {may: of(service)},
	StartDaemon: {may: of(mcastInterface, syncid, mcastGroup, mcastPort, mcastTTL, syncMaxlen)},
	StopDaemon:  {may: of(syncid)},
}

var tunnelOptions = of(tunType, tunPort, tunNocsum, tunCsum, tunRemcsum)

var tunnelLaws = map[ipvs.TunnelType]law{
	ipvs.IPIP: {may: of(tunType)},
	ipvs.GUE:  {may: of(tunType), need: of(tunPort), oneOf: of(tunNocsum, tunCsum, tunRemcsum)},
	ipvs.GRE:  {may: of(tunType), oneOf: of(tunNocsum, tunCsum)},
}

// judge compares what is given, and where, with a law; whose is "'%v' command" of
// what.
func (w law) judge(given set, where *[kinds]int, whose string, what fmt.Stringer) *Error {
	if w.need&^given == 0 && given&^(w.need|w.may) == 0 {
		return nil
	}
	whose = fmt.Sprintf(whose, what)
	first := kinds
	for k := range kinds {
		switch {
		case !given.has(k) && w.need.has(k):
			return fail(problem("", whose, "needs "+spell(k)),
				"You need to supply the '%s' option for the %s", kindNames[k], whose)
		case !given.has(k) || w.need.has(k) || w.may.has(k):
		case !w.oneOf.has(k):
			return fail(problem("", spell(k), "does not go with the "+whose),
				"Illegal '%s' option with the %s", kindNames[k], whose).located(where[k])
		case first != kinds:
			return fail(problem("", spell(k), fmt.Sprintf("excludes %s in the %s", spell(first), whose)),
				"The option '%s' conflicts with the '%s' option in the %s", kindNames[k], kindNames[first], whose).located(where[k])
		default:
			first = k
		}
	}
	return nil
}

// spell is how a user writes options of a kind.
func spell(k kind) string {
	switch k {
	case service:
		return "a service (-t, -u, --sctp-service or -f)"
	case forwarding:
		return "-g, -i or -m"
	}
	for _, o := range options {
		if o.kind == k && o.short != 0 {
			return "-" + string(rune(o.short))
		}
	}
	return "--" + kindNames[k]
}

// conflictsInListing tells figures that are asked of what has none.
func conflictsInListing(given set) bool {
	noFigures := given&of(connection, timeout, daemon) != 0 && given&of(stats, rate, thresholds) != 0
	return noFigures || given&of(timeout, daemon) != 0 && given.has(persistentConn)
}
