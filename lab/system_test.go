package lab

import (
	"strconv"
	"strings"
	"testing"
)

// TestKernelLoadsOnDemand asks for what only modules can give.
func TestKernelLoadsOnDemand(t *testing.T) {
	Require(t)
	h := New(t).Host("director")
	for i, scheduler := range strings.Fields("rr wrr lc wlc fo ovf lblc lblcr dh sh mh sed nq") {
		h.Ipvsadm("-A", "-f", strconv.Itoa(i+1), "-s", scheduler)
	}
	h.Ipvsadm("-A", "-u", "192.0.2.1:5060", "-s", "rr", "--pe", "sip", "-p", "60", "-o")
	Modprobe(t, "ip_vs_ftp", "ipip", "ip_gre", "fou", "fou6", "ip6_tunnel", "sit", "dummy")
	h.Command("ip", "fou", "add", "port", "5555", "gue")
	h.Command("ip", "link", "add", "type", "dummy")
}

// TestIptables sees that both kinds of iptables know what directors need.
func TestIptables(t *testing.T) {
	Require(t)
	for _, variant := range []string{"iptables-nft", "iptables-legacy", "ip6tables-nft", "ip6tables-legacy", "iptables"} {
		t.Run(variant, func(t *testing.T) {
			h := New(t).Host("director")
			address := "192.0.2.1"
			if strings.HasPrefix(variant, "ip6") {
				address = "2001:db8::1"
			}
			rule := func(args string) { h.Command(variant, strings.Fields(args)...) }
			rule("-t nat -A POSTROUTING -m ipvs --vproto tcp --vaddr " + address + " --vport 80 --vdir ORIGINAL --vmethod MASQ -j MASQUERADE")
			rule("-t nat -A POSTROUTING -s " + address + " -j SNAT --to-source " + address)
			rule("-t mangle -A PREROUTING -d " + address + " -p tcp -m multiport --dports 80,443 -m comment --comment both -j MARK --set-mark 7")
			rule("-t mangle -A OUTPUT -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1440")
			rule("-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT")
			rule("-A INPUT -m limit --limit 5/min -j REJECT")
			if got := h.Command(variant+"-save", "-t", "mangle"); !strings.Contains(got, "--comment both") {
				t.Errorf("saved rules:\n%s", got)
			}
		})
	}
}

// TestTools runs the other programs once.
func TestTools(t *testing.T) {
	Require(t)
	h := New(t).Host("director")
	h.Ipvsadm("-A", "-t", "192.0.2.1:80", "-s", "rr")
	if got := h.Command("ipvsadm-save", "-n"); !strings.Contains(got, "-A -t 192.0.2.1:80 -s rr") {
		t.Errorf("ipvsadm-save: %s", got)
	}
	h.Command("conntrack", "-L")
	h.Command("ss", "-ltn")
	h.Command("bridge", "link")
	h.Command("tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms")
	h.Command("bash", "-c", "set -o pipefail; modinfo ip_vs | grep -q depends")
}
