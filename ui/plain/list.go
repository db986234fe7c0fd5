package plain

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
	"lvsdeck/ops/plan"
	"lvsdeck/persist"
	"lvsdeck/ui/text"
)

// Listing is one reading of the table with what is known beside it.
type Listing struct {
	*ops.Sample
	Width int // cells of the terminal that the table is for; 0: as many as it takes

	labels map[string]persist.Label
	before func(plan.Row) uint32
}

// Recall takes from a store what it knows of the rows: names, notes, and the
// weights from before servers were drained.
func (l *Listing) Recall(s *persist.Store) (err error) {
	if l.labels, err = s.Labels().Get(); err != nil {
		return err
	}
	l.before, err = plan.Meant(s)
	return err
}

func (l Listing) label(key string) (name, note string) {
	label := l.labels[key]
	return text.Clean(label.Name), text.Clean(label.Note)
}

// meant is the weight that a server had before it was drained, or 0.
func (l Listing) meant(v *ops.Service, r *ops.Server) uint32 {
	if l.before == nil || r.Weight > 0 {
		return 0
	}
	return l.before(plan.Row{Service: v.ServiceID, Server: r.Server})
}

// What can be said of a row in a word.
const (
	stateUp      = "up"
	stateDrained = "drained" // weight 0
	stateFull    = "full"    // it reached its upper threshold
	statePart    = "part"    // some servers of the service take connections
	stateDown    = "down"    // none does
)

func serverState(r *ops.Server) string {
	switch {
	case r.Weight == 0:
		return stateDrained
	case r.Overloaded():
		return stateFull
	}
	return stateUp
}

func serviceState(v *ops.Service) string {
	switch v.Up {
	case 0:
		return stateDown
	case len(v.Servers):
		return stateUp
	}
	return statePart
}

// Write writes the table in a format that CheckFormat accepts with CSV.
func (l Listing) Write(w io.Writer, format string) error {
	switch format {
	case "json":
		return l.json(w)
	case CSV:
		return l.csv(w)
	}
	return l.table(w)
}

// tableColumns are the table's; of those with a number that one goes first, where
// there is no room, which has the greatest.
var tableColumns = []struct {
	title string
	spare int
}{
	{"PROTO", 1}, {"SERVICE", 0}, {"SERVER", 0}, {"SCHED", 7}, {"FWD", 4}, {"WEIGHT", 0}, {"UP", 2}, {"ACTIVE", 0}, {"INACT", 5},
	{"CONN/S", 3}, {"BYTE/S IN", 8}, {"BYTE/S OUT", 9}, {"STATE", 6},
}

// table writes exact numbers; "-" is what is not known or means nothing.
func (l Listing) table(w io.Writer) error {
	var head []string
	for _, c := range tableColumns {
		head = append(head, c.title)
	}
	rows := [][]string{head}
	for _, v := range l.Services {
		rows = append(rows, tableRow(v, "-", text.Clean(v.Scheduler), dash(v.Forwards.String()), "-",
			fmt.Sprintf("%d/%d", v.Up, len(v.Servers)), v.Figures, v.Forwards.CountsReplies(), serviceState(v)))
		for _, r := range v.Servers {
			rows = append(rows, tableRow(v, r.Name, "-", r.Forward.String(), strconv.FormatUint(uint64(r.Weight), 10),
				"-", r.Figures, r.Forward.CountsReplies(), serverState(r)))
		}
	}
	return aligned(w, rows, l.Width)
}

func tableRow(v *ops.Service, server, sched, fwd, weight, up string, f ops.Figures, replies bool, state string) []string {
	num := func(n uint64, known bool) string {
		if !known {
			return "-"
		}
		return strconv.FormatUint(n, 10)
	}
	return []string{v.Protocol.String(), strings.ReplaceAll(v.Name, " ", "/"), server, sched, fwd, weight, up,
		num(f.Active, true), num(f.Inactive, true),
		num(f.Rate.Conns, f.Counted), num(f.Rate.InBytes, f.Counted), num(f.Rate.OutBytes, f.Counted && replies), state}
}

