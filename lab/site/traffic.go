package main

import (
	"io"
	"math"
	"math/rand/v2"
	"net"
	"net/netip"
	"time"
)

// What the clients do, kept small: the processor is emulated.
const (
	beat     = 25 * time.Millisecond // how often somebody may come
	tide     = 90 * time.Second      // how long from one rush to the next
	maxHeld  = 80                    // connections open at a time
	patience = 3 * time.Second
)

// traffic lets clients come, in waves, for as long as the machine runs. They
// all connect from this one goroutine, which is on the client's host; what they
// say then can be said from anywhere.
func (s *scene) traffic() {
	held := make(chan struct{}, maxHeld)
	start := time.Now()
	s.Client.Do(func() {
		for range time.Tick(beat) {
			rush := 0.5 + 0.45*math.Sin(2*math.Pi*float64(time.Since(start))/float64(tide))
			if rand.Float64() < rush {
				s.visit(held)
			}
		}
	})
}

// visit is one client doing one thing.
func (s *scene) visit(held chan struct{}) {
	switch n := rand.IntN(10); {
	case n < 4:
		if c := s.dial("tcp", webPort); c != nil {
			go fetch(c)
		}
	case n < 6:
		if c := s.dial("udp", namePort); c != nil {
			go ask(c)
		}
	case n < 8:
		if c := s.dial("tcp", markPort+uint16(rand.IntN(2))); c != nil {
			go fetch(c)
		}
	default:
		select {
		case held <- struct{}{}:
		default:
			return // enough are staying
		}
		c := s.dial("tcp", shopPort)
		go func() {
			if c != nil {
				stay(c, time.Duration(5+rand.IntN(55))*time.Second)
			}
			<-held
		}()
	}
}

// dial connects to the VIP from any of the clients' addresses, or returns nil:
// whoever edits the table may turn clients away.
func (s *scene) dial(network string, port uint16) net.Conn {
	from := netip.AddrPortFrom(s.clients[rand.IntN(len(s.clients))], 0)
	d := net.Dialer{Timeout: patience, LocalAddr: net.TCPAddrFromAddrPort(from)}
	if network == "udp" {
		d.LocalAddr = net.UDPAddrFromAddrPort(from)
	}
	c, err := d.Dial(network, s.At(port))
	if err != nil {
		return nil
	}
	return c
}

// fetch reads a page, after a moment in which the connection is just open.
func fetch(c net.Conn) {
	defer c.Close()
	<-time.After(time.Duration(rand.IntN(1500)) * time.Millisecond)
	c.SetDeadline(time.Now().Add(patience))
	io.WriteString(c, "GET / HTTP/1.0\r\n\r\n")
	io.Copy(io.Discard, c)
}

func ask(c net.Conn) {
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	io.WriteString(c, "name?")
	c.Read(make([]byte, 512))
}

// stay keeps a connection open and says a little now and then.
func stay(c net.Conn, howLong time.Duration) {
	defer c.Close()
	end := time.After(howLong)
	say := time.NewTicker(time.Second)
	defer say.Stop()
	go io.Copy(io.Discard, c)
	for {
		select {
		case <-end:
			return
		case <-say.C:
			if _, err := c.Write(make([]byte, 100+rand.IntN(900))); err != nil {
				return
			}
		}
	}
}
