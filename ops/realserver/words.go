package realserver

import (
	"fmt"
	"net/netip"
	"strings"

	"lvsdeck/ops/setup"
)

// Unit is a systemd unit that keeps the script's work over reboots, in its order.
// It calls the script at a path.
func Unit(w Want, path string) string {
	return fmt.Sprintf(`# %s
# Put it into /etc/systemd/system/lvsdeck-%s.service, the script into
# %s, then: systemctl daemon-reload; systemctl enable --now lvsdeck-%[2]s
[Unit]
Description=%[1]s
Wants=network-online.target
After=network-online.target systemd-modules-load.service systemd-sysctl.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh %[3]s apply
ExecStop=/bin/sh %[3]s undo

[Install]
WantedBy=multi-user.target
`, w, unitName(w), path)
}

// unitName has no sign that systemd would not have in a name.
func unitName(w Want) string { return strings.ReplaceAll(w.Name(), ":", "_") }

// Path is where the unit looks for its script.
func Path(w Want) string { return "/usr/local/lib/lvsdeck/" + unitName(w) + ".sh" }

// System is one that the script does not know.
type System string

// The systems.
const (
	Windows System = "windows"
	BSD     System = "bsd"
)

// Recipe is what a server of another system needs, in words: for DR of a VIP, or,
// without one, for NAT by a gateway.
func Recipe(s System, vip, gateway netip.Addr) (string, error) {
	if !vip.IsValid() {
		if err := unicast("gateway", gateway); err != nil {
			return "", err
		}
		return recipeNAT(s, gateway), nil
	}
	if err := unicast(string(setup.DR), vip); err != nil {
		return "", err
	}
	if s == BSD {
		return recipeBSD(vip), nil
	}
	return recipeWindows(vip), nil
}

func recipeNAT(s System, gateway netip.Addr) string {
	command := fmt.Sprintf("route change default %s", gateway)
	switch {
	case s == Windows && gateway.Is6():
		command = fmt.Sprintf(`netsh interface ipv6 add route ::/0 "net" %s`, gateway)
	case s == Windows:
		command = fmt.Sprintf("route -p change 0.0.0.0 mask 0.0.0.0 %s", gateway)
	case gateway.Is6():
		command = fmt.Sprintf("route -n change -inet6 default %s", gateway)
	}
	return fmt.Sprintf(`NAT: the server's default gateway must be the director, %s:
   %s
It cuts logins whose answers would go another way: be at the console. Full NAT needs
nothing but a way to the director.
`, gateway, command)
}

func recipeWindows(vip netip.Addr) string {
	family, extra := "ipv4", ""
	if vip.Is6() {
		family = "ipv6"
		extra = "   netsh interface ipv6 set interface \"loopback\" dadtransmits=0\n"
	}
	return fmt.Sprintf(`DR on Windows, for the VIP %[1]s. TUN is not possible there; NAT and full NAT
need no VIP. The network's interface is called "net" here, the new one "loopback".

1. Add the network adapter "Microsoft KM-TEST Loopback Adapter" (hdwwiz, legacy
   hardware, by hand) and call it "loopback". Nobody outside is told of its addresses.
2. In its properties take the mark off everything but this Internet Protocol.
3. Give it the VIP with the mask of one host, and no gateway:
   netsh interface %[2]s add address "loopback" %[3]s
4. Let packets for the VIP in by "net", and answers out:
   netsh interface %[2]s set interface "net" weakhostreceive=enabled
   netsh interface %[2]s set interface "loopback" weakhostreceive=enabled
   netsh interface %[2]s set interface "loopback" weakhostsend=enabled
%[4]s5. Let the service's port in by the firewall, on both interfaces.

Undo: remove the adapter, and set weakhostreceive of "net" to disabled.
`, vip, family, host(vip), extra)
}

// host is an address as netsh takes one host.
func host(a netip.Addr) string {
	if a.Is4() {
		return a.String() + " 255.255.255.255"
	}
	return a.String() + "/128"
}

func recipeBSD(vip netip.Addr) string {
	alias := fmt.Sprintf("inet %s netmask 255.255.255.255", vip)
	if vip.Is6() {
		alias = fmt.Sprintf("inet6 %s prefixlen 128", vip)
	}
	undo := "inet"
	if vip.Is6() {
		undo = "inet6"
	}
	return fmt.Sprintf(`DR on BSD, for the VIP %[1]s: the VIP as one host on lo0. These systems do not
answer on one interface for addresses of another.
   ifconfig lo0 alias %[2]s
Undo:
   ifconfig lo0 %[3]s %[1]s -alias
`, vip, alias, undo)
}
