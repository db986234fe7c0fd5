package lab

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// State is all that is configured on the host, as sorted lines that begin with
// what they are about: addresses, links, routes, rules, GUE ports, iptables,
// sysctls of IPv4 and IPv6, and IPVS. What runs by itself is left out: counters,
// timers, lifetimes, neighbours, connections. So are chains of iptables that do
// nothing, since nobody can remove them. Two equal states are hosts that do the
// same, and one that was changed and changed back has its old one.
func (h *Host) State() string {
	h.net.t.Helper()
	var all []string
	add := func(about string, lines []string) {
		for _, line := range lines {
			if line = tidy(line); line != "" {
				all = append(all, about+": "+line)
			}
		}
	}
	tool := func(about, command string) {
		words := strings.Fields(command)
		add(about, strings.Split(h.Command(words[0], words[1:]...), "\n"))
	}
	tool("addr", "ip -o addr show")
	tool("link", "ip -o -d link show")
	for _, family := range []string{"-4", "-6"} {
		tool("route"+family, "ip "+family+" route show table all")
		tool("rule"+family, "ip "+family+" rule show")
	}
	if _, err := os.Stat("/sys/module/fou"); err == nil { // else ip would load it
		tool("fou", "ip fou show")
	}
	for _, save := range []string{"iptables-save", "ip6tables-save", "iptables-legacy-save", "ip6tables-legacy-save"} {
		add(save, chains(h.Command(save)))
	}
	tool("ipvs", "ipvsadm -S -n")
	tool("ipvs", "ipvsadm -L --timeout")
	tool("ipvs", "ipvsadm -L --daemon")
	add("sysctl", h.sysctls())
	slices.Sort(all)
	return strings.Join(all, "\n") + "\n"
}

// passing is what changes by itself in the words of ip(8): the numbers of links,
// lifetimes, and that an address has just come.
var passing = regexp.MustCompile(`^\d+: |\bvalid_lft \S+|\bpreferred_lft \S+|\bexpires \S+|\btentative\b`)

func tidy(line string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(passing.ReplaceAllString(line, ""), `\`, "")), " ")
}

// chains reads what iptables-save prints: each rule with its place in its chain,
// chains that somebody made, and policies other than ACCEPT.
func chains(saved string) (lines []string) {
	table, places := "", map[string]int{}
	for line := range strings.Lines(saved) {
		line = strings.TrimSpace(line)
		words := strings.Fields(line)
		switch {
		case strings.HasPrefix(line, "*"):
			table = line[1:]
		case strings.HasPrefix(line, ":") && words[1] != "ACCEPT":
			lines = append(lines, fmt.Sprintf("%s %s %s", table, words[0][1:], words[1]))
		case strings.HasPrefix(line, "-A "):
			chain := table + " " + words[1]
			places[chain]++
			lines = append(lines, fmt.Sprintf("%s %d %s", chain, places[chain], line))
		}
	}
	return lines
}

// sysctls reads all that can be read.
func (h *Host) sysctls() (lines []string) {
	h.net.t.Helper()
	const root = "/proc/sys/"
	var err error
	h.Do(func() {
		for _, dir := range []string{"net/ipv4", "net/ipv6"} {
			err = filepath.WalkDir(root+dir, func(file string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				if value, err := os.ReadFile(file); err == nil {
					lines = append(lines, strings.TrimPrefix(file, root)+" = "+string(value))
				}
				return nil
			})
			if err != nil {
				return
			}
		}
	})
	if err != nil {
		h.net.t.Fatalf("lab: read the sysctls of %s: %v", h.Name, err)
	}
	return lines
}

// Difference is the lines that only one of two states has.
func Difference(before, now string) string {
	only := func(sign, of, other string) (out string) {
		lines := strings.Split(other, "\n")
		for line := range strings.Lines(of) {
			if !slices.Contains(lines, strings.TrimSuffix(line, "\n")) {
				out += sign + line
			}
		}
		return out
	}
	return only("- ", before, now) + only("+ ", now, before)
}