// aligned writes rows of tableColumns with two blanks between them. Within a width
// it leaves columns out, and at last the middle of addresses.
func aligned(w io.Writer, rows [][]string, width int) error {
	const gap = 2
	widths := make([]int, len(tableColumns))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], text.Width(cell))
		}
	}
	total := -gap
	var drop []int // those that may go, the first of them at the end
	for i, n := range widths {
		total += n + gap
		if tableColumns[i].spare > 0 {
			drop = append(drop, i)
		}
	}
	slices.SortFunc(drop, func(a, b int) int { return tableColumns[a].spare - tableColumns[b].spare })
	for width > 0 && total > width && len(drop) > 0 {
		i := drop[len(drop)-1]
		drop = drop[:len(drop)-1]
		total -= widths[i] + gap
		widths[i] = 0
	}
	const service, server, least = 1, 2, 12
	for width > 0 && total > width && max(widths[service], widths[server]) > least {
		if widths[service] > widths[server] {
			widths[service]--
		} else {
			widths[server]--
		}
		total--
	}
	for _, row := range rows {
		var line strings.Builder
		blanks := 0
		for i, cell := range row {
			if widths[i] == 0 {
				continue
			}
			cell = text.CutMiddle(cell, widths[i], "..")
			line.WriteString(strings.Repeat(" ", blanks) + cell)
			blanks = widths[i] - text.Width(cell) + gap
		}
		if _, err := fmt.Fprintln(w, line.String()); err != nil {
			return err
		}
	}
	return nil
}

var csvColumns = []string{
	"proto", "service", "server", "name", "note", "state", "scheduler", "forward", "weight", "weight_meant", "servers_up", "servers",
	"upper", "lower", "active", "inactive", "templates",
	"conns_per_s", "in_packets_per_s", "out_packets_per_s", "in_bytes_per_s", "out_bytes_per_s",
	"conns", "in_packets", "out_packets", "in_bytes", "out_bytes",
}

// csv writes all that is known of every row; an empty cell is what is not known or
// means nothing.
func (l Listing) csv(w io.Writer) error {
	out := csv.NewWriter(w)
	err := out.Write(csvColumns)
	num := func(n uint64) string { return strconv.FormatUint(n, 10) }
	put := func(v *ops.Service, server, key string, middle []string, f ops.Figures, replies bool) {
		name, note := l.label(key)
		cells := []string{v.Protocol.String(), v.Name, server, sheetSafe(name), sheetSafe(note)}
		cells = append(append(cells, middle...), num(f.Active), num(f.Inactive), "")
		if f.PersistentKnown {
			cells[len(cells)-1] = num(f.Persistent)
		}
		for _, t := range []ipvs.Traffic{f.Rate, f.Total} {
			traffic := []string{num(t.Conns), num(t.InPackets), num(t.OutPackets), num(t.InBytes), num(t.OutBytes)}
			if !replies {
				traffic[2], traffic[4] = "", ""
			}
			if !f.Counted {
				traffic = make([]string, len(traffic))
			}
			cells = append(cells, traffic...)
		}
		if err == nil {
			err = out.Write(cells)
		}
	}
	for _, v := range l.Services {
		put(v, "", persist.ServiceKey(v.ServiceID), []string{serviceState(v), sheetSafe(text.Clean(v.Scheduler)), v.Forwards.String(), "", "",
			num(uint64(v.Up)), num(uint64(len(v.Servers))), "", ""}, v.Figures, v.Forwards.CountsReplies())
		for _, r := range v.Servers {
			middle := []string{serverState(r), "", r.Forward.String(), num(uint64(r.Weight)), "", "", "", "", ""}
			if meant := l.meant(v, r); meant > 0 {
				middle[4] = num(uint64(meant))
			}
			if !r.Partial {
				middle[7], middle[8] = num(uint64(r.Upper)), num(uint64(r.Lower))
			}
			put(v, r.Name, persist.ServerKey(v.ServiceID, r.Addr), middle, r.Figures, r.Forward.CountsReplies())
		}
	}
	out.Flush()
	if err != nil {
		return err
	}
	return out.Error()
}

// sheetSafe keeps a spreadsheet from taking text from outside for a formula, which
// could send away what else is in the sheet.
func sheetSafe(s string) string {
	if s != "" && strings.ContainsRune("=+-@", rune(s[0])) {
		return "'" + s
	}
	return s
}
