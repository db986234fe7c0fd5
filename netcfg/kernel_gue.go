package netcfg

import (
	"errors"
	"fmt"
	"slices"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

type kernelGUE GUE

// has does not ask for fou by its name, since the kernel would load the module.
func (g kernelGUE) has() (bool, error) {
	families, err := whole(netlink.GenlFamilyList)
	if err != nil {
		return false, meaning(err)
	}
	if !slices.ContainsFunc(families, func(f *netlink.GenlFamily) bool { return f.Name == netlink.FOU_GENL_NAME }) {
		return false, nil
	}
	all, err := whole(func() ([]netlink.Fou, error) { return netlink.FouList(g.family()) }) // of both families
	return slices.ContainsFunc(all, func(now netlink.Fou) bool {
		return now.Port == int(g.Port) && now.EncapType == netlink.FOU_ENCAP_GUE && now.Family == g.family()
	}), meaning(err)
}

// add is not netlink.FouAdd, which names protocol 0, and kernels refuse that
// since 2026.
func (g kernelGUE) add() error {
	id, err := netlink.FouFamilyId()
	if errors.Is(err, unix.ENOENT) {
		return errNoFou
	}
	if err != nil {
		return meaning(err)
	}
	req := nl.NewNetlinkRequest(id, unix.NLM_F_ACK)
	req.AddData(&nl.Genlmsg{Command: netlink.FOU_CMD_ADD, Version: 1})
	req.AddData(nl.NewRtAttr(netlink.FOU_ATTR_PORT, nl.BEUint16Attr(g.Port)))
	req.AddData(nl.NewRtAttr(netlink.FOU_ATTR_TYPE, nl.Uint8Attr(netlink.FOU_ENCAP_GUE)))
	req.AddData(nl.NewRtAttr(netlink.FOU_ATTR_AF, nl.Uint8Attr(uint8(g.family()))))
	_, err = req.Execute(unix.NETLINK_GENERIC, 0)
	return meaning(err)
}

var errNoFou = fmt.Errorf("%w: fou; load it first", ErrNoModule)

func (g kernelGUE) remove() error {
	return meaning(netlink.FouDel(netlink.Fou{Family: g.family(), Port: int(g.Port)}))
}

func (g kernelGUE) family() int {
	if g.IPv6 {
		return unix.AF_INET6
	}
	return unix.AF_INET
}
