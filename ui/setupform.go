package ui

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/check"
	"lvsdeck/ops/confirm"
	"lvsdeck/ops/setup"
)

// Questions of the set-up besides those of services and servers.
const (
	askVIP     = "vip"
	askLink    = "interface"
	askSNAT    = "snat"
	askSources = "sources"
	askWithin  = "within"
	askKeep    = "keep"
)

// setupQuestions says at which question a refusal stands.
var setupQuestions = map[check.Field]string{
	setup.FieldVIP: askVIP, setup.FieldInterface: askLink, setup.FieldSNAT: askSNAT, setup.FieldSources: askSources,
	check.Service: askVIP, check.Port: askPort, check.Protocol: askProtocol, check.Scheduler: askScheduler,
	check.Server: askServers, check.ServerPort: askServerPort, check.Weight: askWeight,
	check.TunnelType: askTunnel, check.TunnelPort: askTunnelPort,
}

func openSetupForm(m *Model, mode setup.Mode) tea.Cmd {
	host := m.opts.System
	return beside(func(context.Context) ([]option, error) { return schedulersOf(host), nil },
		func(m *Model, schedulers []option, _ error) tea.Cmd {
			m.openForm(&form{title: "Set up a service: " + mode.String(), fields: setupFields(mode, schedulers), finish: func(m *Model, f *form) tea.Cmd {
				return finishSetup(m, f, mode)
			}})
			return nil
		})
}

func setupFields(mode setup.Mode, schedulers []option) []*field {
	only := func(modes ...setup.Mode) func(*form) bool {
		return func(*form) bool {
			for _, x := range modes {
				if x == mode {
					return true
				}
			}
			return false
		}
	}
	tun := only(setup.TUN)
	gue := func(f *form) bool { return tun(f) && f.get(askTunnel) == "gue" }
	return []*field{
		typedField(askVIP, "VIP", "", "the address that clients use: 203.0.113.10, 2001:db8::10"),
		typedField(askPort, "port", "80", "1 to 65535"),
		chosenField(askProtocol, "protocol", "TCP", option{"TCP", ""}, option{"UDP", ""}, option{"SCTP", ""}),
		typedField(askServers, "servers", "", "10.0.3.11  10.0.3.12-14: addresses of the real servers").listed(),
		typedField(askServerPort, "servers' port", "", "empty: the same").only(only(setup.NAT, setup.FullNAT)),
		typedField(askWeight, "weight", "1", "of each server; change it later with w"),
		chosenField(askScheduler, "scheduler", "wlc", schedulers...),
		chosenField(askTunnel, "tunnel", "ipip", tunnels...).only(tun),
		typedField(askTunnelPort, "tunnel port", "6080", "UDP port of gue").only(gue),
		typedField(askSNAT, "SNAT for", "", "empty: none; 10.0.3.0/24: servers reach the world").only(only(setup.NAT)),
		typedField(askSources, "clients as", "", "empty: the DIP; 10.0.3.5-10.0.3.9 for more ports").only(only(setup.FullNAT)),
		typedField(askLink, "interface", "", "for the VIP; empty: found out"),
		chosenField(askKeep, "keep it", "yes", option{"yes", "once confirmed, it comes back after a restart of this host"},
			option{"no", "it is gone with the next restart"}),
		typedField(askWithin, "confirm in", "120", "seconds, 10 to 3600; else all is taken back"),
	}
}

// finishSetup reads the answers and drafts.
func finishSetup(m *Model, f *form, mode setup.Mode) tea.Cmd {
	w, within, ok := f.wish(mode)
	if !ok {
		return nil
	}
	if refused, is := setup.Refused(w.Check()); is {
		f.refused(refused)
		return nil
	}
	desk := m.opts.SetUps
	m.message = "looking around"
	return beside(func(ctx context.Context) (setup.Draft, error) { return desk.Draft(ctx, w) },
		func(m *Model, d setup.Draft, err error) tea.Cmd {
			if m.top() != layer(f) { // the operator went on
				return nil
			}
			if refused, is := setup.Refused(err); is {
				f.refused(refused)
				return nil
			}
			if err != nil {
				m.tell("Nothing was changed", err)
				return nil
			}
			d.Keep = f.get(askKeep) == "yes"
			return openDraft(m, d, within)
		})
}

// refused writes refusals at their fields; the first is gone to.
func (f *form) refused(all setup.Refusals) {
	for i := len(all) - 1; i >= 0; i-- {
		says := all[i].Error()
		if all[i].Do == "" && all[i].Value != "" {
			says = all[i].Value + " " + all[i].Rule
		}
		f.blame(setupQuestions[all[i].Field], says)
	}
}

// wish reads the fields of setupFields.
func (f *form) wish(mode setup.Mode) (w setup.Wish, within time.Duration, ok bool) {
	w = setup.Wish{Mode: mode, Scheduler: f.get(askScheduler), Link: f.get(askLink)}
	seconds, ok := f.number(askWithin, 16, "must be 10 to 3600 seconds", 10, 3600)
	within = time.Duration(seconds) * time.Second
	if err := confirm.CheckWindow(within); ok && err != nil {
		f.blame(askWithin, err.Error())
		ok = false
	}
	ok = f.wishTranslation(&w) && ok
	ok = f.wishServers(&w) && ok
	port, good := f.number(askPort, 16, "must be 1 to 65535", 1, 65535)
	vip, err := netip.ParseAddr(f.get(askVIP))
	if err != nil || vip.Zone() != "" {
		f.blame(askVIP, "must be an IPv4 or IPv6 address")
		good = false
	}
	if !good {
		return w, within, false
	}
	protocol := map[string]ipvs.Protocol{"TCP": ipvs.TCP, "UDP": ipvs.UDP, "SCTP": ipvs.SCTP}[f.get(askProtocol)]
	w.Service = ipvs.AddressService(protocol, netip.AddrPortFrom(vip, uint16(port)))
	return w, within, ok
}

func (f *form) wishServers(w *setup.Wish) bool {
	var port uint64
	ok := true
	if f.get(askServerPort) != "" {
		port, ok = f.number(askServerPort, 16, "must be 1 to 65535, or empty", 1, 65535)
	}
	weight, good := f.number(askWeight, 31, fmt.Sprintf("must be 0 to %d", ipvs.MaxWeight), 0, ipvs.MaxWeight)
	addrs, err := parseAddresses(f.get(askServers), uint16(port))
	if err != nil {
		f.blame(askServers, err.Error())
		return false
	}
	for _, a := range addrs {
		w.Servers = append(w.Servers, setup.Server{Addr: a, Weight: uint32(weight)})
	}
	return ok && good
}

// wishTranslation reads what only one mode asks.
func (f *form) wishTranslation(w *setup.Wish) bool {
	var err error
	fail := func(id string) bool {
		f.blame(id, err.Error())
		return false
	}
	if kind := f.get(askTunnel); kind != "" {
		if kind == "gue" {
			kind += ":" + f.get(askTunnelPort)
		}
		if w.Tunnel, err = setup.ParseTunnel(kind); err != nil {
			return fail(askTunnelPort)
		}
	}
	if typed := f.get(askSNAT); typed != "" {
		if w.SNAT, err = netip.ParsePrefix(typed); err != nil {
			err = fmt.Errorf("%s must be a network, like 10.0.3.0/24", strconv.Quote(typed))
			return fail(askSNAT)
		}
	}
	if typed := f.get(askSources); typed != "" {
		if w.Sources, err = setup.ParseRange(typed); err != nil {
			return fail(askSources)
		}
	}
	return true
}
