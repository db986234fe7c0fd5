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
	services, err := c.Services(ctx)
	if err != nil {
		return nil, err
	}
	rules := make([]ipvs.ServiceRules, len(services))
	for i := range services {
		rules[i].Service = services[i].Service
	}
	for turn := range slices.Chunk(rules, turnSize) {
		if err := c.addServers(ctx, turn); err != nil {
			return nil, refused(ipvs.OpList, "", err)
		}
	}
	return c.dropGone(ctx, rules)
}

// addServers reads the servers of some services, once more when they were lost.
func (c *Client) addServers(ctx context.Context, services []ipvs.ServiceRules) error {
	for again := false; ; again = true {
		all := make([]ipvs.Server, 0, len(services)*fewServers)
		ends := make([]int, len(services)) // of each one's among all
		questions := make([]question, len(services))
		for i := range services {
			questions[i].request = request{cmd: cmdGetDest, flags: unix.NLM_F_DUMP, attrs: written(configureID, services[i].ServiceID)}
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
			return nil
		case again || !errors.Is(err, errLost):
			return err
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
