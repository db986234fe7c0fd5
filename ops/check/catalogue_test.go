package check

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"lvsdeck/lab"
)

var update = flag.Bool("update", false, "write docs/checks.md")

// catalogue are the failures of LVS that are known, by number, and of those that no
// scenario breaks why.
var catalogue = []struct{ failure, instead string }{
	1:  {"a server answers ARP for the VIP", ""},
	2:  {"a server announces the VIP", "Nothing on the director shows it until somebody asks for the VIP: a probe names the server if it answers, as 1."},
	3:  {"another host has the VIP", ""},
	4:  {"the VIP is missing on a server", ""},
	5:  {"the VIP has its network's prefix on a server", ""},
	6:  {"ports differ under DR or TUN", ""},
	7:  {"the service listens at the server's own address only", ""},
	8:  {"a firewall on the server", ""},
	9:  {"a NAT server's gateway is another router", ""},
	10: {"a NAT server has no gateway", ""},
	11: {"clients in the servers' network under NAT", ""},
	12: {"ICMP redirects on one arm", ""},
	13: {"forwarding is off", ""},
	14: {"a DR server behind a router", ""},
	15: {"a DR server's gateway is the director", ""},
	16: {"rp_filter on a server's tunnel device", ""},
	17: {"rp_filter on a server with several links", "Seen by a probe from beyond the segment only, which wants an address of the director's that is routed here: the probes' own tests build it."},
	18: {"a server does not know the tunnel's protocol", "One kernel has its modules for all hosts of the lab: the probes' own tests take them away while nobody else runs."},
	19: {"a server's tunnel device is down", ""},
	20: {"a server's GUE port is not open", ""},
	21: {"somebody drops tunnels' packets", ""},
	22: {"a router drops what comes from the VIP", ""},
	23: {"packets are too big for the tunnel", ""},
	24: {"full NAT without conntrack", ""},
	25: {"conntrack, and packets in state INVALID dropped", ""},
	26: {"conntrack, and MASQUERADE for all", ""},
	27: {"FORWARD drops", ""},
	28: {"INPUT or OUTPUT drops", ""},
	29: {"rules in nft and in legacy iptables", ""},
	30: {"no server, or all of weight 0", ""},
	31: {"servers at their upper threshold", ""},
	32: {"persistence masks a drain", ""},
	33: {"many clients behind one address, and persistence", ""},
	34: {"connections to a server that was removed", ""},
	35: {"conn_reuse_mode", ""},
	36: {"the scheduler's module is missing", "The kernel refuses such a service at once, and adding one says why."},
	37: {"no IPVS in the kernel", "There is no director then: every command says so at once."},
	38: {"the table of connections is small", "Up to Linux 7.0 its size is one for all directors of a kernel, and no lab fills it: held by a plain test. Since 7.1 it grows by itself."},
	39: {"memory", "No figure of the kernel tells what connections take."},
	40: {"conntrack's table is full", "Its size is one for all hosts of a kernel: held by a plain test."},
	41: {"SYN flood", ""},
	42: {"sync daemons that do not hear each other", ""},
	43: {"two directors that balance for each other", ""},
	44: {"another program manages the table", "It is no failure, and told as a notice: healthy directors are tested with a keepalived."},
	45: {"keepalived takes its services away when it stops", "What it will do is told with the notice of 44."},
	46: {"a service of every port without persistence", "The kernel refuses it, and adding one says why."},
	47: {"connections of a table that was cleared", ""},
	48: {"counters stand still", ""},
	49: {"a cloud drops addresses that are not the server's own", "No cloud in the lab. A probe sees silence, as in 4 and 22."},
	50: {"a server's network card puts all tunnels into one queue", "Only the server can see it."},
	51: {"rules saved with names", ""},
	52: {"a server does not answer ARP", ""},
	53: {"a UDP server under DR answers from its own address", "Its answers go past the director."},
	54: {"a router answers ARP for every address", "A probe says that it cannot tell; the probes' own tests build it."},
}

const page = "../../docs/checks.md"

// TestCatalogue: every failure is broken in the lab or it is said why not, and the
// page has what the scenarios hold.
func TestCatalogue(t *testing.T) {
	text, built := document()
	for n, f := range catalogue[1:] {
		if built[n+1] == (f.instead != "") {
			t.Errorf("failure %d, %s: in a scenario %t, and instead %q", n+1, f.failure, built[n+1], f.instead)
		}
	}
	if len(catalogue) != 55 || len(built) < 35 {
		t.Errorf("%d failures, of which %d are built", len(catalogue)-1, len(built))
	}
	if lab.Inside() {
		return // the page is outside
	}
	if *update {
		if err := os.WriteFile(page, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if was, err := os.ReadFile(page); err != nil || string(was) != text {
		t.Errorf("docs/checks.md is not what the scenarios say; go test ./ops/check -run Catalogue -update writes it (%v)", err)
	}
}

// document is the page, and which failures have a scenario.
func document() (string, map[int]bool) {
	built := map[int]bool{}
	var b strings.Builder
	b.WriteString(`# What checks find

The lab breaks healthy directors in these ways, one by one, with clients on them, on a
real kernel. What is named here and no other is found each time; where there is a fix,
clients that were lost are served once it is applied, and are lost again when it is
taken back. This page is written by the tests that do so (ops/check).

The numbers are those of the catalogue below. RS1 and RS2 are the service's servers;
RS is the server that is broken, KEPT the one that has a client's connection.

## Broken, and looked at

No packet is sent for these. "Lost" are scenarios in which clients time out or are refused.

| | broken | mode | clients | found | fix |
|---|---|---|---|---|---|
`)
	for _, s := range scenarios {
		var numbers []string
		for _, n := range s.of {
			built[n] = true
			numbers = append(numbers, fmt.Sprint(n))
		}
		mode := string(s.mode)
		if s.v6 {
			mode += ", IPv6"
		}
		found, fix := said(s.want)
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", strings.Join(numbers, ", "), strings.TrimSuffix(s.name, ", IPv6"), mode, map[bool]string{true: "lost", false: "served"}[s.lost], found, fix)
	}
	b.WriteString(`
## Broken, and probed

All servers of a director are broken at once, each in its way, beside one that is sound,
and asked by one probe each. What to look for on the server is given with each finding.

| | the server | mode | found |
|---|---|---|---|
`)
	for _, g := range servers {
		for _, s := range g.sick {
			built[s.of] = true
			found, _ := said(s.want)
			fmt.Fprintf(&b, "| %d | %s | %s | %s |\n", s.of, s.name, g.mode, found)
		}
	}
	b.WriteString(`
## Healthy

NAT, DR and TUN with IPv4 and IPv6, idle and with connections; and 1,000 services of 10
servers, with a keepalived that runs: nothing above a notice is found.

## The catalogue

Failures of which there is no scenario above have the reason instead.

| | failure | |
|---|---|---|
`)
	for n, f := range catalogue {
		if n > 0 {
			where := f.instead
			if built[n] {
				where = "see above"
			}
			fmt.Fprintf(&b, "| %d | %s | %s |\n", n, f.failure, where)
		}
	}
	return b.String(), built
}

// said is what a scenario wants, for a table.
func said(want string) (found, fix string) {
	if strings.Contains(want, " fix") {
		fix = "yes"
	}
	found = strings.ReplaceAll(strings.ReplaceAll(want, " fix", ""), " -", "")
	if found == "" {
		found = "nothing"
	}
	return found, fix
}
