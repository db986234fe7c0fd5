package plan

import (
	"strconv"
	"strings"

	"lvsdeck/ipvs"
)

// serverFields lists in what two servers of one address differ.
func serverFields(was, is ipvs.Server) fields {
	var f fields
	f.compare("forwarding", was.Forward, is.Forward)
	f.compare("weight", was.Weight, is.Weight)
	f.compare("upper threshold", was.Upper, is.Upper)
	f.compare("lower threshold", was.Lower, is.Lower)
	f.compare("tunnel", tunnelText(was), tunnelText(is))
	return f
}

// tunnelText is "gue port 6080 csum".
func tunnelText(s ipvs.Server) string {
	t := s.Tunnel
	if s.Forward != ipvs.TunnelFwd && t == (ipvs.Tunnel{}) {
		return "none"
	}
	text := t.Type.String()
	if t.Port != 0 {
		text += " port " + number(uint32(t.Port))
	}
	switch t.Flags {
	case 0:
		return text
	case ipvs.TunnelChecksum:
		return text + " csum"
	case ipvs.TunnelRemoteChecksum:
		return text + " remcsum"
	}
	return text + " flags " + number(uint32(t.Flags))
}

// serviceFields lists in what two settings of one service differ.
func serviceFields(was, is ipvs.Service) fields {
	var f fields
	f.compare("scheduler", was.Scheduler, is.Scheduler)
	f.compare("scheduler flags", flagText(was), flagText(is))
	f.compare("one-packet", was.OnePacket, is.OnePacket)
	f.compare("persistence", persistenceText(was), persistenceText(is))
	return f
}

func flagText(s ipvs.Service) string {
	return orNone(strings.Join(s.SchedFlags.Names(s.Scheduler), ","))
}

// persistenceText names what is stored while it is off too, since that may be
// all that differs.
func persistenceText(s ipvs.Service) string {
	p, text := s.Persistence, "off"
	if p.On || p.Timeout != 0 {
		text = number(p.Timeout) + " s"
		if !p.On {
			text = "off (" + text + ")"
		}
	}
	if p.Mask != ipvs.FullMask(s.Family) {
		text += " mask " + p.Mask.Text(s.Family)
	}
	if p.Engine != "" {
		text += " engine " + p.Engine
	}
	return text
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// serverText is what a new server is: "DR, weight 100".
func serverText(s ipvs.Server) string {
	parts := []string{s.Forward.String(), "weight " + number(s.Weight)}
	if s.Upper != 0 || s.Lower != 0 {
		parts = append(parts, "thresholds "+number(s.Upper)+"/"+number(s.Lower))
	}
	if t := tunnelText(s); t != "none" {
		parts = append(parts, t)
	}
	return strings.Join(parts, ", ")
}

// serviceText is what a new service is: "wlc, persistence 360 s".
func serviceText(s ipvs.Service) string {
	parts := []string{s.Scheduler}
	if flags := flagText(s); flags != "none" {
		parts = append(parts, flags)
	}
	if p := persistenceText(s); p != "off" {
		parts = append(parts, "persistence "+p)
	}
	if s.OnePacket {
		parts = append(parts, "one-packet")
	}
	return strings.Join(parts, ", ")
}

// count is "1 server", "3 servers".
func count(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + one + "s"
}

func number(n uint32) string { return strconv.FormatUint(uint64(n), 10) }
