package ipvsadm

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/memory"
)

// told is what a run gave.
type told struct {
	code     int
	out, err string
}

// on runs a command line on a table.
func on(t *testing.T, table ipvs.Table, line, stdin string) told {
	t.Helper()
	var out, complaint bytes.Buffer
	code := Main(t.Context(), strings.Fields(line), World{
		In: strings.NewReader(stdin), Out: &out, Err: &complaint,
		Open:        func(context.Context) (ipvs.Table, error) { return table, nil },
		Connections: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("title\n" + conns)), nil },
	})
	return told{code, out.String(), complaint.String()}
}

const conns = "TCP C0A80005 D431 C000020A 01BB 0A000001 01BB ESTABLISHED     893\nnonsense\n"

const rules = `-A -t 192.0.2.9:80 -s mh -b mh-fallback,mh-port
-a -t 192.0.2.9:80 -r 192.168.100.101:8080 -m -w 65535
-A -t 192.0.2.10:443 -s wlc -p 360 -M 255.255.255.0
-a -t 192.0.2.10:443 -r 10.0.0.2:443 -g -w 1
-a -t 192.0.2.10:443 -r 10.0.0.3:443 -i -w 5 --tun-type gue --tun-port 6080 --tun-csum
-a -t 192.0.2.10:443 -r 10.0.0.4:443 -i -w 5 --tun-type gre --tun-nocsum
-a -t 192.0.2.10:443 -r [2001:db8::5]:443 -i -w 5 --tun-type ipip
-A -u 192.0.2.10:53 -s rr -o
-A -u 192.0.2.10:5060 -s rr -p 300 --pe sip -o
-A --sctp-service 192.0.2.9:3868 -s wrr -b flag-1,flag-3
-A -t [2001:db8::80]:80 -s rr
-a -t [2001:db8::80]:80 -r [2001:db8::a0a0]:8080 -m -w 100
-A -f 1 -s rr -b flag-3
-a -f 1 -r 10.0.0.1:0 -m -w 1
-A -f 7 -6 -s sh -p 50 -M 64 -b sh-fallback
-a -f 7 -6 -r [2001:db8::a0a0]:8080 -m -w 100
`

func restored(t *testing.T) *memory.Table {
	t.Helper()
	table := memory.New()
	if got := on(t, table, "ipvsadm -R", rules); got != (told{}) {
		t.Fatalf("restore: %+v", got)
	}
	return table
}

func TestSaveGivesBackWhatWasRestored(t *testing.T) {
	if got := on(t, restored(t), "/usr/sbin/ipvsadm-save -n", ""); got != (told{out: rules}) {
		t.Errorf("%+v", got)
	}
}

func TestList(t *testing.T) {
	const want = `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn
TCP  192.0.2.9:80 mh (mh-fallback,mh-port)
  -> 192.168.100.101:8080         Masq    65535  0          0         
TCP  192.0.2.10:443 wlc persistent 360 mask 255.255.255.0
  -> 10.0.0.2:443                 Route   1      0          0         
  -> 10.0.0.3:443                 Tunnel  5      0          0         
  -> 10.0.0.4:443                 Tunnel  5      0          0         
  -> [2001:db8::5]:443            Tunnel  5      0          0         
UDP  192.0.2.10:53 rr ops
UDP  192.0.2.10:5060 rr persistent 300 pe sip ops
SCTP 192.0.2.9:3868 wrr (flag-1,flag-3)
TCP  [2001:db8::80]:80 rr
  -> [2001:db8::a0a0]:8080        Masq    100    0          0         
FWM  1 rr (flag-3)
  -> 10.0.0.1:0                   Masq    1      0          0         
FWM  7 IPv6 sh (sh-fallback) persistent 50 mask 64
  -> [2001:db8::a0a0]:8080        Masq    100    0          0         
`
	if got := on(t, restored(t), "ipvsadm -Ln", ""); got.out != want {
		t.Errorf("%+v\nwant\n%s", got, want)
	}
	if got := on(t, restored(t), "ipvsadm -L -n -c", ""); !strings.HasSuffix(got.out,
		"\nTCP 14:53  ESTABLISHED 192.168.0.5:54321  192.0.2.10:443     10.0.0.1:443\n") {
		t.Errorf("%+v", got)
	}
}

