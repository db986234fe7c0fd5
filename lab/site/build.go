package main

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"lvsdeck/lab"
)

// The services' ports on the VIP.
const (
	webPort  = 80   // NAT
	shopPort = 443  // DR
	namePort = 53   // UDP, NAT
	markPort = 8080 // and the next one: together the mark's service
	mark     = 7
)

// scene is a site in NAT mode, and more servers on the director's own segment
// that answer the clients themselves (DR).
type scene struct {
	*lab.Site
	hosts   []*lab.Host
	shop    []netip.Addr // the DR servers
	clients []netip.Addr
}

func build(t lab.TB) *scene {
	s := &scene{Site: lab.Director(t, lab.NAT, 3, false)}
	for i := range 3 {
		h := s.Host("shop" + strconv.Itoa(i+1))
		addr := netip.MustParseAddr(fmt.Sprintf("203.0.113.%d", 21+i))
		h.Join(s.Wan, "eth0", addr.String()+"/24")
		h.AddRoute("0.0.0.0/0", "203.0.113.254")
		h.AcceptVIP(lab.DR, s.VIP)
		h.ServeTCP(":" + strconv.Itoa(shopPort))
		s.shop, s.hosts = append(s.shop, addr), append(s.hosts, h)
	}
	for i := range 30 {
		addr := netip.MustParseAddr(fmt.Sprintf("198.51.100.%d", 100+i))
		s.Client.AddAddr("eth0", addr.String()+"/24")
		s.clients = append(s.clients, addr)
	}
	for _, h := range s.Servers {
		for _, port := range []int{markPort, markPort + 1} {
			go http.Serve(h.Listen("tcp", ":"+strconv.Itoa(port)), http.HandlerFunc(page))
		}
	}
	s.hosts = append(s.hosts, s.Client, s.Router, s.Director)
	s.hosts = append(s.hosts, s.Servers...)
	return s
}

// page answers with something between a note and a picture.
func page(w http.ResponseWriter, _ *http.Request) {
	w.Write(make([]byte, 200+rand.IntN(20_000)))
}

// open sets the services up. The last shop server is being drained: those who
// came early stay a while.
func (s *scene) open() {
	web, shop, name := s.At(webPort), s.At(shopPort), s.At(namePort)
	do := s.Director.Ipvsadm
	do("-A", "-t", web, "-s", "wlc")
	do("-A", "-t", shop, "-s", "wrr")
	do("-A", "-u", name, "-s", "rr")
	do("-A", "-f", strconv.Itoa(mark), "-s", "sh", "-p", "120")
	for i, weight := range []string{"100", "60", "30"} {
		do("-a", "-t", web, "-r", join(s.Addrs[i], webPort), "-m", "-w", weight)
		do("-a", "-f", strconv.Itoa(mark), "-r", join(s.Addrs[i], 0), "-m", "-w", "10")
	}
	for i, weight := range []string{"3", "1", "2"} {
		do("-a", "-t", shop, "-r", join(s.shop[i], shopPort), "-g", "-w", weight)
	}
	for _, a := range s.Addrs[:2] {
		do("-a", "-u", name, "-r", join(a, namePort), "-m")
	}
	s.Director.Command("iptables", "-t", "mangle", "-A", "PREROUTING", "-d", s.VIP.String(), "-p", "tcp",
		"-m", "multiport", "--dports", fmt.Sprintf("%d,%d", markPort, markPort+1), "-j", "MARK", "--set-mark", strconv.Itoa(mark))
	s.Client.Do(func() {
		for range 20 {
			if c := s.dial("tcp", shopPort); c != nil {
				go stay(c, time.Duration(20+rand.IntN(280))*time.Second)
			}
		}
	})
	do("-e", "-t", shop, "-r", join(s.shop[2], shopPort), "-g", "-w", "0")
}

func join(a netip.Addr, port uint16) string {
	return net.JoinHostPort(a.String(), strconv.Itoa(int(port)))
}
