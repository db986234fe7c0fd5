package plain

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"text/tabwriter"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/proc"
	"lvsdeck/ops/conns"
	"lvsdeck/ui/text"
)

// CSV is the format that tables have beside those of Formats.
const CSV = "csv"

// Conns writes the first grouping of counted connections in a format that
// CheckFormat accepts with CSV.
func Conns(w io.Writer, r *conns.Result, format string) error {
	switch format {
	case "json":
		return connsJSON(w, r)
	case CSV:
		out := csv.NewWriter(w)
		ranking := r.Rankings[0]
		_ = out.Write(append(groupColumns(ranking.By, strings.ToLower), "connections", "share", "established", "half_open", "idle", "templates"))
		for _, g := range ranking.Groups {
			share := strconv.FormatFloat(r.Share(g.Counts), 'f', 4, 64)
			cells := groupCells(ranking.By, g, r.Listed != nil)
			for i := range cells {
				if cells[i] != "-" {
					cells[i] = sheetSafe(cells[i])
				}
			}
			_ = out.Write(append(cells, numbers(g.Counts, share)...))
		}
		out.Flush()
		return out.Error()
	}
	return connsTable(w, r)
}

// connsTable writes exact numbers, and the sums below.
func connsTable(w io.Writer, r *conns.Result) error {
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	ranking := r.Rankings[0]
	columns := groupColumns(ranking.By, strings.ToUpper)
	put := func(cells []string, c conns.Counts) {
		fmt.Fprintln(tw, strings.Join(append(cells, numbers(c, fmt.Sprintf("%.1f%%", 100*r.Share(c)))...), "\t"))
	}
	fmt.Fprintln(tw, strings.Join(append(columns, "CONNS", "SHARE", "ESTAB", "HALF-OPEN", "IDLE", "TEMPLATES"), "\t"))
	for _, g := range ranking.Groups {
		put(groupCells(ranking.By, g, r.Listed != nil), g.Counts)
	}
	sum := func(name string) []string {
		cells := make([]string, len(columns))
		for i := range cells {
			cells[i] = "-"
		}
		cells[0] = name
		return cells
	}
	if ranking.Rest != (conns.Counts{}) {
		put(sum("others"), ranking.Rest)
	}
	put(sum("total"), r.All)
	return tw.Flush()
}

// numbers are the cells of counts.
func numbers(c conns.Counts, share string) []string {
	n := func(n uint64) string { return strconv.FormatUint(n, 10) }
	return []string{n(c.Conns), share, n(c.Open), n(c.HalfOpen), n(c.Idle), n(c.Templates)}
}

// groupColumns are the columns that name a group.
func groupColumns(by conns.By, spell func(string) string) []string {
	var names []string
	switch by {
	case conns.ByService:
		names = []string{"proto", "service", "listed"}
	case conns.ByServer:
		names = []string{"proto", "service", "server", "listed"}
	case conns.ByState:
		names = []string{"proto", "state"}
	default:
		names = []string{by.String()}
	}
	for i := range names {
		names[i] = spell(names[i])
	}
	return names
}

// groupCells are its cells, each one word.
func groupCells(by conns.By, g conns.Group, known bool) []string {
	listed := listedCell(g.Gone, known)
	switch by {
	case conns.ByService:
		return append(serviceCells(g.Service), listed)
	case conns.ByServer:
		return append(serviceCells(g.Service), g.Server.String(), listed)
	case conns.ByState:
		if g.State.Template {
			return []string{"template", oneWord(g.State.Name)}
		}
		return []string{protocolCell(g.State.Protocol), oneWord(g.State.Name)}
	}
	return []string{g.Name(by)}
}

// listedCell tells whether the table still lists a server, or a service.
func listedCell(gone, known bool) string {
	if !known {
		return "-"
	}
	return text.YesNo(!gone)
}

