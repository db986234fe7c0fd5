package probe

import (
	"fmt"
	"strings"
	"testing"

	"lvsdeck/lab"
)

func TestNAT(t *testing.T) {
	lab.Require(t)
	for _, v6 := range []bool{false, true} {
		t.Run(fmt.Sprintf("v6=%v", v6), func(t *testing.T) {
			s := newSite(t, lab.NAT, v6)
			router, prefix, nowhere := "10.0.3.254", "/24", "10.0.3.99"
			if v6 {
				router, prefix, nowhere = "2001:db8:3::fe", "/64", "2001:db8:3::99"
			}
			s.Router.Join(s.Lan, "eth2", router+prefix)
			gateway := s.gateway(s.Servers[0])
			back := "rs1 ip route replace default via " + gateway
			const port80 = "rs1 TABLES -A INPUT -p tcp --dport 80 -j "
			const flush = "rs1 TABLES -F INPUT"
			s.breaks([]fault{
				{name: "9 another gateway", do: "rs1 ip route replace default via " + router, undo: back,
					verdict: Fault, cause: OtherGateway, says: "another router"},
				{name: "9 another gateway, and dropped", do: "rs1 ip route replace default via " + router + ";" + port80 + "DROP", undo: back + ";" + flush,
					verdict: Fault, cause: OtherGateway, says: "another router"},
				{name: "9 another gateway, and nothing listens", do: "rs1 ip route replace default via " + router, undo: back, change: port(shiftPort),
					verdict: Fault, cause: NothingListens, says: "its gateway is not this director"},
				{name: "9 a gateway that is not there", do: "rs1 ip route replace default via " + nowhere, undo: back,
					verdict: Fault, cause: NoWayBack, says: "its gateway is not this director, or it has none"},
				{name: "10 no gateway", do: "rs1 ip FAMILY route del default", undo: back, verdict: Fault, cause: NoWayBack},
				{name: "nothing listens", change: port(shiftPort), verdict: Fault, cause: NothingListens},
				{name: "8 dropped", do: port80 + "DROP", undo: flush, verdict: Fault, cause: Dropped},
				{name: "8 rejected", do: port80 + "REJECT", undo: flush, verdict: Fault, cause: Rejected},
				{name: "8 all dropped", do: "rs1 TABLES -A INPUT -d RIP -j DROP", undo: flush, verdict: Fault, cause: ServerSilent},
				unplugged(HopSilent),
				{name: "full NAT needs no gateway", do: "rs1 ip FAMILY route del default", undo: back, change: fullNAT, verdict: Fine, cause: Answers},
				{name: "full NAT, dropped", do: port80 + "DROP", undo: flush, change: fullNAT, verdict: Fault, cause: Dropped},
				{name: "full NAT, rejected", do: port80 + "REJECT", undo: flush, change: fullNAT, verdict: Fault, cause: Rejected},
			})
		})
	}
}

func fullNAT(t *Target) { t.FullNAT = true }

// gateway is where a host's default route leads.
func (s *site) gateway(h *lab.Host) string {
	family := "-4"
	if s.VIP.Is6() {
		family = "-6"
	}
	return strings.Fields(h.Command("ip", family, "route", "show", "default"))[2]
}
