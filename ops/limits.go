package ops

import "time"

// How often a table is read. Below a second the reading itself would show in
// the director's load; totals and rates move every 2 s anyway.
const (
	DefaultInterval = 2 * time.Second
	MinInterval     = time.Second
	MaxInterval     = time.Minute
)

// patience is how long a reading may take at least: a big table on a busy
// director needs seconds, and a stuck netlink socket must not stop the console.
const patience = 5 * time.Second

// What one reading spends on services outside the focus, so that thresholds
// and tunnels become known without being felt.
const (
	turnServices = 16
	turnTime     = 100 * time.Millisecond
)

// focusPause lies between two quick readings: holding a cursor key down asks
// for a new focus with every row.
const focusPause = 150 * time.Millisecond
