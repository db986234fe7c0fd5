package adm

import (
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/check"
)

const space = " \t\n\v\f\r"

func isSpace(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

// number reads a decimal number like strtol: blanks and a sign may lead.
func number(text string, least, most int64) (int64, bool) {
	for text != "" && isSpace(text[0]) {
		text = text[1:]
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && n >= least && n <= most
}

// ranged reads a number for an option or complains in ipvsadm's words.
func ranged[T ~uint8 | ~uint16 | ~uint32](text string, f check.Field, least, most int64, to *T, complaint string) *Error {
	n, ok := number(text, least, most)
	if !ok {
		return fail(problem(f, text, fmt.Sprintf("must be %d to %d", least, most)), "%s", complaint)
	}
	*to = T(n)
	return nil
}

// seconds reads a timeout. The kernel takes longer ones than ipvsadm: of those in
// a strict line package check has the last word.
func (l *line) seconds(text string, f check.Field, least int64, to *uint32) *Error {
	if l.strict {
		if n, ok := number(text, 0, math.MaxUint32); ok {
			*to = uint32(n)
			return nil
		}
	}
	err := ranged(text, f, least, check.MaxTimeout, to, fmt.Sprintf("invalid timeout value `%s' specified", text))
	if err != nil {
		err.Problem.Rule += " seconds (31 days)"
	}
	return err
}

func (l *line) scheduler(v string) *Error {
	if v == "" {
		return nil // keeps the default
	}
	if !l.strict {
		v = cut(v, check.MaxSchedulerName)
	}
	l.cmd.Service.Scheduler = l.named(v)
	return nil
}

// named is the name of a scheduler as the line before has it: most have the same.
func (l *line) named(scheduler string) string {
	if scheduler != l.before.scheduler {
		l.before.scheduler = strings.Clone(scheduler)
	}
	return l.before.scheduler
}

func (l *line) engine(v string) *Error {
	if !l.strict {
		v = cut(v, check.MaxEngineName)
	}
	l.cmd.Service.Persistence.Engine = strings.Clone(v)
	return nil
}

func cut(s string, most int) string { return s[:min(len(s), most)] }

func (l *line) persistent(v string) *Error {
	p := &l.cmd.Service.Persistence
	p.On = true
	return l.seconds(v, check.Persistence, 1, &p.Timeout)
}

func (l *line) ops(string) *Error {
	l.cmd.Service.OnePacket = true
	return nil
}

// netmask reads a mask, or a prefix length if the service is known to be IPv6.
// Where ipvsadm takes "24" for 0.0.0.24, a strict line must be plain.
func (l *line) netmask(v string) *Error {
	mask := &l.cmd.Service.Persistence.Mask
	if l.cmd.Service.Family == ipvs.IPv6 {
		n, ok := leadingInt(v)
		if l.strict {
			n, ok = number(v, 1, 128)
		}
		if !ok || n < 1 || n > 128 {
			return fail(problem(check.Mask, v, "must be a prefix length of 1 to 128"), "illegal ipv6 netmask specified")
		}
		*mask = ipvs.Mask(n)
		return nil
	}
	var a netip.Addr
	var ok bool
	if l.strict {
		parsed, err := netip.ParseAddr(v)
		a, ok = parsed, err == nil && parsed.Is4()
	} else {
		a, ok = l.host(v)
	}
	if !ok {
		return fail(problem(check.Mask, v, "must be a mask such as 255.255.255.0"),
			"illegal virtual server persistent mask specified")
	}
	*mask = maskOf(a)
	return nil
}

func maskOf(a netip.Addr) ipvs.Mask {
	b := a.As4()
	return ipvs.Mask(b[0])<<24 | ipvs.Mask(b[1])<<16 | ipvs.Mask(b[2])<<8 | ipvs.Mask(b[3])
}

// leadingInt reads a number like atoi: what follows the digits does not count,
// and what is too large wraps around.
func leadingInt(text string) (int64, bool) {
	text = strings.TrimLeft(text, space)
	end := 0
	for end < len(text) && (text[end] >= '0' && text[end] <= '9' || end == 0 && (text[0] == '-' || text[0] == '+')) {
		end++
	}
	n, err := strconv.ParseInt(text[:end], 10, 64)
	return int64(int32(n)), err == nil
}

// ipv6 makes a mark service one of IPv6. Any mask given before is forgotten.
func (l *line) ipv6(string) *Error {
	id := l.cmd.Service.ServiceID
	if !id.IsMark() {
		return fail(problem(check.Family, "", "-6 belongs after -f"), "-6 used before -f\n")
	}
	return l.setService(ipvs.MarkService(id.Mark, ipvs.IPv6))
}

func (l *line) rememberFlags(v string) *Error {
	l.flags = v
	return nil
}

// flagNames are the bits behind names; a name that begins with a scheduler's
// belongs to it alone.
var flagNames = map[string]ipvs.SchedFlags{
	"flag-1": ipvs.SchedFlag1, "flag-2": ipvs.SchedFlag2, "flag-3": ipvs.SchedFlag3,
	"sh-fallback": ipvs.SchedFlag1, "sh-port": ipvs.SchedFlag2,
	"mh-fallback": ipvs.SchedFlag1, "mh-port": ipvs.SchedFlag2,
}

// schedFlags reads -b, now that the scheduler is known. ipvsadm does so before
// it looks which command the flags are given to.
func (l *line) schedFlags() *Error {
	if l.flags == "" {
		return nil
	}
	for name := range strings.SplitSeq(l.flags, ",") {
		bit, known := flagNames[name]
		owner, _, _ := strings.Cut(name, "-")
		switch {
		case name == "":
		case !known:
			return l.by(check.SchedFlags,
				fail(problem(check.SchedFlags, name, "must be among flag-1 to flag-3, sh-fallback, sh-port, mh-fallback, mh-port"),
					"invalid scheduler flag `%s'", name))
		case owner != "flag" && owner != l.cmd.Service.Scheduler:
			return l.by(check.SchedFlags,
				fail(problem(check.SchedFlags, name, fmt.Sprintf("only for scheduler %s (-s %s)", owner, owner)),
					"incompatible scheduler flag `%s'", name))
		default:
			l.cmd.Service.SchedFlags |= bit
		}
	}
	return nil
}

func (l *line) direct(string) *Error { return l.forward(ipvs.Direct) }
func (l *line) tunnel(string) *Error { return l.forward(ipvs.TunnelFwd) }
func (l *line) masq(string) *Error   { return l.forward(ipvs.Masq) }

func (l *line) forward(f ipvs.Forward) *Error {
	l.cmd.Server.Forward = f
	return nil
}

func (l *line) weight(v string) *Error {
	return ranged(v, check.Weight, 0, ipvs.MaxWeight, &l.cmd.Server.Weight, "illegal weight specified")
}

func (l *line) upper(v string) *Error {
	return ranged(v, check.Upper, 0, ipvs.MaxWeight, &l.cmd.Server.Upper, "illegal u_threshold specified")
}

func (l *line) lower(v string) *Error {
	return ranged(v, check.Lower, 0, ipvs.MaxWeight, &l.cmd.Server.Lower, "illegal l_threshold specified")
}

func (l *line) tunType(v string) *Error {
	for _, t := range []ipvs.TunnelType{ipvs.IPIP, ipvs.GUE, ipvs.GRE} {
		if v == t.String() {
			l.cmd.Server.Tunnel.Type = t
			return nil
		}
	}
	return fail(problem(check.TunnelType, v, "must be ipip, gue or gre"), "illegal tunnel type specified")
}

func (l *line) tunPort(v string) *Error {
	return ranged(v, check.TunnelPort, 1, 65535, &l.cmd.Server.Tunnel.Port, "illegal tunnel port specified")
}

func (l *line) checksum(string) *Error {
	l.cmd.Server.Tunnel.Flags |= ipvs.TunnelChecksum
	return nil
}

func (l *line) remoteChecksum(string) *Error {
	l.cmd.Server.Tunnel.Flags |= ipvs.TunnelRemoteChecksum
	return nil
}

func (l *line) mcastInterface(v string) *Error {
	if v == "" {
		return nil // keeps the default
	}
	if !l.strict {
		v = cut(v, check.MaxInterfaceName)
	}
	l.cmd.Daemon.Interface = strings.Clone(v)
	return nil
}

func (l *line) mcastGroup(v string) *Error {
	a, err := netip.ParseAddr(v)
	if err != nil || !a.IsMulticast() || a.Zone() != "" || a.Is4In6() {
		family := "IPv4"
		if strings.Contains(v, ":") {
			family = "IPv6"
		}
		return fail(problem(check.Group, v, "must be a multicast address"), "invalid %s mcast-group `%s'", family, v)
	}
	l.cmd.Daemon.Group = a
	return nil
}

func (l *line) mcastPort(v string) *Error {
	return ranged(v, check.GroupPort, 1, 65535, &l.cmd.Daemon.Port, "illegal mcast-port specified")
}

func (l *line) mcastTTL(v string) *Error {
	return ranged(v, check.TTL, 1, 255, &l.cmd.Daemon.TTL, "illegal mcast-ttl specified")
}

func (l *line) syncid(v string) *Error {
	return ranged(v, check.SyncID, 0, 255, &l.cmd.Daemon.SyncID, "illegal syncid specified")
}

func (l *line) syncMaxlen(v string) *Error {
	return ranged(v, check.MaxLen, 1, check.MaxSyncMessage, &l.cmd.Daemon.MaxLen, "illegal sync-maxlen specified")
}
