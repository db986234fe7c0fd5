package plan

import (
	"fmt"
	"strings"
	"testing"

	"lvsdeck/ipvs"
)

// TestBuilders holds what each builder makes: title and steps, in words.
func TestBuilders(t *testing.T) {
	b, running := site(t)
	three, svc := rows(running), running.Services[0]
	edited := svc.Servers[0]
	edited.Upper = 9
	elsewhere := server("10.0.0.7:443", 1)
	edit, err := EditServer(three[0], edited)
	b.ok(err)
	if _, err := EditServer(three[0], elsewhere); err == nil {
		t.Error("a server was moved to another address by an edit")
	}
	if _, err := EditService(svc.Service, ipvs.NewService(ipvs.MarkService(7, ipvs.IPv4))); err == nil {
		t.Error("a service was moved to another address by an edit")
	}
	same, err := EditServer(three[0], svc.Servers[0])
	b.ok(err)
	master, other := ipvs.Daemon{Role: ipvs.Master, Interface: "lo"}, ipvs.Daemon{Role: ipvs.Master, Interface: "eth0"}
	for _, test := range []struct {
		plan  Plan
		title string
		steps string
	}{
		{AddWeight(three, -60), "weigh 3 servers", "weight 100 to 40|weight 100 to 40|drain: weight 50 to 0"},
		{AddWeight(three[:1], ipvs.MaxWeight), "", "weight 100 to 2147483647"},
		{SetWeight(three, 100), "", "weight 50 to 100"},
		{SetWeight(three[:2], 100), "weigh 0 servers", ""},
		{Undrain(three, func(Row) uint32 { return 70 }), "undrain 3 servers", "weight 100 to 70|weight 100 to 70|weight 50 to 70"},
		{same, "edit 0 servers", ""},
		{edit, "", "upper threshold 0 to 9"},
		{AddService(svc), "add TCP 203.0.113.10:443 with 3 servers: wlc", "add TCP 203.0.113.10:443: wlc|add|add|add"},
		{AddServers([]Row{{web, elsewhere}}), "", "DR, weight 1"},
		{RemoveServers(three), "remove 3 servers", "remove|remove|remove"},
		{RemoveServices(running.Services), "", "remove TCP 203.0.113.10:443 with 3 servers"},
		{Zero(), "", "zero all counters"},
		{Zero(web, web), "zero the counters of 2 services", "zero|zero"},
		{Flush(ipvs.Rules{}), "clear the whole table", ""},
		{SetTimeouts(*running.Timeouts, ipvs.Timeouts{TCP: 60}), "set timeouts (s): tcp 900 to 60", "tcp"},
		{StartDaemon(nil, master), "", "start the master sync daemon on lo"},
		{StartDaemon([]ipvs.Daemon{master}, other), "restart the master sync daemon", "on lo|on eth0"},
		{StopDaemon(master), "", "stop the master"},
		{Restore(ipvs.Rules{Daemons: []ipvs.Daemon{master}}, ipvs.Rules{}, true), "restore rules", ""},
		{Restore(ipvs.Rules{Daemons: []ipvs.Daemon{master}}, ipvs.Rules{Daemons: []ipvs.Daemon{other}}, true), "restore rules", "stop|start"},
	} {
		if test.title == "" {
			test.title = test.plan.Items[0].Step.String()
		}
		equal(t, "title", test.title, test.plan.Title)
		want := strings.FieldsFunc(test.steps, func(r rune) bool { return r == '|' })
		if len(want) != len(test.plan.Items) {
			t.Errorf("%s has %d steps, want %d", test.title, len(test.plan.Items), len(want))
			continue
		}
		for i, item := range test.plan.Items {
			for _, part := range strings.Split(want[i], ": ") {
				if !strings.Contains(fmt.Sprint(item.Step), part) {
					t.Errorf("%s: step %d is %q, want %q", test.title, i+1, item.Step, part)
				}
			}
			if !strings.HasSuffix(item.Reason, ".") {
				t.Errorf("%s: step %d has no reason in a sentence: %q", test.title, i+1, item.Reason)
			}
		}
	}
}

func TestReadRowAndService(t *testing.T) {
	b, running := site(t)
	partial := ipvs.Server{Addr: running.Services[0].Servers[0].Addr}
	row, err := ReadRow(ctx, b.table, web, partial)
	b.ok(err)
	equal(t, "row", rows(running)[0], row)
	s, err := ReadService(ctx, b.table, web)
	b.ok(err)
	equal(t, "service", text(ipvs.Rules{Services: running.Services}), text(ipvs.Rules{Services: []ipvs.ServiceRules{s}}))
	if _, err := ReadRow(ctx, b.table, web, server("10.0.0.9:1", 0)); err == nil || !strings.Contains(err.Error(), "10.0.0.9:1 of TCP 203.0.113.10:443") {
		t.Errorf("a server that is not there: %v", err)
	}
	if _, err := ReadService(ctx, b.table, ipvs.MarkService(9, ipvs.IPv4)); err == nil || !strings.Contains(err.Error(), "FWM 9") {
		t.Errorf("a service that is not there: %v", err)
	}
}