func serviceCells(id ipvs.ServiceID) []string {
	return []string{protocolCell(id.Protocol), strings.ReplaceAll(id.Name(), " ", "/")}
}

func protocolCell(p ipvs.Protocol) string { return oneWord(p.String()) }

// The JSON form of counted connections.
type (
	jsonConns struct {
		Read   jsonRead    `json:"read"`
		Filter string      `json:"filter,omitempty"`
		By     string      `json:"by"`
		Met    int         `json:"groups_met"` // listed below or not
		Groups []jsonGroup `json:"groups"`
		Others *jsonCounts `json:"others,omitempty"`
		Beyond *jsonCounts `json:"others_not_told_apart,omitempty"`
		Total  jsonCounts  `json:"total"`
		Gone   *jsonCounts `json:"server_not_listed,omitempty"` // left out when not known
	}
	jsonRead struct {
		Lines     uint64  `json:"lines"`
		Bytes     uint64  `json:"bytes"`
		Malformed uint64  `json:"malformed_lines"`
		Seconds   float64 `json:"seconds"`
		Ended     string  `json:"ended_early,omitempty"` // why
	}
	jsonGroup struct {
		Client   string  `json:"client,omitempty"`
		Protocol string  `json:"protocol,omitempty"`
		Service  string  `json:"service,omitempty"`
		Server   string  `json:"server,omitempty"`
		State    string  `json:"state,omitempty"`
		Template bool    `json:"template,omitempty"`
		Origin   string  `json:"origin,omitempty"`
		Listed   *bool   `json:"listed,omitempty"`
		Share    float64 `json:"share"`
		jsonCounts
	}
	jsonCounts struct {
		Conns     uint64 `json:"connections"`
		Open      uint64 `json:"established"`
		HalfOpen  uint64 `json:"half_open"`
		Idle      uint64 `json:"idle"`
		Templates uint64 `json:"templates"`
	}
)

