package kernel

import "lvsdeck/ipvs"

// parseStats reads the nested attributes of STATS64, or of STATS, which has the
// same members in fewer bits.
func parseStats(b []byte) (s ipvs.Stats, err error) {
	a := attributes{rest: b}
	for a.next() {
		switch a.kind {
		case statsConns:
			s.Total.Conns = a.number()
		case statsInPackets:
			s.Total.InPackets = a.number()
		case statsOutPackets:
			s.Total.OutPackets = a.number()
		case statsInBytes:
			s.Total.InBytes = a.number()
		case statsOutBytes:
			s.Total.OutBytes = a.number()
		case statsConnRate:
			s.Rate.Conns = a.number()
		case statsInPacketRate:
			s.Rate.InPackets = a.number()
		case statsOutPacketRate:
			s.Rate.OutPackets = a.number()
		case statsInByteRate:
			s.Rate.InBytes = a.number()
		case statsOutByteRate:
			s.Rate.OutBytes = a.number()
		}
	}
	return s, a.err
}

// wider chooses between both statistics of one thing: kernels before 4.1 have
// only the 32-bit one.
func wider(stats, stats64 []byte) []byte {
	if stats64 != nil {
		return stats64
	}
	return stats
}
