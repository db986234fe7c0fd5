package kernel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/proc"
	"lvsdeck/lab"
)

// A call given up in the middle of a list costs the socket. The next one is in
// the same namespace, although neither the test nor the client's threads are.
func TestRedial(t *testing.T) {
	c := openOn(t, director(t))
	write(t, c, ruled())
	for range 3 {
		ctx, cancel := context.WithCancel(t.Context())
		dump(ctx, c, cmdGetService, nil, 0, func([]byte, *ipvs.Entry) error {
			cancel()
			return nil
		})
		conn := <-c.turn
		c.turn <- conn
		if conn != nil {
			t.Error("the socket was kept")
		}
		o, err := c.Overview(t.Context())
		if err != nil || len(o.Services) != len(ruled()) {
			t.Errorf("after giving up: want %d services, got %d, %v", len(ruled()), len(o.Services), err)
		}
	}
}

// More refusals than the socket can hold: nothing is known of that volley, and
// the next one is answered. Volleys are far from that size.
func TestTooManyRefusals(t *testing.T) {
	c := openOn(t, director(t))
	same := slices.Repeat(changes(1), 1000)
	err := c.with(t.Context(), func(conn *conn) error {
		_, err := conn.volley(t.Context(), same)
		return err
	})
	if err != errLost {
		t.Errorf("%d changes in one volley: want %v, got %v", len(same), errLost, err)
	}
	for i, err := range c.Apply(t.Context(), same) {
		if !errors.Is(err, ipvs.ErrServiceExists) {
			t.Fatalf("change %d: want %v, got %v", i, ipvs.ErrServiceExists, err)
		}
	}
}

// Edits keep a server's connections and counters, as the console promises.
func TestEditKeepsConnections(t *testing.T) {
	lab.Require(t)
	s := lab.Director(t, lab.NAT, 1, false)
	c := openOn(t, s.Director)
	id := at(ipvs.TCP, s.At(lab.TCPPort))
	rs := real(netip.AddrPortFrom(s.Addrs[0], lab.TCPPort).String(), ipvs.Masq, 1, ipvs.Tunnel{})
	write(t, c, []ipvs.Entry{{
		ServiceState: ipvs.ServiceState{Service: ipvs.NewService(id)},
		Servers:      []ipvs.ServerState{{Server: rs}},
	}})
	conn, err := s.Client.Dial("tcp", s.At(lab.TCPPort))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.ReadFull(conn, make([]byte, len("rs1\n"))); err != nil {
		t.Fatal(err)
	}
	check := func(when string) {
		t.Helper()
		servers, err := c.Servers(t.Context(), id)
		if err != nil || len(servers) != 1 || servers[0].Active != 1 || servers[0].Stats.Total.Conns != 1 {
			t.Errorf("%s: want 1 active connection of 1, got %+v, %v", when, servers, err)
		}
	}
	lab.Wait(t, "the estimator", func() error {
		if state, err := c.Service(t.Context(), id); err != nil || state.Stats.Total.Conns != 1 {
			return fmt.Errorf("%+v, %w", state.Stats, err)
		}
		return nil
	})
	check("before")
	rs.Weight, rs.Upper = 0, 1000
	if err := c.SetServer(t.Context(), id, rs); err != nil {
		t.Fatal(err)
	}
	check("after the server's edit")
	set := ipvs.NewService(id)
	set.Scheduler = "rr"
	if err := c.SetService(t.Context(), set); err != nil {
		t.Fatal(err)
	}
	check("after the service's edit")
	o, err := c.Overview(t.Context())
	if err != nil || o.LivePackets == 0 || o.Stats.Total.Conns != 1 || o.Services[0].Servers[0].Active != 1 {
		t.Errorf("overview: %+v, %v", o, err)
	}
	if err := c.Zero(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if state, err := c.Service(t.Context(), id); err != nil || state.Stats.Total.Conns != 0 {
		t.Errorf("after zero: %+v, %v", state.Stats, err)
	}
}

const childVariable = "LVSDECK_TEST_WITHOUT_RIGHTS"

// TestWithoutRights runs itself again as somebody else, who may read the text
// but not ask the kernel.
func TestWithoutRights(t *testing.T) {
	if os.Getenv(childVariable) != "" {
		withoutRights()
		return
	}
	h := director(t)
	write(t, openOn(t, h), ruled())
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestWithoutRights$")
	cmd.Env = append(os.Environ(), childVariable+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := h.Start(cmd); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	want := fmt.Sprintf("permission: true\nservices: %d, read-only: true\n", len(ruled()))
	if !strings.HasPrefix(out.String(), want) {
		t.Errorf("want %q\n got %q", want, out.String())
	}
}

func withoutRights() {
	_, err := Open(context.Background(), Options{LoadModule: true})
	fmt.Println("permission:", errors.Is(err, ipvs.ErrPermission))
	r, err := proc.Open()
	if err != nil {
		fmt.Println(err)
		return
	}
	o, err := r.Overview(context.Background())
	fmt.Printf("services: %d, read-only: %v\n", len(o.Services), r.Limits().ReadOnly)
	if err != nil {
		fmt.Println(err)
	}
}

// TestReload takes the modules away under an open client and reader and brings
// them back: with new files and a new family number.
func TestReload(t *testing.T) {
	h := director(t)
	c := openOn(t, h)
	var r *proc.Reader
	h.Do(func() { r, _ = proc.Open() })
	defer r.Close()
	lab.Wait(t, "the modules to be let go", unload)
	if _, err := c.Overview(t.Context()); !errors.Is(err, ipvs.ErrUnavailable) {
		t.Errorf("without the module: want %v, got %v", ipvs.ErrUnavailable, err)
	}
	if err := c.AddService(t.Context(), ruled()[0].Service); !errors.Is(err, ipvs.ErrUnavailable) {
		t.Errorf("without the module: want %v, got %v", ipvs.ErrUnavailable, err)
	}
	if _, err := r.Overview(t.Context()); !errors.Is(err, ipvs.ErrUnavailable) {
		t.Errorf("without the module: want %v, got %v", ipvs.ErrUnavailable, err)
	}
	h.Do(func() {
		_, err := Open(t.Context(), Options{})
		if !errors.Is(err, ipvs.ErrUnavailable) {
			t.Errorf("without the module: want %v, got %v", ipvs.ErrUnavailable, err)
		}
		again, err := Open(t.Context(), Options{LoadModule: true})
		if err != nil {
			t.Fatal(err)
		}
		again.Close()
	})
	write(t, c, ruled())
	same(t, "the table after the reload", tableLines(ruled()), tableLines(readAll(t, c)))
	if o, err := r.Overview(t.Context()); err != nil || len(o.Services) != len(ruled()) {
		t.Errorf("text after the reload: %d services, %v", len(o.Services), err)
	}
}

// unload removes IPVS and all that hangs on it, as far as nobody uses it.
func unload() error {
	loaded, err := os.ReadFile("/proc/modules")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(loaded)) {
		if name, _, _ := strings.Cut(line, " "); strings.HasPrefix(name, "ip_vs_") {
			err = errors.Join(err, unix.DeleteModule(name, unix.O_NONBLOCK))
		}
	}
	return errors.Join(err, unix.DeleteModule("ip_vs", unix.O_NONBLOCK))
}
