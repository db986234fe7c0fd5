package kernel

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/vishvananda/netlink/nl"

	"lvsdeck/ipvs"
)

func u64(kind int, v uint64) *nl.RtAttr { return nl.NewRtAttr(kind, nl.Uint64Attr(v)) }
func u32(kind int, v uint32) *nl.RtAttr { return nl.NewRtAttr(kind, nl.Uint32Attr(v)) }

func nest(kind int, attrs ...*nl.RtAttr) *nl.RtAttr {
	a := nl.NewRtAttr(kind, nil)
	for _, child := range attrs {
		a.AddChild(child)
	}
	return a
}

// replied adds to what configure_*.go writes, which is one attribute, what only the
// kernel adds.
func replied(attr []byte, attrs ...*nl.RtAttr) []byte {
	w := writer{attr}
	for _, child := range attrs {
		w.buf = append(w.buf, child.Serialize()...)
	}
	w.close(0)
	return w.buf
}

var stats = ipvs.Stats{
	Total: ipvs.Traffic{Conns: 1 << 40, InPackets: 2, OutPackets: 3, InBytes: 4, OutBytes: 5},
	Rate:  ipvs.Traffic{Conns: 6, InPackets: 7, OutPackets: 8, InBytes: 9, OutBytes: 1 << 41},
}

// both statistics as the kernel sends them: the narrow ones first, cut short.
func bothStats(narrow, wide int) []*nl.RtAttr {
	return []*nl.RtAttr{
		nest(narrow, u32(statsConns, 0), u64(statsInBytes, 4), u32(statsOutByteRate, 0)),
		nest(wide, u64(statsConns, 1<<40), u64(statsInPackets, 2), u64(statsOutPackets, 3), u64(statsInBytes, 4), u64(statsOutBytes, 5),
			u64(statsConnRate, 6), u64(statsInPacketRate, 7), u64(statsOutPacketRate, 8), u64(statsInByteRate, 9), u64(statsOutByteRate, 1<<41)),
	}
}

func TestParseService(t *testing.T) {
	for _, want := range []ipvs.Service{
		ipvs.NewService(ipvs.AddressService(ipvs.SCTP, netip.MustParseAddrPort("[2001:db8::1]:9"))),
		ipvs.NewService(ipvs.MarkService(1<<32-1, ipvs.IPv6)),
		{
			ServiceID: ipvs.AddressService(ipvs.UDP, netip.MustParseAddrPort("192.0.2.10:0")),
			Scheduler: "mh", SchedFlags: 7, OnePacket: true,
			Persistence: ipvs.Persistence{On: true, Timeout: 300, Mask: 0xff00ff00, Engine: "sip"},
		},
	} {
		var got ipvs.ServiceState
		if err := parseService(replied(written(configureService, want), bothStats(svcStats, svcStats64)...), &got); err != nil {
			t.Fatal(err)
		}
		if got.Service != want || got.Stats != stats || got.Partial {
			t.Errorf("\n want %+v\n got  %+v", want, got)
		}
	}
}

// The kernel marks every service "hashed", fills addresses up to 16 bytes, and
// before 4.1 had no 64-bit statistics.
func TestParseServiceAsKernelSends(t *testing.T) {
	message := nest(attrService,
		nl.NewRtAttr(svcFamily, nl.Uint16Attr(2)),
		nl.NewRtAttr(svcProtocol, nl.Uint16Attr(6)),
		nl.NewRtAttr(svcAddr, []byte{192, 0, 2, 10, 12: 0, 15: 0}),
		nl.NewRtAttr(svcPort, nl.BEUint16Attr(443)),
		nl.NewRtAttr(svcScheduler, nl.ZeroTerminated("wlc")),
		nl.NewRtAttr(svcFlags, append(nl.Uint32Attr(2), 0xff, 0xff, 0xff, 0xff)),
		u32(svcTimeout, 0),
		u32(svcNetmask, 0xffffffff),
		nest(svcStats, u32(statsConns, 7), u64(statsInBytes, 1<<33)),
		u32(99, 1), // of a kernel to come
	).Serialize()
	want := ipvs.ServiceState{Service: ipvs.NewService(ipvs.AddressService(ipvs.TCP, netip.MustParseAddrPort("192.0.2.10:443")))}
	want.Stats.Total = ipvs.Traffic{Conns: 7, InBytes: 1 << 33}
	var got ipvs.ServiceState
	if err := parseService(message, &got); err != nil || got != want {
		t.Errorf("\n want %+v\n got  %+v, %v", want, got, err)
	}
}

