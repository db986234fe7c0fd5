package boot

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// Place is where the files are.
type Place struct {
	Root    string // before every path but Rules; "" is the host's own
	Rules   string // the rules file
	Program string // lvsdeck, as the unit runs it
}

const (
	unitName = "lvsdeck.service"
	unitDir  = "/etc/systemd/system"
)

func (p Place) kept() string { return p.Root + "/etc/lvsdeck/kept.json" }
func (p Place) unit() string { return p.Root + unitDir + "/" + unitName }
func (p Place) link() string { return p.Root + unitDir + "/multi-user.target.wants/" + unitName }

// unitText is the unit. After= of what may not exist costs nothing: ipvsadm's own
// script clears the table before it restores, so that ours comes after it.
func (p Place) unitText() string {
	return `# Written by lvsdeck keep, removed by lvsdeck unset.
[Unit]
Description=LVS set-ups that lvsdeck keeps
Wants=network-online.target
After=network-online.target systemd-modules-load.service systemd-sysctl.service ipvsadm.service

# No ExecStop: stopping the unit does not take the director out of service.
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=` + p.Program + ` boot

[Install]
WantedBy=multi-user.target
`
}

// plainPath is what systemd takes for one word without quotes.
var plainPath = regexp.MustCompile(`^/[A-Za-z0-9_./+-]+$`)

// check refuses a program that is not there at boot.
func (p Place) check() error {
	if !plainPath.MatchString(p.Program) {
		return fmt.Errorf("program %q: must be an absolute path of letters, digits and _./+- to be run at boot; install it in /usr/local/sbin", p.Program)
	}
	for _, gone := range []string{"/tmp/", "/run/", "/var/run/", "/dev/shm/"} {
		if strings.HasPrefix(p.Program, gone) {
			return fmt.Errorf("program %s: a restart removes what is in %s; install it in /usr/local/sbin", p.Program, gone)
		}
	}
	return nil
}

// systemd tells whether units are read here at boot.
func (p Place) systemd() bool {
	info, err := os.Stat(p.Root + unitDir)
	return err == nil && info.IsDir()
}

// notes are what an operator should know about other boot files.
func (p Place) notes() (all []string) {
	if !p.systemd() {
		all = append(all, fmt.Sprintf("This host has no systemd (%s): let its own boot scripts run: %s boot", unitDir, p.Program))
	}
	if auto(p.Root + "/etc/default/ipvsadm") {
		all = append(all, `/etc/default/ipvsadm has AUTO="true": ipvsadm's own script restores `+p.Rules+
			" at boot, too. That does no harm: lvsdeck comes after it and finds most of it done.")
	}
	if _, err := os.Lstat(p.Root + unitDir + "/multi-user.target.wants/ipvsadm.service"); err == nil {
		all = append(all, "ipvsadm.service is enabled: it restores "+p.Rules+" at boot, too, which does no harm; but stopping it "+
			"writes what runs into that file and clears the table. To leave both to lvsdeck: systemctl disable ipvsadm")
	}
	ours, err := os.Readlink("/proc/thread-self/ns/net")
	first, err1 := os.Readlink("/proc/1/ns/net")
	if p.Root == "" && err == nil && err1 == nil && ours != first {
		all = append(all, "This is a network namespace of its own: at boot, "+p.Program+" boot must be run inside it, which the unit does not do.")
	}
	return all
}

// auto tells whether Debian's script restores rules at boot: only with AUTO="true",
// which is not its default.
func auto(file string) bool {
	text, err := os.ReadFile(file)
	if err != nil {
		return false
	}
	on := false
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), "AUTO="); ok {
			on = strings.Trim(strings.TrimSpace(value), `"'`) == "true"
		}
	}
	return on
}

// reloadTime bounds systemctl.
const reloadTime = 10 * time.Second

// reload lets a running systemd read its units anew: without it "systemctl status"
// tells old things until the next boot.
func (p Place) reload(ctx context.Context) error {
	if _, err := os.Stat(filepath.Join("/", p.Root, "run/systemd/system")); err != nil { // sd_booted(3)
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, reloadTime)
	defer cancel()
	if out, err := exec.CommandContext(ctx, "systemctl", "daemon-reload").CombinedOutput(); err != nil {
		return fmt.Errorf("all is written, but systemctl daemon-reload failed: %w: %s", err, strings.Join(strings.Fields(string(out)), " "))
	}
	return nil
}
