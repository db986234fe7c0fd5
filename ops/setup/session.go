package setup

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"lvsdeck/netcfg"
	"lvsdeck/persist"
)

// ParseSession reads SSH_CONNECTION: the client's address and port, then the
// server's.
func ParseSession(text string) (*Session, error) {
	words := strings.Fields(text)
	if len(words) != 4 {
		return nil, fmt.Errorf("SSH_CONNECTION %q: must be two addresses with their ports", text)
	}
	client, err := netip.ParseAddr(words[0])
	if err != nil {
		return nil, fmt.Errorf("SSH_CONNECTION: %w", err)
	}
	server, err := netip.ParseAddr(words[2])
	if err != nil {
		return nil, fmt.Errorf("SSH_CONNECTION: %w", err)
	}
	port, err := strconv.ParseUint(words[3], 10, 16)
	if err != nil {
		return nil, fmt.Errorf("SSH_CONNECTION: port %w", err)
	}
	return &Session{
		Client: client.Unmap().WithZone(""), Server: netip.AddrPortFrom(server.Unmap().WithZone(""), uint16(port)),
		Link: client.Zone(), // of a link-local address, which alone does not say its link
	}, nil
}

// FindSession finds the SSH session that this process is part of, or nil.
func FindSession() *Session {
	s, _ := ParseSession(persist.SSHConnection())
	return s
}

// On finds the link by which packets go to the client. Of no session it is nil.
func (s *Session) On(host netcfg.Surroundings) *Session {
	if s == nil || s.Link != "" {
		return s
	}
	found := *s
	if back, err := host.Path(s.Client, s.Server.Addr()); err == nil {
		found.Link = back.Link
	}
	return &found
}
