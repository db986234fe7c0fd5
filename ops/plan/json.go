package plan

import (
	"encoding/json"
	"strconv"

	"lvsdeck/ipvs"
)

// jsonText is steps as encoding/json writes them, byte for byte. It writes the
// kinds of which a plan may have thousands by itself, in a fraction of the time;
// the others it leaves to encoding/json.
type jsonText []byte

func (j *jsonText) item(kind string, i Item) error {
	j.text(`{"kind":`, kind)
	j.raw(`,"step":`)
	switch s := i.Step.(type) {
	case ChangeServer:
		j.changeServer(s)
	case ChangeService:
		j.changeService(s)
	default:
		if err := j.other(s); err != nil {
			return err
		}
	}
	j.text(`,"reason":`, i.Reason)
	if i.Host != "" {
		j.text(`,"host":`, i.Host)
	}
	j.raw("}")
	return nil
}

func (j *jsonText) other(v any) error {
	text, err := json.Marshal(v)
	*j = append(*j, text...)
	return err
}

func (j *jsonText) raw(s string) { *j = append(*j, s...) }

func (j *jsonText) number(key string, n uint32) {
	*j = strconv.AppendUint(append(*j, key...), uint64(n), 10)
}

func (j *jsonText) truth(key string, t bool) {
	*j = strconv.AppendBool(append(*j, key...), t)
}

func (j *jsonText) text(key, s string) {
	at := j.open(key)
	j.raw(s)
	j.close(at)
}

func (j *jsonText) open(key string) (at int) {
	j.raw(key)
	at = len(*j)
	j.raw(`"`)
	return at
}

// close ends a text, or writes it anew when it needs more than quotes.
func (j *jsonText) close(at int) {
	for _, c := range (*j)[at+1:] {
		if c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			s := string((*j)[at+1:])
			*j = (*j)[:at]
			_ = j.other(s) // a text can always be written
			return
		}
	}
	j.raw(`"`)
}

func (j *jsonText) changeServer(s ChangeServer) {
	j.raw(`{"Service":{`)
	j.id(s.Service)
	j.raw("}")
	if s.Before != nil {
		j.raw(`,"Before":`)
		j.server(*s.Before)
	}
	if s.After != nil {
		j.raw(`,"After":`)
		j.server(*s.After)
	}
	j.raw("}")
}

func (j *jsonText) changeService(s ChangeService) {
	j.raw("{")
	comma := ""
	if s.Before != nil {
		j.raw(`"Before":`)
		j.service(*s.Before)
		comma = ","
	}
	if s.After != nil {
		j.raw(comma + `"After":`)
		j.service(*s.After)
		comma = ","
	}
	for i, rs := range s.Servers {
		if i == 0 {
			j.raw(comma + `"Servers":[`)
		} else {
			j.raw(",")
		}
		j.server(rs)
	}
	if len(s.Servers) > 0 {
		j.raw("]")
	}
	j.raw("}")
}

func (j *jsonText) id(id ipvs.ServiceID) {
	j.number(`"Family":`, uint32(id.Family))
	j.number(`,"Protocol":`, uint32(id.Protocol))
	at := j.open(`,"Addr":`)
	*j, _ = id.Addr.AppendText(*j) // which never fails
	j.close(at)
	j.number(`,"Port":`, uint32(id.Port))
	j.number(`,"Mark":`, id.Mark)
}

func (j *jsonText) service(s ipvs.Service) {
	j.raw("{")
	j.id(s.ServiceID)
	j.text(`,"Scheduler":`, s.Scheduler)
	j.number(`,"SchedFlags":`, uint32(s.SchedFlags))
	j.truth(`,"OnePacket":`, s.OnePacket)
	p := s.Persistence
	j.truth(`,"Persistence":{"On":`, p.On)
	j.number(`,"Timeout":`, p.Timeout)
	j.number(`,"Mask":`, uint32(p.Mask))
	j.text(`,"Engine":`, p.Engine)
	j.raw("}}")
}

func (j *jsonText) server(s ipvs.Server) {
	at := j.open(`{"Addr":`)
	*j, _ = s.Addr.AppendText(*j)
	j.close(at)
	j.number(`,"Forward":`, uint32(s.Forward))
	j.number(`,"Weight":`, s.Weight)
	j.number(`,"Upper":`, s.Upper)
	j.number(`,"Lower":`, s.Lower)
	j.number(`,"Tunnel":{"Type":`, uint32(s.Tunnel.Type))
	j.number(`,"Port":`, uint32(s.Tunnel.Port))
	j.number(`,"Flags":`, uint32(s.Tunnel.Flags))
	j.raw("}}")
}
