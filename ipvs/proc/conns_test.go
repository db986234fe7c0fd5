package proc

import (
	"bytes"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"testing"
	"testing/iotest"
)

// connTable is what a 6.1 kernel wrote, and lines at the limits of its format.
const connTable = ConnTitle +
	"TCP C0A80005 D431 C000020A 01BB 0A000001 01BB ESTABLISHED     893\n" +
	"TCP FFFFFFFF FFFF FFFFFFFF FFFF FFFFFFFF FFFF SYN_RECV    4294967\n" +
	"UDP 0A030001 0035 0A030002 1F90 0A030003 14E9 UDP               0\n" +
	"IP  C0A80000 0000 00000007 0000 0A000001 0000 NONE             59\n" +
	"IP  2001:0db8:0000:0000:0000:0000:0000:0000 0000 0000:0007:0000:0000:0000:0000:0000:0000 0000 2001:0db8:0000:0000:0000:0000:0000:0001 0000 ASSURED          59\n" +
	"UDP 0A000099 0000 0A000002 13C4 0A000003 13C4 ASSURED         299 sip 1-2345@10.0.0.99 and more\n" +
	"TCP 2001:0db8:0000:0000:0000:0000:0000:0005 D431 2001:0db8:0000:0000:0000:0000:0000:0010 01BB 2001:0db8:0000:0000:0000:0000:0000:0001 01BB FIN_WAIT         61\n" +
	"TCP 2001:0db8:0000:0000:0000:0000:0000:0005 D431 2001:0db8:0000:0000:0000:0000:0000:0077 0050 0A000001 0050 TIME_WAIT         1\n" +
	"SCTP C0A80005 D431 C000020A 0B59 0A000001 0B59 C-ECHOED          3\n" +
	"IP_47 C0A80005 0000 C000020A 0000 0A000001 0000 NONE              3\n" +
	"TCP C0A80005 0000 C000020A 0014 0A000001 0014 LISTEN          120\n"

const connSyncTable = ConnSyncTitle +
	"TCP C0A80005 D431 C000020A 01BB 0A000001 01BB ESTABLISHED LOCAL      893\n" +
	"TCP C0A80005 D432 C000020A 01BB 0A000001 01BB TIME_WAIT   SYNC        12\n" +
	"SCTP C0A80005 D431 C000020A 0B59 0A000001 0B59 C-ECHOED    SYNC         3\n"

// told is a connection in words.
func told(c *Conn) string {
	s := fmt.Sprintf("%s | %s %s %s %d %s", c.Client.AddrPort(), c.Service(), c.Server.AddrPort(), c.State, c.Expires, c.Origin)
	if c.Template() {
		s += " template"
	}
	if len(c.Engine) > 0 {
		s += fmt.Sprintf(" %s=%s", c.Engine, c.Data)
	}
	return s
}

// readAll reads a whole text, of which each read gives what it likes.
func readAll(t testing.TB, in io.Reader) (all []string, count Count) {
	t.Helper()
	r := NewConns(in)
	for c := (Conn{}); r.Next(&c); {
		all = append(all, told(&c))
	}
	if err := r.Err(); err != nil {
		t.Error(err)
	}
	return all, r.Read
}

