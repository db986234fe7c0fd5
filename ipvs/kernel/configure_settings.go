package kernel

import "lvsdeck/ipvs"

// configureTimeouts writes the attributes of all three; the kernel keeps what is
// 0.
func configureTimeouts(w *writer, t ipvs.Timeouts) {
	w.u32(attrTimeoutTCP, t.TCP)
	w.u32(attrTimeoutTCPFin, t.TCPFin)
	w.u32(attrTimeoutUDP, t.UDP)
}

// configureDaemon writes the attribute that holds a sync daemon. What is left
// out gets the kernel's default. The port goes in host order, unlike all others.
func configureDaemon(w *writer, d ipvs.Daemon) {
	at := w.open(attrDaemon)
	w.u32(daemonRole, uint32(d.Role))
	w.text(daemonInterface, d.Interface)
	w.u32(daemonSyncID, uint32(d.SyncID))
	if d.MaxLen != 0 {
		w.u16(daemonMaxLen, d.MaxLen)
	}
	switch {
	case !d.Group.IsValid():
	case d.Group.Is6():
		w.addr(daemonGroup6, d.Group)
	default:
		w.addr(daemonGroup, d.Group)
	}
	if d.Port != 0 {
		w.u16(daemonPort, d.Port)
	}
	if d.TTL != 0 {
		w.u8(daemonTTL, d.TTL)
	}
	w.close(at)
}
