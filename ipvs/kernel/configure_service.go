package kernel

import "lvsdeck/ipvs"

// configureID writes the attribute that names a service.
func configureID(w *writer, id ipvs.ServiceID) {
	at := w.open(attrService)
	serviceID(w, id)
	w.close(at)
}

func serviceID(w *writer, id ipvs.ServiceID) {
	w.u16(svcFamily, uint16(id.Family))
	if id.IsMark() {
		w.u32(svcMark, id.Mark)
		return
	}
	w.u16(svcProtocol, uint16(id.Protocol))
	w.addr(svcAddr, id.Addr)
	w.port(svcPort, id.Port)
}

// configureService writes the attribute that holds all of a service. An engine
// left out is none, also on an edit.
func configureService(w *writer, s ipvs.Service) {
	flags := uint32(s.SchedFlags&schedFlagMask) << schedFlagShift
	if s.Persistence.On {
		flags |= flagPersistent
	}
	if s.OnePacket {
		flags |= flagOnePacket
	}
	at := w.open(attrService)
	serviceID(w, s.ServiceID)
	w.text(svcScheduler, s.Scheduler)
	value := w.attr(svcFlags, 8)
	native.PutUint32(value, flags)
	native.PutUint32(value[4:], flagsOurs)
	w.u32(svcTimeout, s.Persistence.Timeout)
	configureMask(w, s.Persistence.Mask, s.Family)
	if s.Persistence.Engine != "" {
		w.text(svcEngine, s.Persistence.Engine)
	}
	w.close(at)
}

// configureMask: an IPv4 netmask goes in network order like any address, an
// IPv6 prefix length as a plain number.
func configureMask(w *writer, m ipvs.Mask, f ipvs.Family) {
	if f == ipvs.IPv6 {
		w.u32(svcNetmask, uint32(m))
	} else {
		w.be32(svcNetmask, uint32(m))
	}
}
