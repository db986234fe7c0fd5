package proc

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"lvsdeck/ipvs"
)

// testdata/ip_vs is a 6.1 kernel's text after ipvsadm set services of all kinds.
func TestParseTable(t *testing.T) {
	table, err := ParseTable(read(t, "ip_vs"), 250)
	if err != nil {
		t.Fatal(err)
	}
	if table.Version != 0x010201 || table.Size != 4096 {
		t.Errorf("want version 1.2.1 and size 4096, got %v and %d", table.Version, table.Size)
	}
	var got []string
	for _, e := range table.Services {
		p := e.Persistence
		got = append(got, fmt.Sprintf("%s %s ops=%v p=%v %d %s", e, e.Scheduler, e.OnePacket, p.On, p.Timeout, p.Mask.Text(e.Family)))
		for _, s := range e.Servers {
			got = append(got, fmt.Sprintf("-> %s %s %d %d %d", s.Addr, s.Forward, s.Weight, s.Active, s.Inactive))
		}
		if !e.Partial || len(e.Servers) > 0 && !e.Servers[0].Partial {
			t.Errorf("%s or its servers are not Partial", e)
		}
	}
	compare(t, got, []string{
		"TCP 127.0.0.1:9 rr ops=false p=false 0 255.255.255.255",
		"-> 127.0.0.1:9 NAT 1 0 1",
		"UDP 192.0.2.10:53 rr ops=true p=false 0 255.255.255.255",
		"TCP 192.0.2.9:80 mh ops=false p=false 0 255.255.255.255",
		"-> 192.168.100.101:8080 NAT 0 0 0",
		"TCP [2001:db8::80]:80 rr ops=false p=true 50 64",
		"-> [2001:db8::a0a0]:8080 NAT 100 0 0",
		"SCTP 192.0.2.9:3868 wrr ops=false p=false 0 255.255.255.255",
		"TCP 192.0.2.10:443 wlc ops=false p=true 360 255.255.255.0",
		"-> [2001:db8::5]:443 TUN 65535 0 0",
		"-> 10.0.0.3:443 TUN 5 0 0",
		"-> 10.0.0.2:443 DR 1 0 0",
		"UDP 192.0.2.10:5060 rr ops=true p=true 2678400 255.255.255.255",
		"FWM 1 rr ops=true p=false 0 255.255.255.255",
		"-> 10.0.0.1:0 NAT 1 0 0",
		"FWM 7 IPv6 sh ops=false p=true 50 128",
		"FWM 7 sh ops=false p=false 0 255.255.255.255",
		"FWM 4294967295 IPv6 nq ops=false p=false 0 128",
		"-> [2001:db8::a0a0]:8080 NAT 100 0 0",
	})
}

const header = "IP Virtual Server version 1.2.1 (size=4096)\nProt …\n  -> …\n"

func TestParseTableRareWords(t *testing.T) {
	table, err := ParseTable([]byte(header+
		"IP_47  0A000001:0000 none persistent -1616567296 FFFFFFFF\n"+ // 31 days of 1000 Hz
		"ICMPv6  [2001:0db8:0000:0000:0000:0000:0000:0001]:0000 rr something new\n"+
		"  -> 0A000001:0000      Local   -1     4294967295 -2147483648 and more\n"), 1000)
	if err != nil {
		t.Fatal(err)
	}
	first, second := table.Services[0], table.Services[1]
	if first.Protocol != 47 || first.Scheduler != "none" || first.Persistence.Timeout != 2678400 {
		t.Errorf("got %+v", first)
	}
	s := second.Servers[0]
	if second.Protocol != 58 || s.Forward != ipvs.LocalNode || s.Weight != 1<<32-1 || s.Active != 1<<32-1 || s.Inactive != 1<<31 {
		t.Errorf("got %+v", second)
	}
}

