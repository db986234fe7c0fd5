package kernel

import (
	"context"

	"lvsdeck/ipvs"
)

// Overview implements ipvs.Reader: a list of services by netlink, with servers
// from /proc/net/ip_vs, which is read first. Services that the text lacks are
// asked for one by one, and their servers are not Partial. They are few (those
// added between both readings), unless other network namespaces have services
// too, which makes the text of kernels before 7.1 incomplete (see package proc).
func (c *Client) Overview(ctx context.Context) (ipvs.Overview, error) {
	o, err := c.overview(ctx)
	if err != nil {
		return ipvs.Overview{}, refused(ipvs.OpList, "", err)
	}
	return o, nil
}

func (c *Client) overview(ctx context.Context) (o ipvs.Overview, err error) {
	table, err := c.files.Table()
	if err != nil {
		return o, err
	}
	listed, err := dump(ctx, c, cmdGetService, nil, len(table.Services)+1, parseEntry)
	if err != nil {
		return o, err
	}
	var missed []int
	o.Services, missed = merge(listed, table.Services)
	for _, i := range missed {
		e := &o.Services[i]
		if e.Servers, err = dump(ctx, c, cmdGetDest, written(configureID, e.ServiceID), fewServers, parseServer); err != nil {
			return o, err
		}
	}
	stats, live, err := c.files.Totals()
	o.Stats, o.LivePackets = stats, live.InPackets+live.OutPackets
	return o, err
}

func parseEntry(message []byte, e *ipvs.Entry) error { return parseService(message, &e.ServiceState) }

// merge gives the services of a list, each once, the servers that the text has
// for them, and says which of them the text has not. While others change the
// table, both may hold a service twice: their places in it are counted, and
// what is counted moves.
func merge(listed, text []ipvs.Entry) (once []ipvs.Entry, missed []int) {
	place := make(map[ipvs.ServiceID]int, len(listed))
	once = listed[:0]
	for _, e := range listed {
		if _, twice := place[e.ServiceID]; !twice {
			place[e.ServiceID] = len(once)
			once = append(once, e)
		}
	}
	marks := map[uint32][]*ipvs.Entry{} // the text's
	for i := range text {
		e := &text[i]
		if e.IsMark() {
			marks[e.Mark] = append(marks[e.Mark], e)
		} else if at, ok := place[e.ServiceID]; ok {
			once[at].Servers = e.Servers
		}
	}
	mergeMarks(once, marks)
	for i := range once {
		if once[i].Servers == nil { // as the parser never leaves it
			missed = append(missed, i)
		}
	}
	return once, missed
}

// mergeMarks gives mark services their servers. The text does not tell a mark's
// family, but list and text have one order: the nth row of a mark in one is the
// nth in the other, as long as both have as many.
func mergeMarks(listed []ipvs.Entry, text map[uint32][]*ipvs.Entry) {
	families := map[uint32][]*ipvs.Entry{}
	for i := range listed {
		if e := &listed[i]; e.IsMark() {
			families[e.Mark] = append(families[e.Mark], e)
		}
	}
	for mark, entries := range families {
		if rows := text[mark]; len(rows) == len(entries) {
			for n, e := range entries {
				e.Servers = rows[n].Servers
			}
		}
	}
}
