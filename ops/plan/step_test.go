package plan

import (
	"encoding/json"
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/memory"
)

// stepTest is a step in words and as a command, and its undo in words.
type stepTest struct {
	step                Step
	words, command      string
	undone, undoCommand string
	counts              Counts
}

func stepTests() []stepTest {
	drained := server("10.0.0.1:443", 100)
	at := func(weight uint32) *ipvs.Server {
		s := drained
		s.Weight = weight
		return &s
	}
	nat := drained
	nat.Forward, nat.Upper, nat.Lower = ipvs.Masq, 200, 150
	gue := ipvs.Server{
		Addr: netip.MustParseAddrPort("[2001:db8::5]:443"), Forward: ipvs.TunnelFwd, Weight: 5,
		Tunnel: ipvs.Tunnel{Type: ipvs.GUE, Port: 6080, Flags: ipvs.TunnelRemoteChecksum},
	}
	sip := ipvs.NewService(ipvs.AddressService(ipvs.UDP, netip.MustParseAddrPort("192.0.2.10:5060")))
	sip.Scheduler, sip.OnePacket = "rr", true
	sip.Persistence = ipvs.Persistence{On: true, Timeout: 300, Mask: 0xffffff00, Engine: "sip"}
	mark := ipvs.NewService(ipvs.MarkService(7, ipvs.IPv6))
	mark.Scheduler, mark.SchedFlags = "sh", ipvs.SchedFlag1|ipvs.SchedFlag2
	plain := ipvs.NewService(web)
	persistent := plain
	persistent.Persistence.On, persistent.Persistence.Timeout = true, 360
	sctp := ipvs.AddressService(ipvs.SCTP, netip.MustParseAddrPort("[2001:db8::80]:3868"))
	master := &ipvs.Daemon{Role: ipvs.Master, Interface: "eth0", SyncID: 3}
	backup := &ipvs.Daemon{
		Role: ipvs.Backup, Interface: "eth1", MaxLen: 1400, Group: netip.MustParseAddr("224.0.0.82"), Port: 9000, TTL: 2,
	}
	const e = "ipvsadm -e -t 203.0.113.10:443 -r 10.0.0.1:443 "
	return append(append(settingTests(), fileTests()...), []stepTest{
		{
			ChangeServer{web, at(100), at(0)},
			"drain 10.0.0.1:443 of TCP 203.0.113.10:443: weight 100 to 0", e + "-g -w 0 -x 0 -y 0",
			"undrain 10.0.0.1:443 of TCP 203.0.113.10:443: weight 0 to 100", e + "-g -w 100 -x 0 -y 0",
			Counts{Change: 1},
		},
		{
			ChangeServer{web, at(100), at(50)},
			"weigh 10.0.0.1:443 of TCP 203.0.113.10:443: weight 100 to 50", e + "-g -w 50 -x 0 -y 0",
			"weigh 10.0.0.1:443 of TCP 203.0.113.10:443: weight 50 to 100", e + "-g -w 100 -x 0 -y 0",
			Counts{Change: 1},
		},
		{
			ChangeServer{web, at(100), &nat},
			"edit 10.0.0.1:443 of TCP 203.0.113.10:443: forwarding DR to NAT, upper threshold 0 to 200, lower threshold 0 to 150",
			e + "-m -w 100 -x 200 -y 150",
			"edit 10.0.0.1:443 of TCP 203.0.113.10:443: forwarding NAT to DR, upper threshold 200 to 0, lower threshold 150 to 0",
			e + "-g -w 100 -x 0 -y 0",
			Counts{Change: 1},
		},
		{
			ChangeServer{sctp, nil, &gue},
			"add [2001:db8::5]:443 of SCTP [2001:db8::80]:3868: TUN, weight 5, gue port 6080 remcsum",
			"ipvsadm -a --sctp-service [2001:db8::80]:3868 -r [2001:db8::5]:443 -i -w 5 --tun-type gue --tun-port 6080 --tun-remcsum",
			"remove [2001:db8::5]:443 of SCTP [2001:db8::80]:3868",
			"ipvsadm -d --sctp-service [2001:db8::80]:3868 -r [2001:db8::5]:443",
			Counts{Add: 1},
		},
		{
			ChangeService{nil, &sip, nil},
			"add UDP 192.0.2.10:5060: rr, persistence 300 s mask 255.255.255.0 engine sip, one-packet",
			"ipvsadm -A -u 192.0.2.10:5060 -s rr -p 300 -M 255.255.255.0 --pe sip -o",
			"remove UDP 192.0.2.10:5060", "ipvsadm -D -u 192.0.2.10:5060",
			Counts{Add: 1},
		},
		{
			ChangeService{&mark, nil, []ipvs.Server{drained, nat}},
			"remove FWM 7 IPv6 with 2 servers", "ipvsadm -D -f 7 -6",
			"add FWM 7 IPv6 with 2 servers: sh, sh-fallback,sh-port",
			"ipvsadm -A -f 7 -6 -s sh -b sh-fallback,sh-port\n" +
				"ipvsadm -a -f 7 -6 -r 10.0.0.1:443 -g -w 100\n" +
				"ipvsadm -a -f 7 -6 -r 10.0.0.1:443 -m -w 100 -x 200 -y 150",
			Counts{Remove: 3},
		},
		{
			ChangeService{&persistent, &plain, nil},
			"edit TCP 203.0.113.10:443: persistence 360 s to off", "ipvsadm -E -t 203.0.113.10:443 -s wlc",
			"edit TCP 203.0.113.10:443: persistence off to 360 s", "ipvsadm -E -t 203.0.113.10:443 -s wlc -p 360",
			Counts{Change: 1},
		},
		{
			FlushTable{Services: []ipvs.ServiceRules{{Service: plain, Servers: []ipvs.Server{drained}}}},
			"clear the whole table: 1 service with 1 server", "ipvsadm -C",
			"bring back the whole table: 1 service with 1 server",
			"ipvsadm -A -t 203.0.113.10:443 -s wlc\nipvsadm -a -t 203.0.113.10:443 -r 10.0.0.1:443 -g -w 100",
			Counts{Remove: 2},
		},
		{
			ChangeTimeouts{ipvs.Timeouts{TCP: 900, TCPFin: 120, UDP: 300}, ipvs.Timeouts{TCP: 60, TCPFin: 120, UDP: 30}},
			"set timeouts (s): tcp 900 to 60, udp 300 to 30", "ipvsadm --set 60 120 30",
			"set timeouts (s): tcp 60 to 900, udp 30 to 300", "ipvsadm --set 900 120 300",
			Counts{Change: 1},
		},
		{
			ChangeDaemon{nil, master},
			"start the master sync daemon on eth0, sync id 3",
			"ipvsadm --start-daemon master --mcast-interface eth0 --syncid 3",
			"stop the master sync daemon on eth0, sync id 3", "ipvsadm --stop-daemon master --syncid 3",
			Counts{Add: 1},
		},
		{
			ChangeDaemon{backup, nil},
			"stop the backup sync daemon on eth1, sync id 0", "ipvsadm --stop-daemon backup --syncid 0",
			"start the backup sync daemon on eth1, sync id 0",
			"ipvsadm --start-daemon backup --mcast-interface eth1 --syncid 0 --sync-maxlen 1400 --mcast-group 224.0.0.82 --mcast-port 9000 --mcast-ttl 2",
			Counts{Remove: 1},
		},
		{
			ChangeSysctl{Name: "sync_threshold", Before: "3 50", After: "5 0"},
			"set net.ipv4.vs.sync_threshold: 3 50 to 5 0", "sysctl -w net.ipv4.vs.sync_threshold='5 0'",
			"set net.ipv4.vs.sync_threshold: 5 0 to 3 50", "sysctl -w net.ipv4.vs.sync_threshold='3 50'",
			Counts{Change: 1},
		},
		{
			ChangeSysctl{Name: "net/ipv4/conf/eth0.7/rp_filter", Before: "1", After: "2"},
			"set net/ipv4/conf/eth0.7/rp_filter: 1 to 2", "sysctl -w net/ipv4/conf/eth0.7/rp_filter=2",
			"set net/ipv4/conf/eth0.7/rp_filter: 2 to 1", "sysctl -w net/ipv4/conf/eth0.7/rp_filter=1",
			Counts{Change: 1},
		},
		{
			ChangeSysctl{Name: forward, Before: "0", After: "1", Along: map[string]string{eth1: "1", "net/ipv4/conf/all/accept_redirects": "0"}},
			"set net.ipv4.ip_forward: 0 to 1", "sysctl -w net.ipv4.ip_forward=1",
			"set net.ipv4.ip_forward: 1 to 0, and what changed along with it (2) to what it was",
			"sysctl -w net.ipv4.ip_forward=0\nsysctl -w net.ipv4.conf.all.accept_redirects=0\nsysctl -w net.ipv4.conf.eth1.forwarding=1",
			Counts{Change: 1},
		},
		{
			ZeroCounters{&web},
			"zero the counters of TCP 203.0.113.10:443, which cannot be taken back", "ipvsadm -Z -t 203.0.113.10:443",
			"", "", Counts{},
		},
		{ZeroCounters{}, "zero all counters, which cannot be taken back", "ipvsadm -Z", "", "", Counts{}},
	}...)
}