func TestParseTableErrors(t *testing.T) {
	service := "TCP  0A000001:0050 rr \n"
	for text, want := range map[string]string{
		"":                    `/proc/net/ip_vs line 0: expected the IPVS version and table size, found ""`,
		"IP Virtual Server\n": `/proc/net/ip_vs line 1: expected the IPVS version and table size, found "IP Virtual Server"`,
		strings.ReplaceAll(header, "1.2.1", "1.2.x"):                  `/proc/net/ip_vs line 1: expected the IPVS version, found "1.2.x"`,
		header + "  -> 0A000001:0050 Masq 1 0 0\n":                    `/proc/net/ip_vs line 4: expected a service before its servers, found "  -> 0A000001:0050 Masq 1 0 0"`,
		header + "XXX  0A000001:0050 rr\n":                            `/proc/net/ip_vs line 4: expected a protocol or FWM, found "XXX"`,
		header + "TCP  0A00001:0050 rr\n":                             `/proc/net/ip_vs line 4: expected a service's address and port in hexadecimal, found "0A00001:0050"`,
		header + "TCP  0A00000x:0050 rr\n":                            `/proc/net/ip_vs line 4: expected a service's address and port in hexadecimal, found "0A00000x:0050"`,
		header + "FWM  00000000 rr\n":                                 `/proc/net/ip_vs line 4: expected a firewall mark above 0, found "FWM"`,
		header + "FWM  100000000 rr\n":                                `/proc/net/ip_vs line 4: expected a firewall mark in hexadecimal, found "100000000"`,
		header + "TCP  0A000001:0050\n":                               `/proc/net/ip_vs line 4: expected a scheduler, found ""`,
		header + "TCP  0A000001:0050 rr persistent\n":                 `/proc/net/ip_vs line 4: expected a persistence timeout in jiffies, found ""`,
		header + service + "  -> 0A000001:0050 Masq 1 0\n":            `/proc/net/ip_vs line 5: expected inactive connections, found ""`,
		header + service + "  -> 0A000001:0050 Masq 4294967296 0 0\n": `/proc/net/ip_vs line 5: expected a weight, found "4294967296"`,
		header + service + "  -> 0A000001:0050 Magic 1 0 0\n":         `/proc/net/ip_vs line 5: expected a forwarding method, found "Magic"`,
	} {
		_, err := ParseTable([]byte(text), 250)
		if err == nil || err.Error() != want {
			t.Errorf("%q:\n want %s\n got  %v", text, want, err)
		}
	}
}

func TestDistinct(t *testing.T) {
	web := ipvs.Entry{ServiceState: ipvs.ServiceState{Service: ipvs.NewService(ipvs.ServiceID{Family: ipvs.IPv4, Protocol: ipvs.TCP, Port: 80})}}
	mark := ipvs.Entry{ServiceState: ipvs.ServiceState{Service: ipvs.NewService(ipvs.MarkService(7, ipvs.IPv4))}}
	var got []string
	for _, e := range distinct([]ipvs.Entry{web, mark, web, mark, mark}) {
		got = append(got, e.String()+" mask "+e.Persistence.Mask.Text(e.Family))
	}
	compare(t, got, []string{"TCP invalid AddrPort mask 255.255.255.255", "FWM 7 mask 255.255.255.255", "FWM 7 IPv6 mask 128"})
}

func FuzzParseTable(f *testing.F) {
	f.Add(read(f, "ip_vs"), uint32(250))
	f.Add([]byte(header+"FWM  00000007 rr persistent -1 80000000\n"), uint32(0))
	f.Fuzz(func(t *testing.T, text []byte, hz uint32) {
		table, err := ParseTable(text, hz)
		if err != nil {
			checkError(t, "ip_vs", err)
			return
		}
		rows := len(table.Services)
		for _, e := range table.Services {
			rows += len(e.Servers)
			if e.Servers == nil || !e.IsMark() && !e.Addr.IsValid() || e.Scheduler == "" {
				t.Errorf("half a service: %+v", e)
			}
		}
		if lines := 1 + strings.Count(string(text), "\n"); rows > lines {
			t.Errorf("%d rows from %d lines", rows, lines)
		}
	})
}

func BenchmarkParseTable(b *testing.B) {
	const services, servers = 1000, 10
	var text strings.Builder
	text.WriteString(header)
	for i := range services {
		fmt.Fprintf(&text, "TCP  CB0071%02X:%04X wlc \n", i%256, i/256)
		for n := range servers {
			fmt.Fprintf(&text, "  -> 0A%06X:%04X      Route   %-6d %-10d %-10d\n", n, i, n, i, n*i)
		}
	}
	all := []byte(text.String())
	b.SetBytes(int64(len(all)))
	b.ReportAllocs()
	for b.Loop() {
		if t, err := ParseTable(all, 250); err != nil || len(t.Services) != services {
			b.Fatal(len(t.Services), err)
		}
	}
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func compare(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("want\n%s\ngot\n%s", strings.Join(want, "\n"), strings.Join(got, "\n"))
	}
}
