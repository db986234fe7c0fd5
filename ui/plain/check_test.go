package plain

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
	"lvsdeck/ops/check"
	"lvsdeck/ops/plan"
)

func checked() Checked {
	up := plan.Plan{Items: []plan.Item{{Step: plan.Have(netcfg.Up{Link: "eth1"}), Reason: "It is needed."}}}
	return Checked{
		Services: 1, Servers: 2, Unread: []string{"the firewall: no"},
		Findings: []check.Finding{
			{
				Check: "neighbour", Severity: check.Fault, Service: ipvs.AddressService(ipvs.TCP, netip.MustParseAddrPort("203.0.113.10:443")),
				Server: netip.MustParseAddrPort("10.0.0.1:443"), Short: "silent\x1b[31m", Evidence: []string{"FAILED"}, Means: "Time-outs.", Lines: []string{"ip link"},
			},
			{Check: "sync daemon", Severity: check.Warning, Short: "cut off", Evidence: []string{"down"}, Means: "Nothing now.", Fix: &up},
		},
	}
}

func TestChecked(t *testing.T) {
	for want, c := range map[string]Checked{
		"2 services, 9 servers: nothing wrong is seen from here\n": {Services: 2, Servers: 9},
		"probed: 9 servers asked: 9 answer\n2 services, 9 servers: nothing wrong is seen from here\n": {
			Services: 2, Servers: 9, Probed: "9 servers asked: 9 answer",
		},
		`1 services, 2 servers: 1 fault, 1 warning
SEVERITY  SERVICE               SERVER        CHECK        FINDING
fault     TCP/203.0.113.10:443  10.0.0.1:443  neighbour    silent[31m
   FAILED
   means: Time-outs.
   there: ip link
warning   -                     -             sync-daemon  cut off
   down
   means: Nothing now.
   fix: switch on link eth1
        ip link set eth1 up
! not looked at: the firewall: no
1 services, 2 servers: 1 fault, 1 warning
`: checked(),
	} {
		var b strings.Builder
		if err := WriteChecked(&b, c, "table"); err != nil || b.String() != want {
			t.Errorf("got\n%s\nwant\n%s%v", b.String(), want, err)
		}
	}
	var b strings.Builder
	var j jsonChecked
	if err := WriteChecked(&b, checked(), "json"); err != nil || json.Unmarshal([]byte(b.String()), &j) != nil || len(j.Findings) != 2 ||
		j.Findings[0].Server != "10.0.0.1:443" || j.Findings[1].Fix[0].Command == "" || j.Findings[1].Service != "" {
		t.Errorf("%v\n%s", err, b.String())
	}
}