func TestParseServer(t *testing.T) {
	want := ipvs.ServerState{
		Server: ipvs.Server{
			Addr: netip.MustParseAddrPort("[2001:db8::1]:65535"), Forward: ipvs.TunnelFwd, Weight: ipvs.MaxWeight, Upper: 10, Lower: 5,
			Tunnel: ipvs.Tunnel{Type: ipvs.GRE, Port: 1, Flags: ipvs.TunnelChecksum},
		},
		Active: 1, Inactive: 2, Persistent: 3, Stats: stats,
	}
	message := replied(written(configureServer, want.Server), append(bothStats(destStats, destStats64),
		u32(destActive, 1), u32(destInactive, 2), u32(destPersistent, 3))...)
	var got ipvs.ServerState
	if err := parseServer(message, &got); err != nil || got != want {
		t.Errorf("\n want %+v\n got  %+v, %v", want, got, err)
	}
}

func TestParseDaemon(t *testing.T) {
	for _, group := range []string{"224.0.0.81", "ff05::81"} {
		want := ipvs.Daemon{Role: ipvs.Backup, Interface: "eth0", SyncID: 9, MaxLen: 65507, Group: netip.MustParseAddr(group), Port: 8848, TTL: 255}
		var got ipvs.Daemon
		if err := parseDaemon(replied(written(configureDaemon, want)), &got); err != nil || got != want {
			t.Errorf("\n want %+v\n got  %+v, %v", want, got, err)
		}
	}
}

func TestParseMalformed(t *testing.T) {
	for name, message := range map[string][]byte{
		"empty":                {},
		"no service":           u32(attrDest, 0).Serialize(),
		"longer than it is":    {200, 0, attrService, 0, 0, 0, 0, 0},
		"shorter than itself":  {3, 0, attrService, 0},
		"no family":            nest(attrService, u32(svcNetmask, 1), u32(svcMark, 1)).Serialize(),
		"half an address":      nest(attrService, nl.NewRtAttr(svcFamily, nl.Uint16Attr(10)), u32(svcAddr, 1), u32(svcNetmask, 1)).Serialize(),
		"a port of four bytes": nest(attrService, u32(svcPort, 1)).Serialize(),
		"flags without a mask": nest(attrService, u32(svcFlags, 1)).Serialize(),
	} {
		if err := parseService(message, new(ipvs.ServiceState)); !errors.Is(err, errMalformed) {
			t.Errorf("%s: want %v, got %v", name, errMalformed, err)
		}
	}
}

// FuzzParse wants no panic, whatever the bytes.
func FuzzParse(f *testing.F) {
	f.Add(replied(written(configureService, ipvs.NewService(ipvs.MarkService(1, ipvs.IPv6))), bothStats(svcStats, svcStats64)...))
	f.Add(replied(written(configureServer, ipvs.Server{Addr: netip.MustParseAddrPort("10.0.0.1:80")}), bothStats(destStats, destStats64)...))
	f.Add(replied(written(configureDaemon, ipvs.Daemon{Role: ipvs.Master, Interface: "lo", Group: netip.MustParseAddr("224.0.0.81")})))
	f.Fuzz(func(_ *testing.T, b []byte) {
		parseService(b, new(ipvs.ServiceState))
		parseServer(b, new(ipvs.ServerState))
		parseDaemon(b, new(ipvs.Daemon))
		parseInfo(b, new(ipvs.Info))
		parseTimeouts(b, new(ipvs.Timeouts))
	})
}

func FuzzAnswer(f *testing.F) {
	var w writer
	request{family: 32, cmd: cmdGetInfo}.write(&w, 0, 0)
	f.Add(w.buf)
	f.Fuzz(func(_ *testing.T, b []byte) {
		a := answer{each: func(message []byte) error { return parseService(message, new(ipvs.ServiceState)) }}
		a.read(b)
	})
}
