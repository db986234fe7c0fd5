package kernel

import (
	"fmt"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"lvsdeck/ipvs"
)

// TestRulesLeaveOutWhatWent: the kernel lists three services. Two have no servers
// when it is asked for those, and one of these two is not there any more.
func TestRulesLeaveOutWhatWent(t *testing.T) {
	c, kernel := newPeer(t)
	client := newClient(c)
	marks := []uint32{1, 2, 3}
	server := ipvs.Server{Addr: netip.MustParseAddrPort("10.0.0.1:80"), Upper: 9, Lower: 3}
	kernel.answer(c, func(cmd uint8, attrs []byte) (messages [][]byte, refuse unix.Errno) {
		a := find(attrs, attrService)
		var mark uint32
		for a.next() {
			if a.kind == svcMark {
				mark = uint32(a.number())
			}
		}
		switch {
		case cmd == cmdGetService && mark == 0:
			for _, m := range append(marks, 2) { // 2 twice, as while others change the table
				messages = append(messages, written(configureService, ipvs.NewService(ipvs.MarkService(m, ipvs.IPv4))))
			}
		case cmd == cmdGetDest && mark == 2:
			messages = append(messages, written(configureServer, server))
		case cmd == cmdGetService && mark == 1:
			return nil, unix.ESRCH
		case cmd == cmdGetService:
			messages = append(messages, written(configureService, ipvs.NewService(ipvs.MarkService(mark, ipvs.IPv4))))
		}
		return messages, 0
	})
	rules, err := client.Rules(t.Context())
	got := fmt.Sprint(rules, err)
	want := fmt.Sprint([]ipvs.ServiceRules{
		{Service: ipvs.NewService(ipvs.MarkService(2, ipvs.IPv4)), Servers: []ipvs.Server{server}},
		{Service: ipvs.NewService(ipvs.MarkService(3, ipvs.IPv4))},
	}, nil)
	if got != want {
		t.Errorf("\n want %s\n got  %s", want, got)
	}
}

// TestServersOnce: a server moved on in the list while that was answered.
func TestServersOnce(t *testing.T) {
	c, kernel := newPeer(t)
	client := newClient(c)
	kernel.answer(c, func(uint8, []byte) (messages [][]byte, refuse unix.Errno) {
		for n := range byte(fewServers + 1) {
			at := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, min(n, fewServers-1)}), 80)
			messages = append(messages, written(configureServer, ipvs.Server{Addr: at}))
		}
		return messages, 0
	})
	servers, err := client.Servers(t.Context(), ipvs.MarkService(1, ipvs.IPv4))
	if err != nil || len(servers) != fewServers {
		t.Errorf("%d servers, %v", len(servers), err)
	}
}

// answer answers every request until the test ends: lists, and single things.
func (p peer) answer(c *conn, reply func(cmd uint8, attrs []byte) ([][]byte, unix.Errno)) {
	ended := make(chan struct{})
	p.t.Cleanup(func() { c.close(); <-ended })
	go func() {
		defer close(ended)
		for p.answerOne(reply) {
		}
	}()
}

func (p peer) answerOne(reply func(cmd uint8, attrs []byte) ([][]byte, unix.Errno)) bool {
	buffer := make([]byte, 1<<16)
	p.await()
	n, err := unix.Read(p.fd, buffer)
	if err != nil || n == 0 {
		return false
	}
	m, _, _ := cut(buffer[:n])
	list := m.flags&unix.NLM_F_DUMP != 0
	messages, refuse := reply(m.body[0], m.body[genlHeader:])
	for _, one := range messages {
		var flags uint16
		if list {
			flags = unix.NLM_F_MULTI
		}
		p.send(message(32, flags, m.seq, testPort, append(make([]byte, genlHeader), one...)...))
	}
	if list {
		p.send(errnoMessage(unix.NLMSG_DONE, m.seq, 0))
	} else if refuse != 0 {
		p.send(errnoMessage(unix.NLMSG_ERROR, m.seq, refuse))
	}
	return true
}
