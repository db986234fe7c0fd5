package setup

import (
	"fmt"
	"strings"
	"testing"
)

// parsers read a word, and write what they understood.
var parsers = map[string]func(string) (string, error){
	"mode": func(s string) (string, error) { m, err := ParseMode(s); return string(m), err },
	"VIP":  func(s string) (string, error) { id, err := ParseService(s); return id.String(), err },
	"server": func(s string) (string, error) {
		rs, err := ParseServer(s)
		return fmt.Sprint(rs.Addr, " ", rs.Weight), err
	},
	"tunnel": func(s string) (string, error) {
		tun, err := ParseTunnel(s)
		return fmt.Sprint(tun.Type, " ", tun.Port), err
	},
	"sources": func(s string) (string, error) { r, err := ParseRange(s); return r.String(), err },
	"session": func(s string) (string, error) {
		session, err := ParseSession(s)
		if err != nil {
			return "", err
		}
		return strings.TrimSpace(fmt.Sprint(session.Client, " ", session.Server, " ", session.Link)), nil
	},
}

func TestParse(t *testing.T) {
	for _, c := range []struct{ what, text, want string }{
		{"mode", "fullnat", "fullnat"},
		{"mode", "NAT", "! must be nat, dr, tun or fullnat"},
		{"VIP", "203.0.113.10:443", "TCP 203.0.113.10:443"},
		{"VIP", "[2001:db8::10]:53/udp", "UDP [2001:db8::10]:53"},
		{"VIP", "[::ffff:203.0.113.10]:443/sctp", "SCTP 203.0.113.10:443"},
		{"VIP", "203.0.113.10", "! must be ADDRESS:PORT"},
		{"VIP", "203.0.113.10:0", "! must be ADDRESS:PORT"},
		{"VIP", "203.0.113.10:443/icmp", "! must be tcp, udp or sctp"},
		{"VIP", "[fe80::1%eth0]:443", "! must be ADDRESS:PORT"},
		{"VIP", "www:443", "! must be ADDRESS:PORT"},
		{"server", "10.0.3.11", "10.0.3.11:0 1"},
		{"server", "10.0.3.11:8080,0", "10.0.3.11:8080 0"},
		{"server", "2001:db8::11,5", "[2001:db8::11]:0 5"},
		{"server", "[2001:db8::11]", "[2001:db8::11]:0 1"},
		{"server", "[2001:db8::11]:80", "[2001:db8::11]:80 1"},
		{"server", "10.0.3.11,-1", "! weight"},
		{"server", "10.0.3.11,2147483648", "! weight"},
		{"server", "10.0.3.11,", "! weight"},
		{"server", "10.0.3.11:0", "! must be ADDRESS"},
		{"server", "10.0.3.11:x", "! must be ADDRESS"},
		{"server", "fe80::1%eth0", "! must be ADDRESS"},
		{"tunnel", "ipip", "ipip 0"},
		{"tunnel", "gre", "gre 0"},
		{"tunnel", "gue:6080", "gue 6080"},
		{"tunnel", "gue", "! must be ipip, gre or gue:PORT"},
		{"tunnel", "gue:0", "! must be"},
		{"tunnel", "gue:65536", "! must be"},
		{"tunnel", "ipip:5", "! must be"},
		{"sources", "10.0.3.1", "10.0.3.1"},
		{"sources", "10.0.3.1-10.0.3.4", "10.0.3.1-10.0.3.4"},
		{"sources", "10.0.3.1-", "! must be"},
		{"sources", "10.0.3.0/24", "! must be"},
		{"session", "198.51.100.7 50022 203.0.113.1 22", "198.51.100.7 203.0.113.1:22"},
		{"session", "::ffff:198.51.100.7 50022 ::ffff:203.0.113.1 22", "198.51.100.7 203.0.113.1:22"},
		{"session", "fe80::abcd%eth0 50022 fe80::1%eth0 22", "fe80::abcd [fe80::1]:22 eth0"},
		{"session", "198.51.100.7 50022", "! must be two addresses"},
		{"session", "me 50022 203.0.113.1 22", "! unable to parse"},
		{"session", "198.51.100.7 50022 203.0.113.1 ssh", "! port"},
	} {
		got, err := parsers[c.what](c.text)
		if refused, ok := strings.CutPrefix(c.want, "! "); ok {
			if err == nil || !strings.Contains(err.Error(), refused) {
				t.Errorf("%s %q: %q, %v, want %s", c.what, c.text, got, err, refused)
			}
		} else if err != nil || got != c.want {
			t.Errorf("%s %q: %q, %v, want %q", c.what, c.text, got, err, c.want)
		}
	}
}

// FuzzParse: whatever is typed, what is understood reads as the same again.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"203.0.113.10:443/udp", "[2001:db8::11]:80,5", "10.0.3.1-10.0.3.4", "gue:6080", "fullnat"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if id, err := ParseService(s); err == nil {
			again, err := ParseService(id.Name() + "/" + strings.ToLower(id.Protocol.String()))
			if err != nil || again != id {
				t.Errorf("%q: %v, then %v, %v", s, id, again, err)
			}
		}
		if rs, err := ParseServer(s); err == nil && rs.Addr.Port() != 0 {
			again, err := ParseServer(fmt.Sprintf("%s,%d", rs.Addr, rs.Weight))
			if err != nil || again != rs {
				t.Errorf("%q: %v, then %v, %v", s, rs, again, err)
			}
		}
		if r, err := ParseRange(s); err == nil {
			if again, err := ParseRange(r.String()); err != nil || again != r {
				t.Errorf("%q: %v, then %v, %v", s, r, again, err)
			}
		}
		_, _ = ParseTunnel(s)
		_, _ = ParseSession(s)
	})
}