func TestConns(t *testing.T) {
	want := []string{
		"192.168.0.5:54321 | TCP 192.0.2.10:443 10.0.0.1:443 ESTABLISHED 893 unknown",
		"255.255.255.255:65535 | TCP 255.255.255.255:65535 255.255.255.255:65535 SYN_RECV 4294967 unknown",
		"10.3.0.1:53 | UDP 10.3.0.2:8080 10.3.0.3:5353 UDP 0 unknown",
		"192.168.0.0:0 | FWM 7 10.0.0.1:0 NONE 59 unknown template",
		"[2001:db8::]:0 | FWM 7 IPv6 [2001:db8::1]:0 ASSURED 59 unknown template",
		"10.0.0.153:0 | UDP 10.0.0.2:5060 10.0.0.3:5060 ASSURED 299 unknown template sip=1-2345@10.0.0.99 and more",
		"[2001:db8::5]:54321 | TCP [2001:db8::10]:443 [2001:db8::1]:443 FIN_WAIT 61 unknown",
		"[2001:db8::5]:54321 | TCP [2001:db8::77]:80 10.0.0.1:80 TIME_WAIT 1 unknown",
		"192.168.0.5:54321 | SCTP 192.0.2.10:2905 10.0.0.1:2905 C-ECHOED 3 unknown",
		"192.168.0.5:0 | proto 47 192.0.2.10:0 10.0.0.1:0 NONE 3 unknown template",
		"192.168.0.5:0 | TCP 192.0.2.10:20 10.0.0.1:20 LISTEN 120 unknown",
	}
	for name, in := range map[string]io.Reader{
		"whole": strings.NewReader(connTable), "byte by byte": iotest.OneByteReader(strings.NewReader(connTable)),
		"without its title": strings.NewReader(strings.TrimPrefix(connTable, ConnTitle)),
		"without its end":   strings.NewReader(strings.TrimSuffix(connTable, "\n")),
	} {
		got, count := readAll(t, in)
		if compare(t, got, want); count.Bad != 0 {
			t.Errorf("%s: %+v", name, count)
		}
	}
	got, count := readAll(t, strings.NewReader(connSyncTable))
	compare(t, got, []string{
		"192.168.0.5:54321 | TCP 192.0.2.10:443 10.0.0.1:443 ESTABLISHED 893 local",
		"192.168.0.5:54322 | TCP 192.0.2.10:443 10.0.0.1:443 TIME_WAIT 12 sync",
		"192.168.0.5:54321 | SCTP 192.0.2.10:2905 10.0.0.1:2905 C-ECHOED 3 sync",
	})
	if count.Lines != 4 || count.Bytes != uint64(len(connSyncTable)) {
		t.Errorf("counted %+v", count)
	}
}

// TestAppendConn: what is written is what the kernel wrote.
func TestAppendConn(t *testing.T) {
	for _, text := range []string{connTable, connSyncTable} {
		r := NewConns(strings.NewReader(text))
		title, _, _ := strings.Cut(text, "\n")
		got := []byte(title + "\n")
		for c := (Conn{}); r.Next(&c); {
			got = AppendConn(got, &c)
		}
		compare(t, strings.Split(string(got), "\n"), strings.Split(text, "\n"))
	}
}

// TestConnsPassOver: what is not a connection is counted, and the lines around
// it are read.
func TestConnsPassOver(t *testing.T) {
	const good = "TCP C0A80005 D431 C000020A 01BB 0A000001 01BB ESTABLISHED     893\n"
	for bad, want := range map[string]string{
		"tcp C0A80005 D431 C000020A 01BB 0A000001 01BB ESTABLISHED     893":  `expected a protocol, found "tcp"`,
		"TCP C0A8000G D431 C000020A 01BB 0A000001 01BB ESTABLISHED     893":  `expected a client's address and port in hexadecimal, found "C0A8000G"`,
		"TCP C0A80005 D43  C000020A 01BB 0A000001 01BB ESTABLISHED     893":  `expected a client's address and port in hexadecimal, found "C0A80005"`,
		"TCP C0A80005 D431 C000020A 01B/ 0A000001 01BB ESTABLISHED     893":  `expected a virtual address and port in hexadecimal, found "C000020A"`,
		"TCP C0A80005 D431 C000020A 01BB 0A000001 01BB             893":      `expected seconds to live, found ""`,
		"TCP C0A80005 D431 C000020A 01BB 0A000001 01BB ESTABLISHED      -3":  `expected seconds to live, found "-3"`,
		"TCP C0A80005 D431 C000020A 01BB 0A000001 01BB ESTABLISHED     8 3x": ``,
		"TCP C0A80005 D431 C000020A 01BB 0A000001 01BB ESTABLISHED     89x":  `expected seconds to live, found "89x"`,
		"TCP C0A80005 D431 C000020A 01BB 0A0000":                             `expected a server's address and port in hexadecimal, found "0A0000"`,
		"\x1b[2J":                                                            `expected a protocol, found "\x1b[2J"`,
		strings.Repeat("x", connBuffer*2+1):                                  `it is longer than 262144 bytes`,
	} {
		got, count := readAll(t, strings.NewReader(ConnTitle+good+bad+"\n\n"+good))
		wantBad := uint64(1)
		if want == "" {
			wantBad = 0 // an engine's words
		}
		if len(got) != int(3-wantBad) || count.Bad != wantBad || wantBad == 1 && count.FirstBad.Error() != "line 3: "+want {
			t.Errorf("%.80q: want %s\ngot %q, %d bad, %v", bad, want, got, count.Bad, count.FirstBad)
		}
	}
}

