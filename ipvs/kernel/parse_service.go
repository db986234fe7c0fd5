package kernel

import (
	"encoding/binary"

	"lvsdeck/ipvs"
)

// parseService reads a message that holds a service into s.
func parseService(message []byte, s *ipvs.ServiceState) error {
	stats, err := parseServiceNow(message, &s.Service)
	if err == nil {
		s.Stats, err = parseStats(stats)
	}
	return err
}

// parseServiceNow reads all but the statistics, and gives those unread.
func parseServiceNow(message []byte, s *ipvs.Service) ([]byte, error) {
	a := find(message, attrService)
	var addr, netmask, stats, stats64 []byte
	for a.next() {
		switch a.kind {
		case svcFamily:
			s.Family = ipvs.Family(a.number())
		case svcProtocol:
			s.Protocol = ipvs.Protocol(a.number())
		case svcAddr:
			addr = a.value
		case svcPort:
			s.Port = a.port()
		case svcMark:
			s.Mark = uint32(a.number())
		case svcScheduler:
			s.Scheduler = a.text()
		case svcFlags:
			a.flags(s)
		case svcTimeout:
			s.Persistence.Timeout = uint32(a.number())
		case svcNetmask:
			netmask = a.value
		case svcStats:
			stats = a.value
		case svcEngine:
			s.Persistence.Engine = a.text()
		case svcStats64:
			stats64 = a.value
		}
	}
	// What the family decides, in whichever order it came.
	if a.err == nil && !s.IsMark() {
		s.Addr = a.addr(addr, s.Family)
	}
	s.Persistence.Mask = a.mask(netmask, s.Family)
	return wider(stats, stats64), a.err
}

// flags reads flags and the mask of those that are meant, which is all in the
// kernel's answers.
func (a *attributes) flags(s *ipvs.Service) {
	if len(a.value) != 8 {
		a.err = errMalformed
		return
	}
	flags := native.Uint32(a.value)
	s.Persistence.On = flags&flagPersistent != 0
	s.OnePacket = flags&flagOnePacket != 0
	s.SchedFlags = ipvs.SchedFlags(flags >> schedFlagShift & schedFlagMask)
}

// mask undoes configureMask.
func (a *attributes) mask(raw []byte, f ipvs.Family) ipvs.Mask {
	switch {
	case len(raw) != 4 || f != ipvs.IPv4 && f != ipvs.IPv6:
		a.err = errMalformed
		return 0
	case f == ipvs.IPv6:
		return ipvs.Mask(native.Uint32(raw))
	}
	return ipvs.Mask(binary.BigEndian.Uint32(raw))
}
