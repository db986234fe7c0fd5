package kernel

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"lvsdeck/ipvs"
)

func TestMerge(t *testing.T) {
	tcp := func(port uint16) ipvs.ServiceID {
		return ipvs.AddressService(ipvs.TCP, netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), port))
	}
	four, six := ipvs.MarkService(7, ipvs.IPv4), ipvs.MarkService(7, ipvs.IPv6)
	// A row is a service with as many servers, nil for none known.
	row := func(id ipvs.ServiceID, servers ...uint32) ipvs.Entry {
		e := ipvs.Entry{ServiceState: ipvs.ServiceState{Service: ipvs.NewService(id)}, Servers: []ipvs.ServerState{}}
		for _, w := range servers {
			e.Servers = append(e.Servers, ipvs.ServerState{Server: ipvs.Server{Weight: w}})
		}
		return e
	}
	listed := func(ids ...ipvs.ServiceID) (all []ipvs.Entry) {
		for _, id := range ids {
			e := row(id)
			e.Servers = nil
			all = append(all, e)
		}
		return all
	}
	for _, test := range []struct {
		name         string
		listed, text []ipvs.Entry
		want         []string
		missed       []int
	}{
		{"both the same", listed(tcp(1), tcp(2), four), []ipvs.Entry{row(tcp(1), 1, 2), row(tcp(2)), row(four, 3)},
			[]string{"TCP 192.0.2.1:1 [1 2]", "TCP 192.0.2.1:2 []", "FWM 7 [3]"}, nil},
		{"one listed twice, one in the text twice", listed(tcp(1), tcp(2), tcp(1)), []ipvs.Entry{row(tcp(2), 2), row(tcp(2), 2), row(tcp(1), 1)},
			[]string{"TCP 192.0.2.1:1 [1]", "TCP 192.0.2.1:2 [2]"}, nil},
		{"each lacks one", listed(tcp(1), tcp(2)), []ipvs.Entry{row(tcp(2), 2), row(tcp(3), 3)},
			[]string{"TCP 192.0.2.1:1 []", "TCP 192.0.2.1:2 [2]"}, []int{0}},
		{"a mark of both families, guessed the same", listed(six, four), []ipvs.Entry{row(four, 6), row(four, 4)},
			[]string{"FWM 7 IPv6 [6]", "FWM 7 [4]"}, nil},
		{"a mark guessed wrong", listed(six), []ipvs.Entry{row(four, 6)}, []string{"FWM 7 IPv6 [6]"}, nil},
		{"a family that only one has", listed(four), []ipvs.Entry{row(six, 6), row(four, 4)}, []string{"FWM 7 []"}, []int{0}},
	} {
		var got []string
		once, missed := merge(test.listed, test.text)
		for _, e := range once {
			weights := []uint32{}
			for _, s := range e.Servers {
				weights = append(weights, s.Weight)
			}
			got = append(got, fmt.Sprint(e, " ", weights))
		}
		if !slices.Equal(got, test.want) || !slices.Equal(missed, test.missed) {
			t.Errorf("%s:\n want %q, missed %v\n got  %q, missed %v", test.name, test.want, test.missed, got, missed)
		}
	}
}
