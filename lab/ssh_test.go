package lab

import (
	"strings"
	"testing"
)

// TestSSH logs in: with a key and a host that is known, and not without either.
func TestSSH(t *testing.T) {
	Require(t)
	n := New(t)
	lan := n.Segment("lan")
	server, client := n.Host("server"), n.Host("client")
	server.Join(lan, "eth0", "192.0.2.1/24")
	client.Join(lan, "eth0", "192.0.2.2/24")
	server.ServeSSH()
	client.LogIn()
	login := func() (string, error) { return client.Try("ssh", "-o", "BatchMode=yes", "192.0.2.1", "hostname") }

	if out, err := login(); err == nil || !strings.Contains(err.Error(), "Host key verification failed") {
		t.Errorf("at an unknown host: %q, %v", out, err)
	}
	client.Know(server, "192.0.2.1")
	if out, err := login(); err == nil || !strings.Contains(err.Error(), "Permission denied (publickey)") {
		t.Errorf("without being admitted: %q, %v", out, err)
	}
	server.Admit(client)
	if out, err := login(); err != nil || out != "server\n" {
		t.Errorf("admitted: %q, %v", out, err)
	}
}
