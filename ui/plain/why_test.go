package plain

import (
	"encoding/json"
	"strings"
	"testing"

	"lvsdeck/ops/check"
	"lvsdeck/ops/why"
)

func TestWhy(t *testing.T) {
	found := checked().Findings
	v := why.Verdict{
		At: check.Place{Service: found[0].Service, Server: found[0].Server}, Findings: found, Relief: found[1].Fix, Unread: []string{"the firewall: no"},
		Answers: []why.Answer{
			{Topic: "traffic", Question: "Do packets come?", Mark: why.Fine, Says: "3 packets/s\x1b[2J", Evidence: []string{"eth0 is up"}},
			{Topic: "one or all", Question: "One?", Mark: why.NotHere, Says: "it has one server"},
		},
		Captures: []why.Capture{{Where: "a client", Args: []string{"tcpdump", "-ni", "any", "host 10.0.0.1"}, Expect: "Packets."}},
	}
	v.Relief.Title = "drain it"
	var b strings.Builder
	if err := WriteWhy(&b, v, "table", 0); err != nil {
		t.Fatal(err)
	}
	const want = `This is why:
fault  TCP 203.0.113.10:443  10.0.0.1:443  silent[31m
warning  -  -  cut off
relief  until it is mended: drain it

fine       traffic     3 packets/s[2J
   eth0 is up
not here   one or all  it has one server

This is why:
fault  TCP 203.0.113.10:443  10.0.0.1:443  silent[31m
   FAILED
   means: Time-outs.
   there: ip link
warning  -  -  cut off
   down
   means: Nothing now.
   fix: switch on link eth1
        ip link set eth1 up
relief  until it is mended: drain it
   ip link set eth1 up
capture on a client  Packets.
   tcpdump -ni any 'host 10.0.0.1'
! not looked at: the firewall: no
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
	b.Reset()
	var j jsonWhy
	if err := WriteWhy(&b, v, "json", 0); err != nil || json.Unmarshal([]byte(b.String()), &j) != nil || j.Server != "10.0.0.1:443" ||
		len(j.Findings) != 2 || j.Answers[1].Mark != "not here" || j.Captures[0].Arguments[3] != "host 10.0.0.1" || j.Relief[0].Command == "" {
		t.Errorf("%v\n%s", err, b.String())
	}
	b.Reset()
	if err := WriteWhy(&b, why.Verdict{At: check.Place{Service: found[0].Service}, Next: []string{"Look."}}, "table", 0); err != nil ||
		!strings.HasSuffix(b.String(), "Nothing that explains it is seen from here. Look next:\nnext  Look.\n") {
		t.Errorf("%v\n%s", err, b.String())
	}
}