// ldirectord's expressions for what it skips three lines of and then reads.
var (
	ldirectorPersistent = regexp.MustCompile(`^(\w+)\s+(\d+\.\d+\.\d+\.\d+:\d+|\[[0-9A-Fa-f:]+\]:\d+|\d+)( IPv6)?\s+(\w+)\s+persistent\s+(\d+)`)
	ldirectorService    = regexp.MustCompile(`^(\w+)\s+(\d+\.\d+\.\d+\.\d+:\d+|\[[0-9A-Fa-f:]+\]:\d+|\d+)( IPv6)?\s+(\w+)`)
	ldirectorServer     = regexp.MustCompile(`^  ->\s+(\d+\.\d+\.\d+\.\d+:\d+|\[[0-9A-Fa-f:]+\]:\d+)\s+(\w+)\s+(\d+)`)
)

func TestLdirectordReadsIt(t *testing.T) {
	for _, line := range strings.Split(on(t, restored(t), "ipvsadm -L -n", "").out, "\n")[3:] {
		switch {
		case line == "":
		case strings.HasPrefix(line, "  -> "):
			if !ldirectorServer.MatchString(line) {
				t.Errorf("no server: %s", line)
			}
		case !ldirectorService.MatchString(line):
			t.Errorf("no service: %s", line)
		case strings.Contains(line, "persistent") && !strings.Contains(line, "(") && !ldirectorPersistent.MatchString(line):
			t.Errorf("no persistent service: %s", line)
		}
	}
}

