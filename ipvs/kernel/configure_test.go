package kernel

import (
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"

	"lvsdeck/ipvs"
)

// wire is what a configure function writes on little-endian machines, skipping
// the test on others.
func wire[T any](t *testing.T, configure func(*writer, T), v T) string {
	t.Helper()
	if native.Uint16([]byte{1, 0}) != 1 {
		t.Skip("the expected bytes are a little-endian machine's")
	}
	return hex.EncodeToString(written(configure, v))
}

// want joins attributes written one to a string, blanks in them for the eye.
func want(attrs ...string) string {
	return strings.ReplaceAll(strings.Join(attrs, ""), " ", "")
}

func TestConfigureService(t *testing.T) {
	s := ipvs.Service{
		ServiceID: ipvs.AddressService(ipvs.TCP, netip.MustParseAddrPort("192.0.2.10:443")),
		Scheduler: "sh", SchedFlags: ipvs.SchedFlag1 | ipvs.SchedFlag3, OnePacket: true,
		Persistence: ipvs.Persistence{On: true, Timeout: 360, Mask: 0xffffff00, Engine: "sip"},
	}
	if got, want := wire(t, configureService, s), want(
		"5000 0100",
		"0600 0100 0200 0000", // AF_INET
		"0600 0200 0600 0000", // TCP
		"0800 0300 c000020a",
		"0600 0400 01bb 0000",
		"0700 0600 736800 00",         // "sh"
		"0c00 0700 2d000000 3d000000", // persistent, one-packet, flags 1 and 3, of all ours
		"0800 0800 68010000",
		"0800 0900 ffffff00",
		"0800 0b00 73697000", // "sip"
	); got != want {
		t.Errorf("\n want %s\n got  %s", want, got)
	}
}

func TestConfigureServiceIPv6(t *testing.T) {
	s := ipvs.NewService(ipvs.AddressService(ipvs.UDP, netip.MustParseAddrPort("[2001:db8::1]:53")))
	s.Persistence.Mask = 64
	if got, want := wire(t, configureService, s), want(
		"5400 0100",
		"0600 0100 0a00 0000",
		"0600 0200 1100 0000",
		"1400 0300 20010db8 00000000 00000000 00000001",
		"0600 0400 0035 0000",
		"0800 0600 776c6300",
		"0c00 0700 00000000 3d000000",
		"0800 0800 00000000",
		"0800 0900 40000000", // a number, not an address
	); got != want {
		t.Errorf("\n want %s\n got  %s", want, got)
	}
}

func TestConfigureID(t *testing.T) {
	if got, want := wire(t, configureID, ipvs.MarkService(0x80000001, ipvs.IPv6)), want(
		"1400 0100",
		"0600 0100 0a00 0000",
		"0800 0500 01000080",
	); got != want {
		t.Errorf("\n want %s\n got  %s", want, got)
	}
}

func TestConfigureServer(t *testing.T) {
	s := ipvs.Server{
		Addr: netip.MustParseAddrPort("10.0.0.2:8080"), Forward: ipvs.TunnelFwd, Weight: 70000, Upper: 10, Lower: 5,
		Tunnel: ipvs.Tunnel{Type: ipvs.GUE, Port: 6080, Flags: ipvs.TunnelRemoteChecksum},
	}
	if got, want := wire(t, configureServer, s), want(
		"5400 0200",
		"0600 0b00 0200 0000",
		"0800 0100 0a000002",
		"0600 0200 1f90 0000",
		"0800 0300 02000000",
		"0800 0400 70110100",
		"0800 0500 0a000000",
		"0800 0600 05000000",
		"0500 0d00 01 000000",
		"0600 0e00 17c0 0000",
		"0600 0f00 0200 0000",
	); got != want {
		t.Errorf("\n want %s\n got  %s", want, got)
	}
}

func TestConfigureDaemon(t *testing.T) {
	full := ipvs.Daemon{
		Role: ipvs.Backup, Interface: "eth0", SyncID: 255, MaxLen: 1400,
		Group: netip.MustParseAddr("239.1.2.3"), Port: 8848, TTL: 3,
	}
	if got, want := wire(t, configureDaemon, full), want(
		"4000 0300",
		"0800 0100 02000000",
		"0900 0200 6574683000 000000",
		"0800 0300 ff000000",
		"0600 0400 7805 0000",
		"0800 0500 ef010203",
		"0600 0700 9022 0000", // host order
		"0500 0800 03 000000",
	); got != want {
		t.Errorf("\n want %s\n got  %s", want, got)
	}
	least := ipvs.Daemon{Role: ipvs.Master, Interface: "lo", Group: netip.MustParseAddr("ff05::81")}
	if got, want := wire(t, configureDaemon, least), want(
		"3000 0300",
		"0800 0100 01000000",
		"0700 0200 6c6f00 00",
		"0800 0300 00000000",
		"1400 0600 ff050000 00000000 00000000 00000081",
	); got != want {
		t.Errorf("\n want %s\n got  %s", want, got)
	}
}

func TestConfigureTimeouts(t *testing.T) {
	if got, want := wire(t, configureTimeouts, ipvs.Timeouts{TCP: 900, UDP: 300}), want(
		"0800 0400 84030000", "0800 0500 00000000", "0800 0600 2c010000",
	); got != want {
		t.Errorf("\n want %s\n got  %s", want, got)
	}
}
