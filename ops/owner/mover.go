package owner

import (
	"errors"
	"slices"
)

// movers are programs that move addresses from host to host, or have routers send
// packets elsewhere: where one runs, a VIP that is not here may well be another
// host's by right.
var movers = []string{
	"keepalived", "vrrpd", "uvrrpd", "ucarp", "carp", "heartbeat", "corosync", "pacemakerd", "pacemaker-execd", "pcsd",
	"bgpd", "bird", "bird6", "frr", "watchfrr", "zebra", "ospfd", "ospf6d", "exabgp", "gobgpd", "kube-vip", "speaker", "seesaw_ha",
}

// Mover gives a program that may move VIPs, in whichever mode it runs, or nil.
func Mover(s System) (*Process, error) {
	moves := func(p Process) bool {
		return slices.Contains(movers, p.Name) || slices.Contains(movers, p.script())
	}
	all, err := s.Processes(func(name string) bool { return isInterpreter(name) || slices.Contains(movers, name) })
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(all, func(p Process) bool { return !p.Away && moves(p) }); i >= 0 {
		if p := all[i]; !slices.Contains(movers, p.Name) {
			all[i].Name = p.script()
		}
		return &all[i], nil
	}
	return nil, nil
}

// MoverHere is Mover on this host, for a look now and then.
func MoverHere() (p *Process, err error) {
	h, err := Open()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	return Mover(h)
}