func TestSteps(t *testing.T) {
	for _, test := range stepTests() {
		equal(t, "words", test.words, test.step.String())
		equal(t, "command", test.command, test.step.Command())
		equal(t, "counts of "+test.words, test.counts, test.step.Counts())
		undo := test.step.Undo()
		if undo == nil {
			equal(t, "undo of "+test.words, test.undone, "")
			continue
		}
		equal(t, "words of undo", test.undone, undo.String())
		equal(t, "command of undo", test.undoCommand, undo.Command())
		if c := undo.Counts(); c.Add != test.counts.Remove || c.Remove != test.counts.Add || c.Change != test.counts.Change {
			t.Errorf("undo of %q counts %+v", test.words, c)
		}
		if again := undo.Undo(); !reflect.DeepEqual(again, test.step) {
			t.Errorf("undo of undo should be the step:\n want %+v\n got  %+v", test.step, again)
		}
		equal(t, "row of undo", test.step.Row(), undo.Row())
	}
}

func equal[T comparable](t *testing.T, what string, want, got T) {
	t.Helper()
	if want != got {
		t.Errorf("%s:\n want %v\n got  %v", what, want, got)
	}
}

func TestStepsInJSON(t *testing.T) {
	seen := map[string]bool{}
	for _, test := range stepTests() {
		want := Item{test.step, "A reason.", "rs1"}
		text := journalled(t, want)
		var got []Item
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual([]Item{want}, got) {
			t.Errorf("through JSON:\n want %+v\n got  %+v\n text %s", want, got, text)
		}
		seen[names[reflect.TypeOf(test.step)]] = true
	}
	for kind := range kinds {
		if !seen[kind] {
			t.Errorf("no test has a step of kind %q", kind)
		}
	}
}

