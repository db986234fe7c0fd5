package kernel

import (
	"context"
	"errors"
	"slices"

	"golang.org/x/sys/unix"

	"lvsdeck/ipvs"
)

// turnSize bounds the services whose servers are read in one turn of the socket:
// others may be waiting.
const turnSize = 64

// Rules implements ipvs.Table with a dump of the services and one of the servers
// of each, and no look at their figures.
func (c *Client) Rules(ctx context.Context) ([]ipvs.ServiceRules, error) {
	rules, err := services(ctx, c, parseServiceRules, func(s *ipvs.ServiceRules) ipvs.ServiceID { return s.ServiceID })
	if err != nil {
		return nil, err
	}
	about := turnSize * fewServers
	for turn := range slices.Chunk(rules, turnSize) {
		if about, err = c.addServers(ctx, turn, about); err != nil {
			return nil, refused(ipvs.OpList, "", err)
		}
	}
	return c.dropGone(ctx, rules)
}

func parseServiceRules(message []byte, s *ipvs.ServiceRules) error {
	_, err := parseServiceNow(message, &s.Service)
	return err
}

// addServers reads the servers of some services, about so many, once more when they
// were lost, and tells how many there are.
func (c *Client) addServers(ctx context.Context, services []ipvs.ServiceRules, about int) (int, error) {
	for again := false; ; again = true {
		all := make([]ipvs.Server, 0, about)
		ends := make([]int, len(services)) // of each one's among all
		questions := make([]question, len(services))
		var ids writer
		for i := range services {
			at := len(ids.buf)
			configureID(&ids, services[i].ServiceID)
			questions[i].request = request{cmd: cmdGetDest, flags: unix.NLM_F_DUMP, attrs: ids.buf[at:]}
			questions[i].each = func(message []byte) error {
				var s ipvs.ServerState
				_, err := parseServerNow(message, &s)
				all = append(all, s.Server)
				ends[i] = len(all)
				return err
			}
		}
		err := c.ask(ctx, questions...)
		switch {
		case err == nil:
			begin := 0
			for i, end := range ends {
				if end > begin {
					services[i].Servers = all[begin:end:end]
					begin = end
				}
			}
			return len(all), nil
		case again || !errors.Is(err, errLost):
			return 0, err
		}
	}
}

// dropGone drops services that went before their servers were read: the kernel
// tells them from those that have none only when asked for the service itself.
func (c *Client) dropGone(ctx context.Context, rules []ipvs.ServiceRules) ([]ipvs.ServiceRules, error) {
	var failed error
	rules = slices.DeleteFunc(rules, func(s ipvs.ServiceRules) bool {
		if len(s.Servers) > 0 || failed != nil {
			return false
		}
		_, err := c.Service(ctx, s.ServiceID)
		if errors.Is(err, ipvs.ErrNoService) {
			return true
		}
		failed = err
		return false
	})
	return rules, failed
}
