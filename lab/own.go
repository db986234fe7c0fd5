package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// Own gives the host an empty directory: all others it shares with the others.
func (h *Host) Own(dir string) {
	h.net.t.Helper()
	h.Command("mkdir", "-p", dir)
	h.Command("mount", "-t", "tmpfs", "-o", "mode=0700", "none", dir)
}

// Write adds a text to a file of the host.
func (h *Host) Write(path, text string) {
	h.net.t.Helper()
	var err error
	h.Do(func() {
		var f *os.File
		if f, err = os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600); err == nil {
			_, err = f.WriteString(text)
			f.Close()
		}
	})
	if err != nil {
		h.net.t.Fatalf("lab: write %s on %s: %v", path, h.Name, err)
	}
}

// killAll ends every process of the host.
func (h *Host) killAll() {
	own, _ := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", h.spaces[0].Fd()))
	processes, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range processes {
		if ns, err := os.Readlink(dir + "/ns/net"); err == nil && ns == own {
			pid, _ := strconv.Atoi(filepath.Base(dir))
			_ = unix.Kill(pid, unix.SIGKILL)
		}
	}
}