// journalled is steps as the journal has them.
func journalled(t *testing.T, items ...Item) string {
	t.Helper()
	text, err := Written(items)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestJournalStaysReadable holds the form in which steps were written once:
// the journal of an older program must still be undone.
func TestJournalStaysReadable(t *testing.T) {
	const line = `[{"kind":"server","step":{"Service":{"Family":2,"Protocol":6,"Addr":"203.0.113.10","Port":443,"Mark":0},` +
		`"Before":{"Addr":"10.0.0.1:443","Forward":3,"Weight":100,"Upper":0,"Lower":0,"Tunnel":{"Type":0,"Port":0,"Flags":0}},` +
		`"After":{"Addr":"10.0.0.1:443","Forward":3,"Weight":0,"Upper":0,"Lower":0,"Tunnel":{"Type":0,"Port":0,"Flags":0}}},"reason":"Why."}]`
	var items []Item
	if err := json.Unmarshal([]byte(line), &items); err != nil {
		t.Fatal(err)
	}
	equal(t, "the step", "drain 10.0.0.1:443 of TCP 203.0.113.10:443: weight 100 to 0", items[0].Step.String())
	equal(t, "the form", line, journalled(t, items...))
	if err := json.Unmarshal([]byte(`{"kind":"vip","step":{}}`), new(Item)); err == nil || !strings.Contains(err.Error(), `"vip"`) {
		t.Errorf("a step of an unknown kind: %v", err)
	}
}

// TestStepsRefuseWhatMoved changes each row behind the step's back.
func TestStepsRefuseWhatMoved(t *testing.T) {
	b, running := site(t)
	svc, timeouts := running.Services[0], *running.Timeouts
	one, other := svc.Servers[0], svc.Servers[0]
	other.Weight, other.Forward = 7, ipvs.Masq
	rr := svc.Service
	rr.Scheduler = "rr"
	lo, eth0 := ipvs.Daemon{Role: ipvs.Master, Interface: "lo"}, ipvs.Daemon{Role: ipvs.Master, Interface: "eth0"}
	sh := svc.Service
	sh.Scheduler = "sh"
	new4 := server("10.0.0.4:443", 1)
	new4other := new4
	new4other.Weight = 2
	const look = "; look again, then decide"
	const row = "10.0.0.1:443 of TCP 203.0.113.10:443: "
	for _, test := range []struct {
		step Step
		move func() error
		want string
	}{
		{
			Drain(rows(running)).Items[0].Step, func() error { return b.table.SetServer(ctx, web, other) },
			row + "forwarding was DR when you looked, is NAT now, weight was 100 when you looked, is 7 now",
		},
		{
			ChangeServer{web, &one, nil}, func() error { return b.table.SetServer(ctx, web, other) },
			row + "forwarding was DR when you looked, is NAT now, weight was 100 when you looked, is 7 now",
		},
		{
			Drain(rows(running)).Items[0].Step, func() error { return b.table.DeleteServer(ctx, web, one) },
			row + "it was there when you looked, and is gone now",
		},
		{
			Drain(rows(running)).Items[0].Step, func() error { return b.table.DeleteService(ctx, web) },
			row + "it was there when you looked, and is gone now",
		},
		{
			ChangeServer{web, nil, &new4}, func() error { return b.table.AddServer(ctx, web, new4other) },
			"10.0.0.4:443 of TCP 203.0.113.10:443: it was not there when you looked, and is there now",
		},
		{
			ChangeService{&svc.Service, &rr, nil}, func() error { return b.table.SetService(ctx, sh) },
			"TCP 203.0.113.10:443: scheduler was wlc when you looked, is sh now",
		},
		{
			ChangeService{nil, &rr, nil}, func() error { return nil },
			"TCP 203.0.113.10:443: it was not there when you looked, and is there now",
		},
		{
			ChangeService{&svc.Service, nil, svc.Servers}, func() error { return b.table.DeleteServer(ctx, web, one) },
			"TCP 203.0.113.10:443: 10.0.0.1:443 was there when you looked, is gone now",
		},
		{
			ChangeService{&svc.Service, nil, svc.Servers}, func() error { return b.table.AddServer(ctx, web, new4) },
			"TCP 203.0.113.10:443: 10.0.0.4:443 is new since you looked",
		},
		{
			FlushTable{Services: running.Services}, func() error { return b.table.SetServer(ctx, web, other) },
			"the table: 10.0.0.1:443 forwarding of TCP 203.0.113.10:443 was DR when you looked, is NAT now, " +
				"10.0.0.1:443 weight of TCP 203.0.113.10:443 was 100 when you looked, is 7 now",
		},
		{
			SetTimeouts(timeouts, ipvs.Timeouts{TCP: 60}).Items[0].Step,
			func() error { return b.table.SetTimeouts(ctx, ipvs.Timeouts{UDP: 10}) },
			"the timeouts: udp was 300 when you looked, is 10 now",
		},
		{
			ChangeDaemon{&lo, nil}, func() error { return b.table.StartDaemon(ctx, eth0) },
			"the master sync daemon: interface was lo when you looked, is eth0 now, message length was 0 when you looked, is 1472 now",
		},
	} {
		b.table = memory.New()
		b.restart(nil)
		b.fill(running)
		b.ok(test.move())
		before := b.rules()
		err := test.step.Do(ctx, b.Target)
		if !errors.Is(err, ErrMoved) || err.Error() != test.want+look {
			t.Errorf("%s, after the row moved:\n want %s\n got  %v", test.step, test.want+look, err)
		}
		b.holds(test.step.String()+" was refused", before)
	}
}

// TestStepsDo tries each kind forward and back, and twice.
func TestStepsDo(t *testing.T) {
	for _, p := range allPlans(t) {
		b := newBench(t, memory.New())
		b.fill(p.running)
		before := b.rules()
		for _, i := range p.Items {
			b.step(i.Step)
		}
		b.holds(p.Title, p.wanted)
		for _, i := range back(p.Plan).Items {
			b.step(i.Step)
		}
		b.holds(p.Title+" undone", before)
	}
}

func (b *bench) step(s Step) {
	b.Helper()
	if done, err := s.Done(ctx, b.Target); err != nil || done {
		b.Fatalf("%s is done before it is done (%v)", s, err)
	}
	b.ok(s.Do(ctx, b.Target))
	if done, err := s.Done(ctx, b.Target); err != nil || !done {
		b.Fatalf("%s is done and says no (%v)", s, err)
	}
	after := b.rules()
	if err := s.Do(ctx, b.Target); err != ErrAlready {
		b.Fatalf("%s, done twice: %v", s, err)
	}
	b.holds(s.String()+" twice", after)
}
