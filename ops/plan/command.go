package plan

import (
	"fmt"
	"strconv"
	"strings"

	"lvsdeck/ipvs"
)

// The commands are Debian's ipvsadm 1.31's, complete: since -e and -E replace
// everything, each field that matters is named. It takes no weight above 65535.

// serviceCommand is "ipvsadm -A -t … -s wlc …", with -A or -E.
func serviceCommand(flag string, s ipvs.Service) string {
	args := append([]string{"ipvsadm", flag}, serviceArgs(s.ServiceID)...)
	args = append(args, "-s", s.Scheduler)
	if p := s.Persistence; p.On {
		args = append(args, "-p", number(p.Timeout))
		if p.Mask != ipvs.FullMask(s.Family) {
			args = append(args, "-M", p.Mask.Text(s.Family))
		}
	}
	if engine := s.Persistence.Engine; engine != "" {
		args = append(args, "--pe", engine)
	}
	if s.OnePacket {
		args = append(args, "-o")
	}
	if names := s.SchedFlags.Names(s.Scheduler); len(names) > 0 {
		args = append(args, "-b", strings.Join(names, ","))
	}
	return strings.Join(args, " ")
}

// serviceArgs name a service.
func serviceArgs(id ipvs.ServiceID) []string {
	switch {
	case id.IsMark() && id.Family == ipvs.IPv6:
		return []string{"-f", number(id.Mark), "-6"}
	case id.IsMark():
		return []string{"-f", number(id.Mark)}
	case id.Protocol == ipvs.UDP:
		return []string{"-u", id.Name()}
	case id.Protocol == ipvs.SCTP:
		return []string{"--sctp-service", id.Name()}
	}
	return []string{"-t", id.Name()}
}

// serverCommand is "ipvsadm -a -t … -r … -g -w 1 -x 0 -y 0", with -a or -e.
func serverCommand(flag string, id ipvs.ServiceID, s ipvs.Server) string {
	args := append([]string{"ipvsadm", flag}, serviceArgs(id)...)
	args = append(args, "-r", s.Addr.String(), forwardFlag(s.Forward), "-w", number(s.Weight))
	args = append(args, "-x", number(s.Upper), "-y", number(s.Lower))
	if s.Forward == ipvs.TunnelFwd {
		args = append(args, tunnelOptions(s.Tunnel)...)
	}
	return strings.Join(args, " ")
}

func forwardFlag(f ipvs.Forward) string {
	switch f {
	case ipvs.Masq:
		return "-m"
	case ipvs.TunnelFwd:
		return "-i"
	}
	return "-g"
}

func tunnelOptions(t ipvs.Tunnel) []string {
	args := []string{"--tun-type", t.Type.String()}
	if t.Type == ipvs.GUE {
		args = append(args, "--tun-port", strconv.Itoa(int(t.Port)))
	}
	if t.Type == ipvs.IPIP {
		return args
	}
	switch t.Flags {
	case ipvs.TunnelChecksum:
		return append(args, "--tun-csum")
	case ipvs.TunnelRemoteChecksum:
		return append(args, "--tun-remcsum")
	}
	return append(args, "--tun-nocsum")
}

// rulesCommands builds services with their servers, a command a line.
func rulesCommands(services []ipvs.ServiceRules) string {
	var lines []string
	for _, s := range services {
		lines = append(lines, serviceCommand("-A", s.Service))
		for _, rs := range s.Servers {
			lines = append(lines, serverCommand("-a", s.ServiceID, rs))
		}
	}
	return strings.Join(lines, "\n")
}

// daemonCommand starts a daemon; what is 0 is left to the kernel.
func daemonCommand(d ipvs.Daemon) string {
	text := fmt.Sprintf("ipvsadm --start-daemon %s --mcast-interface %s --syncid %d", d.Role, d.Interface, d.SyncID)
	if d.MaxLen != 0 {
		text += fmt.Sprintf(" --sync-maxlen %d", d.MaxLen)
	}
	if d.Group.IsValid() {
		text += " --mcast-group " + d.Group.String()
	}
	if d.Port != 0 {
		text += fmt.Sprintf(" --mcast-port %d", d.Port)
	}
	if d.TTL != 0 {
		text += fmt.Sprintf(" --mcast-ttl %d", d.TTL)
	}
	return text
}

func number(n uint32) string { return strconv.FormatUint(uint64(n), 10) }
