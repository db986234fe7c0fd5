package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// patience bounds every single question a client asks.
const patience = 10 * time.Second

// Listen opens a listening socket on the host, closed when the test ends.
func (h *Host) Listen(network, address string) net.Listener {
	h.net.t.Helper()
	var l net.Listener
	var err error
	h.Do(func() { l, err = net.Listen(network, address) })
	if err != nil {
		h.net.t.Fatalf("lab: listen on %s: %v", h.Name, err)
	}
	h.net.t.Cleanup(func() { l.Close() })
	return l
}

// ServeHTTP answers every request with the host's name.
func (h *Host) ServeHTTP(address string) {
	h.net.t.Helper()
	l := h.Listen("tcp", address)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, h.Name)
	})}
	go server.Serve(l) // until the listener is closed
	h.net.t.Cleanup(func() { server.Close() })
}

// ServeTCP greets every connection with the host's name and a new line, then
// sends back what it gets until the client is done.
func (h *Host) ServeTCP(address string) {
	h.net.t.Helper()
	l := h.Listen("tcp", address)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				io.WriteString(c, h.Name+"\n")
				io.Copy(c, c)
			}()
		}
	}()
}

// ServeUDP answers every packet with the host's name. The address must be the
// one that clients send to: the answer to a packet for a socket on all
// addresses leaves with an address of the kernel's choice, not the VIP.
func (h *Host) ServeUDP(address string) {
	h.net.t.Helper()
	var c net.PacketConn
	var err error
	h.Do(func() { c, err = net.ListenPacket("udp", address) })
	if err != nil {
		h.net.t.Fatalf("lab: listen on %s: %v", h.Name, err)
	}
	h.net.t.Cleanup(func() { c.Close() })
	go func() {
		for packet := make([]byte, 2048); ; {
			_, from, err := c.ReadFrom(packet)
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil {
				c.WriteTo([]byte(h.Name), from)
			}
		}
	}()
}

// Dial connects from the host.
func (h *Host) Dial(network, address string) (net.Conn, error) {
	return h.DialContext(context.Background(), network, address)
}

// DialContext connects from the host, for those who want a dialler.
func (h *Host) DialContext(ctx context.Context, network, address string) (c net.Conn, err error) {
	h.net.t.Helper()
	h.Do(func() {
		d := net.Dialer{Timeout: patience}
		c, err = d.DialContext(ctx, network, address)
	})
	return c, err
}

// HTTPGet asks for http://address/ over a connection of its own and returns
// what is answered.
func (h *Host) HTTPGet(address string) (string, error) {
	h.net.t.Helper()
	client := http.Client{
		Timeout:   patience,
		Transport: &http.Transport{DialContext: h.DialContext, DisableKeepAlives: true},
	}
	answer, err := client.Get("http://" + address + "/")
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("http://%s/ answers %s", address, answer.Status)
	}
	return string(body), err
}

// Ask connects over tcp or udp, and returns the name of the one who answers.
func (h *Host) Ask(network, address string) (string, error) {
	h.net.t.Helper()
	c, err := h.Dial(network, address)
	if err != nil {
		return "", err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(c, "who is there?\n"); err != nil {
		return "", err
	}
	name := make([]byte, 64)
	n, err := c.Read(name)
	line, _, _ := strings.Cut(string(name[:n]), "\n")
	return line, err
}

// Tally asks a number of times and counts the answers. The first error ends it.
func Tally(times int, ask func() (string, error)) (map[string]int, error) {
	answers := map[string]int{}
	for range times {
		name, err := ask()
		if err != nil {
			return answers, err
		}
		answers[name]++
	}
	return answers, nil
}