func TestLargeNumbers(t *testing.T) {
	for n, want := range map[uint64][2]string{
		0:                    {"        0", "        0"},
		99_999_999:           {" 99999999", " 99999999"},
		100_000_000:          {"  100000K", " 100000000"},
		999_999_999:          {"  999999K", " 999999999"},
		1_000_000_000:        {"    1000M", " 1000000000"},
		99_999_999_999:       {"   99999M", " 99999999999"},
		100_000_000_000:      {"     100G", " 100000000000"},
		99_999_999_999_999:   {"   99999G", " 99999999999999"},
		100_000_000_000_000:  {"     100T", " 100000000000000"},
		18446744073709551615: {"18446744T", " 18446744073709551615"},
	} {
		short, exact := printer{}, printer{}
		exact.Exact = true
		if got := [2]string{short.large(n), exact.large(n)}; got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

func TestStats(t *testing.T) {
	var b strings.Builder
	p := printer{out: bufio.NewWriter(&b)}
	p.Columns = 1
	stats := ipvs.Stats{Total: ipvs.Traffic{Conns: 1, InPackets: 22, OutPackets: 333, InBytes: 4444, OutBytes: 55555_55555}}
	e := ipvs.Entry{
		ServiceState: ipvs.ServiceState{Service: ipvs.NewService(ipvs.MarkService(3000000000, ipvs.IPv6)), Stats: stats},
		Servers:      []ipvs.ServerState{{Server: ipvs.Server{Addr: netip.MustParseAddrPort("10.0.0.1:80")}, Stats: stats}},
	}
	p.entry(e)
	want := "FWM  3000000000 IPv6                     1       22      333     4444    5555M\n" +
		"  -> 10.0.0.1:80                         1       22      333     4444    5555M\n"
	if err := p.end(nil); err != nil || b.String() != want {
		t.Errorf("got\n%s, %v, want\n%s", b.String(), err, want)
	}
}

func TestRestoreGoesOnAndEnds(t *testing.T) {
	for name, c := range map[string]struct {
		in   string
		want told
		left string // in the table
	}{
		"goes on": {
			"-A -f 1\n-A -f 1\n-A --bogus\n\n ipvsadm \n-A -f 2",
			told{0, "", "Service already exists\n--bogus: unknown option\n"},
			"-A -f 1 -s wlc\n-A -f 2 -s wlc\n",
		},
		"last counts":  {"-A -f 1\n-A -f 1\n", told{255, "", "Service already exists\n"}, "-A -f 1 -s wlc\n"},
		"ends":         {"-A -f 1\n-A -f 0\n-A -f 2\n", told{2, "", "invalid fwmark value `0' specified\n"}, "-A -f 1 -s wlc\n"},
		"no command":   {"-A -f 1\n# no comments\n-A -f 2\n", told{255, "", "Try `ipvsadm -h' or 'ipvsadm --help' for more information.\n"}, "-A -f 1 -s wlc\n"},
		"itself":       {"-R\n-A -f 2\n", told{255, "", "Try `ipvsadm -h' or 'ipvsadm --help' for more information.\n"}, ""},
		"listing ends": {"-L -f 9\n-A -f 2\n", told{1, "", "No such service\n"}, ""},
		"last line":    {"-A -f 1\r\n-A -f 2  ", told{}, "-A -f 1 -s wlc\n-A -f 2 -s wlc\n"},
	} {
		t.Run(name, func(t *testing.T) {
			table := memory.New()
			if got := on(t, table, "ipvsadm -R", c.in); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
			if got := on(t, table, "ipvsadm -Sn", ""); got.out != c.left {
				t.Errorf("left\n%s, want\n%s", got.out, c.left)
			}
		})
	}
}

// full takes some bytes and no more.
type full struct{ room int }

func (f *full) Write(data []byte) (int, error) {
	n := min(f.room, len(data))
	if f.room -= n; n < len(data) {
		return n, unix.ENOSPC
	}
	return n, nil
}

// endless never ends.
type endless struct{ io.Reader }

func (endless) Close() error { return nil }

func (e endless) Read(data []byte) (int, error) {
	line := strings.SplitAfter(conns, "\n")[0]
	return copy(data, strings.Repeat(line, len(data)/len(line)+1)), nil
}

// TestListingsAreStreamed: connections without end fit the memory, and end when
// nobody takes them any more. That is told, and so is a listing that was cut off.
func TestListingsAreStreamed(t *testing.T) {
	for _, line := range []string{"-Lnc", "-Ln", "-Sn", "-h", "-v"} {
		room := 0
		if line == "-Lnc" {
			room = 1 << 20
		}
		var complaint strings.Builder
		code := Main(t.Context(), []string{"ipvsadm", line}, World{
			Out: &full{room}, Err: &complaint,
			Open:        func(context.Context) (ipvs.Table, error) { return restored(t), nil },
			Connections: func() (io.ReadCloser, error) { return endless{}, nil },
		})
		if code != exitListing || complaint.String() != "no space left on device\n" {
			t.Errorf("%s on a full disk ends with %d: %s", line, code, complaint.String())
		}
	}
}

// A program may keep a pipe open to a restore and wait for what it does.
func TestRestoreDoesNotWaitForTheEnd(t *testing.T) {
	table := memory.New()
	r, w := io.Pipe()
	done := make(chan int)
	go func() {
		done <- Main(t.Context(), []string{"ipvsadm", "-R"}, World{
			In: r, Out: io.Discard, Err: io.Discard,
			Open: func(context.Context) (ipvs.Table, error) { return table, nil },
		})
	}()
	io.WriteString(w, "-A -f 1\n")
	io.WriteString(w, "-") // is read only when the line before was carried out
	if _, err := table.Service(t.Context(), ipvs.MarkService(1, ipvs.IPv4)); err != nil {
		t.Error(err)
	}
	w.Close()
	<-done
}

func TestWithoutTable(t *testing.T) {
	for _, c := range []struct {
		line string
		open error
		want told
	}{
		{"ipvsadm -v", ipvs.ErrUnavailable, told{0, version, ""}},
		{"ipvsadm -h", ipvs.ErrUnavailable, told{0, version + usage, ""}},
		{"ipvsadm -Ln", ipvs.ErrUnavailable, told{2, "", "Can't initialize ipvs: Protocol not available\n" + built}},
		{"ipvsadm -C", &ipvs.Error{Op: ipvs.OpOpen, Kind: ipvs.ErrPermission}, told{2, "", "Can't initialize ipvs: Permission denied (you must be root)\n" + built}},
		{"ipvsadm -C", errors.New("of no kind"), told{2, "", "Can't initialize ipvs: of no kind\n" + built}},
	} {
		var out, complaint bytes.Buffer
		code := Main(t.Context(), strings.Fields(c.line), World{
			Out: &out, Err: &complaint,
			Open: func(context.Context) (ipvs.Table, error) { return nil, c.open },
		})
		if got := (told{code, out.String(), complaint.String()}); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.line, got, c.want)
		}
	}
}

const built = "Are you sure that IP Virtual Server is built in the kernel or as module?\n"
