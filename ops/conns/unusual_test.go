package conns

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"lvsdeck/ipvs"
)

// TestHeavy: who has much is known of each service, however small its part of all is.
func TestHeavy(t *testing.T) {
	text := bytes.NewBufferString("Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires\n")
	add := func(n, clients int, net, service string, server int) {
		for i := range n {
			fmt.Fprintf(text, "TCP %s%02X %04X %s 0A0000%02X 01BB ESTABLISHED     800\n", net, 1+i%clients, 1024+i, service, server)
		}
	}
	const web, mail, api, one = "C6336414 01BB", "C6336415 0019", "C6336416 1F90", "C6336417 0050"
	for net := range 20 {
		add(200, 200, fmt.Sprintf("0A01%02X", net), web, 1)
	}
	add(400, 1, "64460C", web, 2) // more than anybody else, and little of the service
	add(300, 11, "64424D", mail, 1)
	add(40, 1, "64424D", mail, 2)
	for net := range 6 {
		add(20, 20, fmt.Sprintf("0A02%02X", net), mail, 2)
	}
	add(60, 3, "0A0300", api, 1) // three clients, a third each
	add(50, 1, "0A0400", one, 1) // all

	listed := &Listed{}
	for _, at := range []string{"198.51.100.20:443", "198.51.100.21:25", "198.51.100.22:8080", "198.51.100.23:80"} {
		listed.Add(ipvs.AddressService(ipvs.TCP, netip.MustParseAddrPort(at)), nil)
	}
	said := func(q Query) (all []string) {
		for _, h := range read(t, text.Bytes(), q).Heavy {
			all = append(all, fmt.Sprintf("%v of %v: %s %s %d of %d", h.By, h.Service, h.Client, h.Name(h.By), h.Conns, h.Of.Conns))
		}
		return all
	}
	want := []string{"net of TCP 198.51.100.21:25: 100.66.77.0/24 100.66.77.0/24 340 of 460"}
	if got := said(Query{PerService: true, Listed: listed}); !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
	add(4000, 1, "64460C", web, 2)
	want = append([]string{"client of TCP 198.51.100.20:443: 100.70.12.1/32 100.70.12.1 4400 of 8400"}, want...)
	if got := said(Query{PerService: true, By: []By{ByClient}}); !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
	if got := said(Query{By: []By{ByClient}}); got != nil {
		t.Errorf("nobody asked: %q", got)
	}
}

// All are of it: that is how clients come here, and nothing unusual.
func TestWhatHasAllHasNotTooMuch(t *testing.T) {
	r := &Result{All: Counts{Conns: 100}}
	if r.TooMuch(ByNet, Counts{Conns: 100}) || !r.TooMuch(ByNet, Counts{Conns: 99}) || !r.TooMuch(ByClient, Counts{Conns: 11}) {
		t.Error("all is not too much, most is")
	}
}