// TestConnsEndWithTheReadersError: what came before it is handed out, but for a
// line that it cut.
func TestConnsEndWithTheReadersError(t *testing.T) {
	r := NewConns(io.MultiReader(strings.NewReader(connTable+"TCP C0A8"), iotest.ErrReader(io.ErrClosedPipe)))
	n := 0
	for c := (Conn{}); r.Next(&c); {
		n++
	}
	if n != 11 || r.Read.Bad != 0 || r.Err() != io.ErrClosedPipe {
		t.Errorf("%d connections, %v", n, r.Err())
	}
}

func TestEndpoint(t *testing.T) {
	for _, s := range []string{"10.0.0.1:80", "0.0.0.0:0", "[2001:db8::1]:443", "[::]:1"} {
		at := netip.MustParseAddrPort(s)
		if e := EndpointOf(at); e.AddrPort() != at || e.Is4() != at.Addr().Is4() {
			t.Errorf("%s: %+v is %s", s, e, e.AddrPort())
		}
	}
}

// TestConnsAllocateNothing: there can be millions of lines.
func TestConnsAllocateNothing(t *testing.T) {
	text := []byte(strings.Repeat(strings.TrimPrefix(connTable, ConnTitle), 100))
	in := bytes.NewReader(nil)
	r := NewConns(in)
	var c Conn
	if n := testing.AllocsPerRun(10, func() {
		in.Reset(text)
		r.err = nil
		for r.Next(&c) {
		}
	}); n > 0 {
		t.Errorf("%v allocations for 1,100 lines", n)
	}
}

// FuzzConn holds the quick way of reading a line against the slow one, and both
// against what they stand for.
func FuzzConn(f *testing.F) {
	for line := range strings.Lines(connTable + connSyncTable) {
		f.Add([]byte(strings.TrimSuffix(line, "\n")))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		var quick, slow Conn
		words := row{rest: line}
		slow.Line = line
		slow.parse(&words)
		if NewConns(nil).quick(&quick, line) {
			if words.want != "" || !same(&quick, &slow) {
				t.Fatalf("%q:\nquick %+v\nslow  %+v, wanted %q", line, quick, slow, words.want)
			}
		}
		if words.want != "" || bytes.ContainsAny(line, "\n") {
			return
		}
		client, in := Conn{Virtual: slow.Virtual, Server: slow.Server}, NewConns(nil)
		in.ClientsOnly = true
		if in.quick(&client, line) && !same(&client, &slow) {
			t.Fatalf("%q:\nclients only %+v\nslow  %+v", line, client, slow)
		}
		var again Conn
		text := AppendConn(nil, &slow)
		words = row{rest: bytes.TrimSuffix(text, []byte("\n"))}
		if again.parse(&words); slow.Protocol != unknownProtocol && (words.want != "" || !same(&again, &slow)) {
			t.Fatalf("%q is written as %q, which is %+v, not %+v", line, text, again, slow)
		}
	})
}

func same(a, b *Conn) bool {
	return a.Protocol == b.Protocol && a.Client == b.Client && a.Virtual == b.Virtual && a.Server == b.Server &&
		a.State == b.State && a.Expires == b.Expires && a.Origin == b.Origin &&
		bytes.Equal(a.Engine, b.Engine) && bytes.Equal(a.Data, b.Data)
}

// FuzzConns looks for lines lost or made up, whatever the text.
func FuzzConns(f *testing.F) {
	f.Add([]byte(connTable), 7)
	f.Add([]byte(connSyncTable), 1)
	f.Fuzz(func(t *testing.T, text []byte, size int) {
		whole, count := readAll(t, bytes.NewReader(text))
		if count.Bytes != uint64(len(text)) || uint64(len(whole))+count.Bad > count.Lines || (count.Bad == 0) != (count.FirstBad == nil) {
			t.Errorf("%d connections, counted %+v", len(whole), count)
		}
		pieces, again := readAll(t, iotest.HalfReader(bytes.NewReader(text)))
		if compare(t, pieces, whole); again.Lines != count.Lines || again.Bad != count.Bad {
			t.Errorf("counted %+v in pieces, %+v as a whole", again, count)
		}
	})
}
