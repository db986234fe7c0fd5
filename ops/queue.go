package ops

import "lvsdeck/ipvs"

// queue says whose servers to read in detail beside the focus: first the
// services with a server whose settings are not known, then all in turn.
type queue struct {
	unknown []ipvs.ServiceID
	turn    int // place of the service whose turn it is
}

func (q *queue) add(id ipvs.ServiceID, row *serviceRow) {
	if !row.queued {
		row.queued = true
		q.unknown = append(q.unknown, id)
	}
}

// take tells whether a service is there to be asked for in this reading, and
// not a second time.
func (h *history) take(id ipvs.ServiceID) bool {
	at, ok := h.services.find(id, 0, ipvs.ServiceID.Compare)
	return ok && h.takeAt(at)
}

func (h *history) takeAt(at int) bool {
	row := &h.services.kept[at]
	if now := h.tick + 1; row.asked != now && !row.blind {
		row.asked, row.queued = now, false
		return true
	}
	return false
}

// nextInTurn takes the service to be read next, until every one was taken.
func (h *history) nextInTurn() (id ipvs.ServiceID, ok bool) {
	for len(h.unknown) > 0 {
		id, h.unknown = h.unknown[0], h.unknown[1:]
		if h.take(id) {
			return id, true
		}
	}
	n := len(h.services.keys)
	for range n {
		at := h.turn % n
		h.turn = at + 1
		if h.takeAt(at) {
			return h.services.keys[at], true
		}
	}
	return id, false
}
