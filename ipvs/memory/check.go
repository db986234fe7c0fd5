package memory

import (
	"net/netip"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"

	"lvsdeck/ipvs"
)

// schedulers and engines are those of a kernel with every IPVS module.
var (
	schedulers = []string{
		"none", "rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "fo", "ovf", "mh", "twos",
	}
	engines = []string{"", "sip"}
)

func validFamily(f ipvs.Family) bool { return f == ipvs.IPv4 || f == ipvs.IPv6 }

// checkService refuses as ip_vs_add_service and ip_vs_edit_service do. Port 0
// without persistence, or one-packet with TCP, are ipvsadm's own worries.
func checkService(s ipvs.Service) syscall.Errno {
	if !slices.Contains(schedulers, s.Scheduler) || !slices.Contains(engines, s.Persistence.Engine) {
		return unix.ENOENT
	}
	if prefix := s.Persistence.Mask; s.Family == ipvs.IPv6 && (prefix < 1 || prefix > 128) {
		return unix.EINVAL
	}
	return 0
}

// checkServer refuses what the kernel refuses of a new or edited server, in its
// order; the test for a unicast address comes later.
func (t *Table) checkServer(svc *service, s ipvs.Server) syscall.Errno {
	mixed := s.Family() != svc.Family
	if mixed && (len(t.daemons) > 0 || s.Forward != ipvs.TunnelFwd) {
		return unix.EINVAL
	}
	if s.Weight > ipvs.MaxWeight || s.Lower > s.Upper {
		return unix.ERANGE
	}
	if s.Tunnel.Type == ipvs.GUE && s.Tunnel.Port == 0 {
		return unix.EINVAL
	}
	return 0
}

// unicast tells an address that a real server can have. The kernel asks its
// routing table; here stand the ranges that are never unicast. A link-local
// IPv6 address would do if it were the director's own, which memory has not.
func unicast(a netip.Addr) bool {
	if a.Is4() {
		return !a.IsUnspecified() && !a.IsMulticast() && a.As4()[0] < 240
	}
	return a.IsValid() && !a.IsUnspecified() && !a.IsMulticast() && !a.IsLinkLocalUnicast() && !a.Is4In6()
}

// mixedFamilies tells whether a server's family differs from its service's,
// which connection synchronisation cannot express.
func (t *Table) mixedFamilies() bool {
	return slices.ContainsFunc(t.services, func(svc *service) bool {
		return slices.ContainsFunc(svc.servers, func(s ipvs.ServerState) bool { return s.Family() != svc.Family })
	})
}