func connsJSON(w io.Writer, r *conns.Result) error {
	ranking := r.Rankings[0]
	out := jsonConns{
		Read:   jsonRead{r.Read.Lines, r.Read.Bytes, r.Read.Bad, r.Took.Seconds(), ""},
		Filter: r.Filter.String(), By: ranking.By.String(), Met: ranking.Met, Groups: []jsonGroup{}, Total: jsonCounts(r.All),
	}
	if r.Ended != nil {
		out.Read.Ended = r.Ended.Error()
	}
	some := func(c conns.Counts) *jsonCounts {
		if c == (conns.Counts{}) {
			return nil
		}
		return (*jsonCounts)(&c)
	}
	out.Others, out.Beyond = some(ranking.Rest), some(ranking.Beyond)
	if r.Listed != nil {
		out.Gone = (*jsonCounts)(&r.Gone)
	}
	for _, g := range ranking.Groups {
		j := jsonGroup{Share: r.Share(g.Counts), jsonCounts: jsonCounts(g.Counts)}
		switch ranking.By {
		case conns.ByService, conns.ByServer:
			j.Protocol, j.Service = strings.ToLower(g.Service.Protocol.String()), g.Service.Name()
			if ranking.By == conns.ByServer {
				j.Server = g.Server.String()
			}
			if listed := !g.Gone; r.Listed != nil {
				j.Listed = &listed
			}
		case conns.ByState:
			j.State, j.Template = g.State.Name, g.State.Template
			if !j.Template {
				j.Protocol = strings.ToLower(g.State.Protocol.String())
			}
		case conns.ByOrigin:
			j.Origin = g.Origin.String()
		default:
			j.Client = g.Name(ranking.By)
		}
		out.Groups = append(out.Groups, j)
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}

// ConnList writes connections one by one, as they come. End must be called after
// the last.
type ConnList struct {
	w      *bufio.Writer
	format string
	listed bool
	csv    *csv.Writer
	n      int
	err    error
}

// NewConnList begins a list in a format that CheckFormat accepts with CSV. listed
// tells that Row.Gone is known.
func NewConnList(w io.Writer, format string, listed bool) *ConnList {
	l := &ConnList{w: bufio.NewWriter(w), format: format, listed: listed}
	switch format {
	case "json":
		l.w.WriteString("[")
	case CSV:
		l.csv = csv.NewWriter(l.w)
		l.err = l.csv.Write(connColumns)
	default:
		l.line(strings.Fields(strings.ToUpper(strings.Join(connColumns, " "))))
	}
	return l
}

var connColumns = []string{"proto", "state", "expires", "idle", "client", "service", "server", "origin", "listed", "data"}

// connWidths let columns of IPv4 stand under each other; nobody knows yet how
// long the longest will be.
var connWidths = []int{5, 11, 7, 5, 21, 21, 21, 7, 6, 0}

func (l *ConnList) line(cells []string) {
	for i, c := range cells {
		if i == len(cells)-1 {
			l.w.WriteString(c)
			break
		}
		fmt.Fprintf(l.w, "%-*s  ", connWidths[i], c)
	}
	l.err = l.w.WriteByte('\n')
}

type jsonConn struct {
	Protocol string         `json:"protocol"`
	State    string         `json:"state"`
	Template bool           `json:"template,omitempty"`
	Expires  uint32         `json:"expires_seconds"`
	Idle     *uint32        `json:"idle_seconds,omitempty"`
	Client   netip.AddrPort `json:"client"`
	Service  string         `json:"service"`
	Server   netip.AddrPort `json:"server"`
	Origin   string         `json:"origin,omitempty"`
	Gone     bool           `json:"server_not_listed,omitempty"`
	Engine   string         `json:"engine,omitempty"`
	Data     string         `json:"data,omitempty"`
}

// Add writes a connection; it gives false when writing fails.
func (l *ConnList) Add(r conns.Row) bool {
	idle, known := r.Idle()
	if l.format == "json" {
		j := jsonConn{
			Protocol: strings.ToLower(r.Service.Protocol.String()), State: r.State.Name, Template: r.State.Template, Expires: r.Expires,
			Client: r.Client, Service: r.Service.Name(), Server: r.Server, Gone: r.Gone, Engine: r.Engine, Data: r.Data,
		}
		if known {
			j.Idle = &idle
		}
		if r.Origin != proc.OriginUnknown {
			j.Origin = r.Origin.String()
		}
		if l.n++; l.n > 1 {
			l.w.WriteByte(',')
		}
		l.w.WriteString("\n  ")
		b, _ := json.Marshal(j) // of plain values
		_, l.err = l.w.Write(b)
		return l.err == nil
	}
	cells := make([]string, 0, len(connColumns))
	cells = append(cells, protocolCell(r.Service.Protocol), oneWord(r.State.Name), strconv.FormatUint(uint64(r.Expires), 10), "-",
		r.Client.String(), strings.ReplaceAll(r.Service.Name(), " ", "/"), r.Server.String(), r.Origin.String(), listedCell(r.Gone, l.listed),
		dash(strings.TrimSpace(text.Clean(r.Engine+" "+r.Data))))
	if known {
		cells[3] = strconv.FormatUint(uint64(idle), 10)
	}
	if l.csv != nil {
		for _, outside := range []int{1, len(cells) - 1} {
			if cells[outside] != "-" {
				cells[outside] = sheetSafe(cells[outside])
			}
		}
		l.err = l.csv.Write(cells)
	} else {
		l.line(cells)
	}
	return l.err == nil
}

// End ends the list.
func (l *ConnList) End() error {
	switch {
	case l.format == "json" && l.n > 0:
		l.w.WriteString("\n]\n")
	case l.format == "json":
		l.w.WriteString("]\n")
	case l.csv != nil:
		l.csv.Flush()
	}
	if err := l.w.Flush(); l.err == nil {
		return err
	}
	return l.err
}
