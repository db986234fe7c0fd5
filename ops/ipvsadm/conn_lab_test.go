package ipvsadm

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/memory"
)

// connTable is what a kernel wrote, and lines at the limits.
const connTable = `Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData
TCP C0A80005 D431 C000020A 01BB 0A000001 01BB ESTABLISHED     893
TCP FFFFFFFF FFFF FFFFFFFF FFFF FFFFFFFF FFFF SYN_RECV      10000
UDP 0A030001 0035 0A030002 1F90 0A030003 14E9 UDP               0
IP  C0A80005 0000 00000007 0000 0A000001 0000 NONE             59
UDP 0A000099 0000 0A000002 13C4 0A000003 13C4 ASSURED         299 sip 1-2345@10.0.0.99
TCP 2001:0db8:0000:0000:0000:0000:0000:0005 D431 2001:0db8:0000:0000:0000:0000:0000:0010 01BB 2001:0db8:0000:0000:0000:0000:0000:0001 01BB FIN_WAIT        61
TCP 2001:0db8:0000:0000:0000:0000:0000:0005 D431 2001:0db8:0000:0000:0000:0000:0000:0077 0050 0A000001 0050 TIME_WAIT       1
SCTP C0A80005 D431 C000020A 0B59 0A000001 0B59 C-ECHOED        3
ESP C0A80005 0000 C000020A 0000 0A000001 0000 NONE              3
`

// TestTwinsOnConnections shows both programs the same list of connections: the
// real one gets it in place of /proc.
func TestTwinsOnConnections(t *testing.T) {
	tw := newTwins(t)
	file := filepath.Join(t.TempDir(), "ip_vs_conn")
	if err := os.WriteFile(file, []byte(connTable), 0o644); err != nil {
		t.Fatal(err)
	}
	const instead = "file=$1; shift; mount -t tmpfs none /proc; mkdir /proc/net; cp $file /proc/net/ip_vs_conn; exec ipvsadm \"$@\""
	for _, line := range []string{"-L -n -c", "-Lc", "-L -n -c --persistent-conn", "-L -c --persistent-conn", "-Lc --exact --nosort --tun-info"} {
		var theirs, ours outcome
		tw.theirs.Do(func() {
			theirs = execute(t, append([]string{"unshare", "-m", "sh", "-c", instead, "sh", file}, words(line)...), "")
		})
		tw.ours.Do(func() {
			var out, complaint strings.Builder
			ours.code = Main(t.Context(), append([]string{"ipvsadm"}, words(line)...), World{
				Out: &out, Err: &complaint, Names: SystemNames(t.Context()),
				Open:        func(context.Context) (ipvs.Table, error) { return memory.New(), nil },
				Connections: func() (io.ReadCloser, error) { return os.Open(file) },
			})
			ours.out, ours.err = out.String(), complaint.String()
		})
		if theirs != ours {
			t.Errorf("%s\nthey: %v\nwe:   %v", line, theirs, ours)
		}
	}

	theirs := execute(t, []string{"unshare", "-m", "sh", "-c", "mount -t tmpfs none /proc; exec ipvsadm -L -n -c"}, "")
	var complaint strings.Builder
	code := Main(t.Context(), []string{"ipvsadm", "-Lnc"}, World{
		Out: io.Discard, Err: &complaint,
		Open:        func(context.Context) (ipvs.Table, error) { return memory.New(), nil },
		Connections: func() (io.ReadCloser, error) { return nil, os.ErrNotExist },
	})
	if ours := (outcome{code, theirs.out, complaint.String()}); theirs != ours {
		t.Errorf("without the file\nthey: %v\nwe:   %v", theirs, ours)
	}
}
