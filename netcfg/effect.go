package netcfg

import (
	"fmt"
	"strconv"
)

// Effect is what two sysctls of one name, that of all links and that of one,
// come to for the link (Linux: include/linux/inetdevice.h). Looking at one of
// them alone is how operators are led astray.
type Effect uint8

// The effects.
const (
	Own Effect = iota // the link's alone
	Max               // the greater of both
	Or                // on when one of both is
	And               // on when both are
)

// effects has the sysctls of net.ipv4.conf that do not go by the link's alone.
// accept_redirects is Or on a host and And on a router.
var effects = map[string]Effect{
	"arp_ignore": Max, "arp_announce": Max, "rp_filter": Max, "arp_notify": Max,
	"accept_local": Or, "send_redirects": Or, "log_martians": Or, "secure_redirects": Or, "proxy_arp": Or,
	"src_valid_mark": Or, "accept_redirects": Or,
}

// Conf is the name of an IPv4 sysctl of a link, or of "all".
func Conf(link, name string) string { return "net/ipv4/conf/" + link + "/" + name }

// Effective is what a sysctl of net.ipv4.conf comes to for a link.
func Effective(s Sysctls, link, name string) (int, error) {
	own, err := readNumber(s, Conf(link, name))
	effect := effects[name]
	if err != nil || effect == Own {
		return own, err
	}
	all, err := readNumber(s, Conf("all", name))
	if err != nil {
		return 0, err
	}
	if effect == Or && name == "accept_redirects" {
		switch forwards, err := readNumber(s, Conf(link, "forwarding")); {
		case err != nil:
			return 0, err
		case forwards != 0:
			effect = And
		}
	}
	return effect.of(all, own), nil
}

func (e Effect) of(all, own int) int {
	switch e {
	case Max:
		return max(all, own)
	case Or:
		return on(all != 0 || own != 0)
	case And:
		return on(all != 0 && own != 0)
	}
	return own
}

func on(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

func readNumber(s Sysctls, name string) (int, error) {
	value, err := s.Get(name)
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(value)
	if err != nil {
		return 0, fmt.Errorf("sysctl %s is %q, no number", name, value)
	}
	return n, nil
}
