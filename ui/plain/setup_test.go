package plain

import (
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/check"
	"lvsdeck/netcfg"
	"lvsdeck/ops/plan"
	"lvsdeck/ops/probe"
	"lvsdeck/ops/setup"
)

var webAt = netip.MustParseAddrPort("203.0.113.10:80")

// oneSetUp is a change with a step done, one that failed, and words from outside.
func oneSetUp() Change {
	web := ipvs.NewService(ipvs.AddressService(ipvs.TCP, webAt))
	return Change{
		Title:    "set up TCP 203.0.113.10:80: DR",
		Warnings: []string{"keepalived\x1b[2J manages this table."},
		Hosts: []Host{
			{Steps: StepsOf([]plan.Item{
				{Step: plan.Have(netcfg.Module{Name: "ip_vs"}), Reason: "It is the balancer itself."},
				{Step: plan.ChangeService{After: &web}, Reason: "The director takes connections to it."},
			}, []plan.StepResult{{State: plan.Already}, {State: plan.Failed, Err: errors.New("refused\nhere")}})},
			{Name: "10.0.3.11", How: "lvsdeck realserver dr", Steps: []Step{{Text: "arp_ignore = 1", Reason: "It is silent."}}},
		},
	}
}

func TestWriteChange(t *testing.T) {
	var b strings.Builder
	if err := WriteChange(&b, oneSetUp()); err != nil {
		t.Fatal(err)
	}
	const want = `set up TCP 203.0.113.10:80: DR
! keepalived[2J manages this table.

this director: 2 steps: 1 already so, 1 failed
1  already so: load module ip_vs
   # It is the balancer itself.
   modprobe ip_vs
2  failed: add TCP 203.0.113.10:80: wlc
   # The director takes connections to it.
   ipvsadm -A -t 203.0.113.10:80 -s wlc
   ! refused here

server 10.0.3.11: 1 step
   there: lvsdeck realserver dr
1  arp_ignore = 1
   # It is silent.
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &b, want)
	}
}

func TestProof(t *testing.T) {
	at := func(a string) probe.Target {
		return probe.Target{VIP: webAt, Protocol: ipvs.TCP, Server: ipvs.Server{Addr: netip.MustParseAddrPort(a), Forward: ipvs.Direct}}
	}
	results := setup.Proof{VIP: probe.Finding{Verdict: probe.Fine, Cause: probe.Alone, Short: "nobody else answers for it"}, Servers: []probe.Result{
		{Target: at("10.0.3.11:80"), Finding: probe.Finding{Verdict: probe.Fine, Cause: probe.Answers, Short: "answers", Evidence: []string{"SYN"}}},
		{Target: at("10.0.3.12:80"), Finding: probe.Finding{
			Verdict: probe.Fault, Cause: probe.VIPMissing, Short: "the VIP is missing", Evidence: []string{"SYN: no answer"}, Next: []string{"ip addr show"},
		}},
		{Target: at("10.0.3.13:80"), Finding: probe.Finding{Cause: probe.Unanswered, Short: "nothing is tried for SCTP"}},
	}}
	var b strings.Builder
	if err := Proof(&b, webAt.Addr(), results); err != nil {
		t.Fatal(err)
	}
	const want = `203.0.113.10: fine: nobody else answers for it
10.0.3.11:80: fine: answers
10.0.3.12:80: fault: the VIP is missing
   SYN: no answer
   there: ip addr show
10.0.3.13:80: unknown: nothing is tried for SCTP
not proven: 2 of 3 servers
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &b, want)
	}

	b.Reset()
	report := Report{
		Change: oneSetUp(), Services: []ipvs.ServiceID{ipvs.AddressService(ipvs.TCP, webAt)},
		Result: plan.Result{ID: "7", Outcome: plan.WentBack}, Confirm: 2 * time.Minute, Proof: &results,
		Err: setup.Refusals{{Problem: check.Problem{Field: "VIP", Value: "203.0.113.10", Rule: "must be free"}, Do: "choose another"}},
	}
	if err := WriteReport(&b, report); err != nil {
		t.Fatal(err)
	}
	var j map[string]any
	if err := json.Unmarshal([]byte(b.String()), &j); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]any{
		"outcome": "taken back", "plan": "7", "confirm_within_seconds": 120.0, "error": "VIP 203.0.113.10: must be free; choose another",
	} {
		if j[key] != want {
			t.Errorf("%s is %v, not %v", key, j[key], want)
		}
	}
	for _, want := range []string{`"field": "VIP"`, `"verdict": "fault"`, `"host": "10.0.3.11"`, `"state": "failed"`, `"TCP 203.0.113.10:80"`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("lacks %s:\n%s", want, &b)
		}
	}
}
