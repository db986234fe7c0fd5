// Package plain writes one sample, connections, the journal and plans for pipes
// and scripts: as text for eyes and awk, or as JSON for programs.
//
// Out of scope: ipvsadm's own formats, and anything interactive.
package plain

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
	"lvsdeck/ui/text"
)

// Formats are the names Write knows.
var Formats = []string{"table", "json"}

// CheckFormat refuses a name that Write does not know, and that is not among more.
func CheckFormat(name string, more ...string) error {
	all := append(slices.Clone(Formats), more...)
	if slices.Contains(all, name) {
		return nil
	}
	return fmt.Errorf("unknown output format %q: choose one of %s", name, strings.Join(all, ", "))
}

// Write writes the sample in a format that CheckFormat accepts.
func Write(w io.Writer, s *ops.Sample, format string) error {
	if format == "json" {
		return writeJSON(w, s)
	}
	return writeTable(w, s)
}

// writeTable writes exact numbers; "-" is what is not known or means nothing.
func writeTable(w io.Writer, s *ops.Sample) error {
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(tw, "PROTO\tSERVICE\tSERVER\tSCHED\tFWD\tWEIGHT\tUP\tACTIVE\tINACT\tCONN/S\tBYTE/S IN\tBYTE/S OUT")
	for _, v := range s.Services {
		row(tw, v.Protocol.String(), v.Name, "-", text.Clean(v.Scheduler), dash(v.Forwards.String()), "-",
			fmt.Sprintf("%d/%d", v.Up, len(v.Servers)), v.Figures, v.Forwards.CountsReplies())
		for _, r := range v.Servers {
			row(tw, v.Protocol.String(), v.Name, r.Name, "-", r.Forward.String(), strconv.FormatUint(uint64(r.Weight), 10),
				"-", r.Figures, r.Forward.CountsReplies())
		}
	}
	return tw.Flush()
}

func row(w io.Writer, proto, service, server, sched, fwd, weight, up string, f ops.Figures, replies bool) {
	num := func(n uint64, known bool) string {
		if !known {
			return "-"
		}
		return strconv.FormatUint(n, 10)
	}
	cells := []string{proto, strings.ReplaceAll(service, " ", "/"), server, sched, fwd, weight, up,
		num(f.Active, true), num(f.Inactive, true),
		num(f.Rate.Conns, f.Counted), num(f.Rate.InBytes, f.Counted), num(f.Rate.OutBytes, f.Counted && replies)}
	fmt.Fprintln(w, strings.Join(cells, "\t"))
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// The JSON form. Fields that are not known are left out; addresses and numbers
// are exact.
type (
	jsonSample struct {
		Time             time.Time     `json:"time"`
		Version          string        `json:"ipvs_version,omitempty"`
		TableSize        uint32        `json:"table_size"`
		EstimatorStopped string        `json:"estimator_stopped,omitempty"`
		Total            *jsonTraffic  `json:"total,omitempty"`
		Rate             *jsonTraffic  `json:"rate_per_second,omitempty"`
		Services         []jsonService `json:"services"`
	}
	jsonService struct {
		Protocol    string           `json:"protocol"`
		Family      string           `json:"family"`
		Address     string           `json:"address,omitempty"`
		Port        *uint16          `json:"port,omitempty"`
		Mark        uint32           `json:"fwmark,omitempty"`
		Scheduler   string           `json:"scheduler"`
		SchedFlags  []string         `json:"scheduler_flags,omitempty"`
		OnePacket   bool             `json:"one_packet,omitempty"`
		Persistence *jsonPersistence `json:"persistence,omitempty"`
		Up          int              `json:"servers_up"`
		jsonFigures
		Servers []jsonServer `json:"servers"`
	}
	jsonPersistence struct {
		Timeout uint32 `json:"timeout_seconds"`
		Mask    string `json:"mask"`
		Engine  string `json:"engine,omitempty"`
	}
	jsonServer struct {
		Address string      `json:"address"`
		Port    uint16      `json:"port"`
		Forward string      `json:"forward"`
		Weight  uint32      `json:"weight"`
		Upper   *uint32     `json:"upper_threshold,omitempty"`
		Lower   *uint32     `json:"lower_threshold,omitempty"`
		Tunnel  *jsonTunnel `json:"tunnel,omitempty"`
		jsonFigures
	}
	jsonTunnel struct {
		Type  string `json:"type"`
		Port  uint16 `json:"port,omitempty"`
		Flags uint16 `json:"flags"`
	}
	jsonFigures struct {
		Active     uint64       `json:"active"`
		Inactive   uint64       `json:"inactive"`
		Persistent *uint64      `json:"persistent,omitempty"`
		Total      *jsonTraffic `json:"total,omitempty"`
		Rate       *jsonTraffic `json:"rate_per_second,omitempty"`
	}
	jsonTraffic struct {
		Conns      uint64 `json:"connections"`
		InPackets  uint64 `json:"in_packets"`
		OutPackets uint64 `json:"out_packets"`
		InBytes    uint64 `json:"in_bytes"`
		OutBytes   uint64 `json:"out_bytes"`
	}
)

func writeJSON(w io.Writer, s *ops.Sample) error {
	out := jsonSample{
		Time: s.Time, Version: s.Info.Version.String(), TableSize: s.Info.TableSize,
		EstimatorStopped: s.EstimatorStopped, Services: []jsonService{},
	}
	f := figures(s.Figures)
	out.Total, out.Rate = f.Total, f.Rate
	for _, v := range s.Services {
		out.Services = append(out.Services, service(v))
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}

func service(v *ops.Service) jsonService {
	j := jsonService{
		Protocol: strings.ToLower(v.Protocol.String()), Family: strings.ToLower(v.Family.String()),
		Mark: v.Mark, Scheduler: v.Scheduler, SchedFlags: v.SchedFlags.Names(v.Scheduler), OnePacket: v.OnePacket,
		Up: v.Up, jsonFigures: figures(v.Figures), Servers: []jsonServer{},
	}
	if !v.IsMark() {
		j.Address, j.Port = v.Addr.String(), &v.Port
	}
	if p := v.Persistence; p.On {
		j.Persistence = &jsonPersistence{p.Timeout, p.Mask.Text(v.Family), p.Engine}
	}
	for _, r := range v.Servers {
		j.Servers = append(j.Servers, server(r))
	}
	return j
}

func server(r *ops.Server) jsonServer {
	j := jsonServer{
		Address: r.Addr.Addr().String(), Port: r.Addr.Port(), Forward: strings.ToLower(r.Forward.String()),
		Weight: r.Weight, jsonFigures: figures(r.Figures),
	}
	if !r.Partial {
		j.Upper, j.Lower = &r.Upper, &r.Lower
		if r.Forward == ipvs.TunnelFwd {
			j.Tunnel = &jsonTunnel{r.Tunnel.Type.String(), r.Tunnel.Port, uint16(r.Tunnel.Flags)}
		}
	}
	return j
}

func figures(f ops.Figures) jsonFigures {
	j := jsonFigures{Active: f.Active, Inactive: f.Inactive}
	if f.PersistentKnown {
		j.Persistent = &f.Persistent
	}
	if f.Counted {
		total, rate := jsonTraffic(f.Total), jsonTraffic(f.Rate)
		j.Total, j.Rate = &total, &rate
	}
	return j
}
