package kernel

import "lvsdeck/ipvs"

// configureAddr writes the attribute that names a server within its service.
func configureAddr(w *writer, s ipvs.Server) {
	at := w.open(attrDest)
	serverAddr(w, s)
	w.close(at)
}

// serverAddr: without the family the kernel would take it to be the service's.
func serverAddr(w *writer, s ipvs.Server) {
	w.u16(destFamily, uint16(s.Family()))
	w.addr(destAddr, s.Addr.Addr())
	w.port(destPort, s.Addr.Port())
}

// configureServer writes the attribute that holds all of a server. The tunnel is
// always there: left out of an edit, it would turn into ipip.
func configureServer(w *writer, s ipvs.Server) {
	at := w.open(attrDest)
	serverAddr(w, s)
	w.u32(destForward, uint32(s.Forward))
	w.u32(destWeight, s.Weight)
	w.u32(destUpper, s.Upper)
	w.u32(destLower, s.Lower)
	w.u8(destTunnelType, uint8(s.Tunnel.Type))
	w.port(destTunnelPort, s.Tunnel.Port)
	w.u16(destTunnelFlags, uint16(s.Tunnel.Flags))
	w.close(at)
}
