// Package plain writes one sample, connections, the journal and plans for pipes
// and scripts: as text for eyes and awk, as JSON for programs, or as CSV for
// spreadsheets.
//
// Out of scope: ipvsadm's own formats, and anything interactive.
package plain

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
	"lvsdeck/persist"
)

// Formats are the names that everything here knows.
var Formats = []string{"table", "json"}

// CheckFormat refuses a name that is not among Formats, and not among more.
func CheckFormat(name string, more ...string) error {
	all := append(slices.Clone(Formats), more...)
	if slices.Contains(all, name) {
		return nil
	}
	return fmt.Errorf("unknown output format %q: choose one of %s", name, strings.Join(all, ", "))
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
		State       string           `json:"state"`
		Name        string           `json:"name,omitempty"`
		Note        string           `json:"note,omitempty"`
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
		Meant   uint32      `json:"weight_meant,omitempty"` // from before it was drained
		State   string      `json:"state"`
		Name    string      `json:"name,omitempty"`
		Note    string      `json:"note,omitempty"`
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

func (l Listing) json(w io.Writer) error {
	s := l.Sample
	out := jsonSample{
		Time: s.Time, Version: s.Info.Version.String(), TableSize: s.Info.TableSize,
		EstimatorStopped: s.EstimatorStopped, Services: []jsonService{},
	}
	f := figures(s.Figures)
	out.Total, out.Rate = f.Total, f.Rate
	for _, v := range s.Services {
		out.Services = append(out.Services, l.service(v))
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}

func (l Listing) service(v *ops.Service) jsonService {
	j := jsonService{
		Protocol: strings.ToLower(v.Protocol.String()), Family: strings.ToLower(v.Family.String()),
		Mark: v.Mark, Scheduler: v.Scheduler, SchedFlags: v.SchedFlags.Names(v.Scheduler), OnePacket: v.OnePacket,
		Up: v.Up, State: serviceState(v), jsonFigures: figures(v.Figures), Servers: []jsonServer{},
	}
	j.Name, j.Note = l.label(persist.ServiceKey(v.ServiceID))
	if !v.IsMark() {
		j.Address, j.Port = v.Addr.String(), &v.Port
	}
	if p := v.Persistence; p.On {
		j.Persistence = &jsonPersistence{p.Timeout, p.Mask.Text(v.Family), p.Engine}
	}
	for _, r := range v.Servers {
		j.Servers = append(j.Servers, l.server(v, r))
	}
	return j
}

func (l Listing) server(v *ops.Service, r *ops.Server) jsonServer {
	j := jsonServer{
		Address: r.Addr.Addr().String(), Port: r.Addr.Port(), Forward: strings.ToLower(r.Forward.String()),
		Weight: r.Weight, Meant: l.meant(v, r), State: serverState(r), jsonFigures: figures(r.Figures),
	}
	j.Name, j.Note = l.label(persist.ServerKey(v.ServiceID, r.Addr))
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
