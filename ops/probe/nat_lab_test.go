package probe

import (
	"fmt"
	"testing"

	"lvsdeck/lab"
)

func TestNAT(t *testing.T) {
	lab.Require(t)
	for _, v6 := range []bool{false, true} {
		t.Run(fmt.Sprintf("v6=%v", v6), func(t *testing.T) {
			router, prefix, nowhere := "10.0.3.254", "/24", "10.0.3.99"
			if v6 {
				router, prefix, nowhere = "2001:db8:3::fe", "/64", "2001:db8:3::99"
			}
			const port80 = "rs TABLES -A INPUT -p tcp --dport 80 -j "
			const none = "rs ip FAMILY route del default;"
			via := func(gateway string) string { return "rs ip route replace default via " + gateway + ";" }
			faults := []fault{
				{name: "9 another gateway", do: via(router), verdict: Fault, cause: OtherGateway, says: "another router"},
				{name: "9 another gateway, and dropped", do: via(router) + port80 + "DROP", verdict: Fault, cause: OtherGateway, says: "another router"},
				{name: "9 another gateway, and nothing listens", do: via(router), change: port(shiftPort, shiftPort),
					verdict: Fault, cause: NothingListens, says: "its gateway is not this director"},
				{name: "9 a gateway that is not there", do: via(nowhere), verdict: Fault, cause: NoWayBack, says: "its gateway is not this director, or it has none"},
				{name: "another gateway, but for the service", do: "rs ip FAMILY route add default via GATEWAY table 100; rs ip FAMILY rule add from RIP ipproto tcp sport 80 lookup 100;" + via(router),
					verdict: Fine, cause: Answers},
				{name: "10 no gateway", do: none, verdict: Fault, cause: NoWayBack},
				{name: "nothing listens", change: port(shiftPort, shiftPort), verdict: Fault, cause: NothingListens},
				{name: "8 dropped", do: port80 + "DROP", verdict: Fault, cause: Dropped},
				{name: "8 rejected", do: port80 + "REJECT", verdict: Fault, cause: Rejected},
				{name: "8 all dropped", do: "rs TABLES -A INPUT -d RIP -j DROP", verdict: Fault, cause: ServerSilent},
				unplugged(HopSilent),
				{name: "other ports", make: listening(false, ownPort), change: port(lab.HTTPPort, ownPort), verdict: Fine, cause: Answers},
				{name: "full NAT needs no gateway", do: none, change: fullNAT, verdict: Fine, cause: Answers},
				{name: "full NAT, dropped", do: port80 + "DROP", change: fullNAT, verdict: Fault, cause: Dropped},
				{name: "full NAT, rejected", do: port80 + "REJECT", change: fullNAT, verdict: Fault, cause: Rejected},
			}
			s := newSite(t, lab.NAT, len(faults)+sound, v6)
			s.Router.Join(s.Lan, "eth2", router+prefix)
			s.breaks(faults, Options{})
			s.served(len(faults))
		})
	}
}

func fullNAT(t *Target) { t.FullNAT = true }
