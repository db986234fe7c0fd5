package lab

import (
	"os"
	"os/exec"
	"strings"
)

// Where root keeps its keys, and a server of ssh all that is its own: what else
// there is of files, hosts share.
const (
	sshHome   = "/root/.ssh"
	sshServer = "/run/sshd"
)

// sshdConfig is a server that takes keys and nothing else, though everybody may
// write to the lab's root directory. The cheapest way to agree on a secret is dear
// enough for an emulated processor.
const sshdConfig = `HostKey ` + sshServer + `/key
AuthorizedKeysFile ` + sshServer + `/admitted
AuthenticationMethods publickey
KexAlgorithms curve25519-sha256
SetEnv PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
LogLevel FATAL
PidFile none
StrictModes no
UseDNS no
`

// ServeSSH runs OpenSSH's own server on all addresses of the host. Nobody may
// log in (Admit), and nobody knows its key (Know).
func (h *Host) ServeSSH() {
	h.net.t.Helper()
	h.Own(sshServer)
	h.keygen(sshServer + "/key")
	h.Write(sshServer+"/config", sshdConfig)
	cmd := exec.Command("/usr/sbin/sshd", "-D", "-e", "-f", sshServer+"/config")
	cmd.Stderr = os.Stderr
	if err := h.Start(cmd); err != nil {
		h.net.t.Fatalf("lab: start sshd on %s: %v", h.Name, err)
	}
	h.net.t.Cleanup(func() {
		h.killAll() // a session whose client was lost would stay
		_ = cmd.Wait()
	})
	Wait(h.net.t, "sshd on "+h.Name, func() error {
		c, err := h.Dial("tcp", "127.0.0.1:22")
		if err == nil {
			c.Close()
		}
		return err
	})
}

// LogIn gives root of the host a key, and no server that it knows.
func (h *Host) LogIn() {
	h.net.t.Helper()
	h.Own(sshHome)
	h.keygen(sshHome + "/id_ed25519")
}

// Admit lets root of another host log in.
func (h *Host) Admit(root *Host) {
	h.net.t.Helper()
	h.Write(sshServer+"/admitted", root.Command("cat", sshHome+"/id_ed25519.pub"))
}

// Know tells root of the host a server's key, under the names it will be called.
func (h *Host) Know(server *Host, names ...string) {
	h.net.t.Helper()
	h.Write(sshHome+"/known_hosts", strings.Join(names, ",")+" "+server.Command("cat", sshServer+"/key.pub"))
}

func (h *Host) keygen(file string) {
	h.net.t.Helper()
	h.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file)
}
