package kernel

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"lvsdeck/ipvs"
)

// changes are so many, of which some can not be asked of the kernel.
func changes(n int, bad ...int) []ipvs.Change {
	all := make([]ipvs.Change, n)
	for i := range all {
		all[i] = ipvs.Change{Op: ipvs.OpAddService, Service: ipvs.NewService(ipvs.MarkService(uint32(1+i), ipvs.IPv4))}
		if slices.Contains(bad, i) {
			all[i].Service.Scheduler = "a-name-of-22-characters"
		}
	}
	return all
}

// TestVolley: only the last change that is sent asks for an answer.
func TestVolley(t *testing.T) {
	for _, test := range []struct {
		bad, want []int // changes not sent, and the numbers and flags of the messages
	}{
		{nil, []int{10, 1, 11, 1, 12, 5}},
		{[]int{0}, []int{11, 1, 12, 5}},
		{[]int{1, 2}, []int{10, 5}},
		{[]int{0, 1, 2}, nil},
	} {
		c, _ := newPeer(t)
		c.seq = 9
		v := c.load(changes(3, test.bad...))
		var got []int
		for rest := c.out.buf; len(rest) > 0; {
			var m reply
			var err error
			if m, rest, err = cut(rest); err != nil {
				t.Fatal(err)
			}
			got = append(got, int(m.seq), int(m.flags))
		}
		if !slices.Equal(got, test.want) || v.first != 10 || c.seq != 12 {
			t.Errorf("without %v: want %v, got %v from %d to %d", test.bad, test.want, got, v.first, c.seq)
		}
	}
}

func TestVerdicts(t *testing.T) {
	refusals := func(piece []byte, more ...[]byte) []byte { return slices.Concat(append([][]byte{piece}, more...)...) }
	last := errnoMessage(unix.NLMSG_ERROR, 12, 0)
	for _, test := range []struct {
		name   string
		pieces [][]byte
		want   []error
		err    error
	}{
		{"all well", [][]byte{last}, make([]error, 3), nil},
		{"two refused", [][]byte{
			errnoMessage(unix.NLMSG_ERROR, 11, unix.EEXIST), errnoMessage(unix.NLMSG_ERROR, 12, unix.ESRCH),
		}, []error{nil, refusal(unix.EEXIST), refusal(unix.ESRCH)}, nil},
		{"in one piece", [][]byte{refusals(errnoMessage(unix.NLMSG_ERROR, 10, unix.EEXIST), last)},
			[]error{refusal(unix.EEXIST), nil, nil}, nil},
		{"stale and foreign", [][]byte{
			errnoMessage(unix.NLMSG_ERROR, 9, unix.EPERM), errnoMessage(unix.NLMSG_ERROR, 13, unix.EPERM),
			message(unix.NLMSG_ERROR, 0, 10, testPort+1, 1, 0, 0, 0), last,
		}, make([]error, 3), nil},
		{"an overrun", [][]byte{message(unix.NLMSG_OVERRUN, 0, 11, testPort)}, nil, errLost},
		{"an error without an errno", [][]byte{message(unix.NLMSG_ERROR, 0, 11, testPort)}, nil, errMalformed},
		{"half a header", [][]byte{{1, 2, 3}}, nil, errMalformed},
	} {
		c, kernel := newPeer(t)
		kernel.send(test.pieces...)
		v := &verdicts{first: 10, port: testPort, last: 2, said: make([]error, 3)}
		if err := c.listen(v.read); err != test.err || err == nil && !slices.Equal(v.said, test.want) {
			t.Errorf("%s:\n want %v, %v\n got  %v, %v", test.name, test.want, test.err, v.said, err)
		}
	}
}

// TestApplyGivesUp: what was not answered before the context ended is not known,
// and the volleys after it are not sent.
func TestApplyGivesUp(t *testing.T) {
	c, kernel := newPeer(t)
	client := newClient(c)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		kernel.await()
		cancel()
	}()
	errs := client.Apply(ctx, changes(3*volleySize, 1))
	for i, err := range errs {
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("change %d: want %v, got %v", i, context.Canceled, err)
		}
	}
	if taken := <-client.turn; taken != nil || len(errs) != 3*volleySize {
		t.Errorf("%d answers, and the socket kept: %v", len(errs), taken != nil)
	}
}

func FuzzVerdicts(f *testing.F) {
	f.Add(errnoMessage(unix.NLMSG_ERROR, 1, unix.EEXIST))
	f.Fuzz(func(_ *testing.T, b []byte) {
		v := &verdicts{first: 1, port: testPort, last: 2, said: make([]error, 3)}
		v.read(b)
	})
}

func BenchmarkLoad(b *testing.B) {
	var c conn
	rs := ipvs.Server{Addr: netip.MustParseAddrPort("10.0.0.1:80"), Weight: 1}
	all := slices.Repeat([]ipvs.Change{ipvs.ChangeServer(ipvs.OpAddServer, ipvs.MarkService(1, ipvs.IPv4), rs)}, volleySize)
	for b.Loop() {
		c.load(all)
	}
}
