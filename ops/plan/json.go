package plan

import (
	"encoding/json"
	"strconv"

	"lvsdeck/ipvs"
)

// The functions here append steps as encoding/json writes them, byte for byte:
// the kinds of which a plan may have thousands by themselves, in a fraction of the
// time, and the others by encoding/json.

func appendItem(b []byte, kind string, i Item) ([]byte, error) {
	b = appendText(b, `{"kind":`, kind)
	b = append(b, `,"step":`...)
	switch s := i.Step.(type) {
	case ChangeServer:
		b = appendChangeServer(b, s)
	case ChangeService:
		b = appendChangeService(b, s)
	default:
		text, err := json.Marshal(s)
		if err != nil {
			return nil, err
		}
		b = append(b, text...)
	}
	b = appendText(b, `,"reason":`, i.Reason)
	if i.Host != "" {
		b = appendText(b, `,"host":`, i.Host)
	}
	return append(b, '}'), nil
}

func appendChangeServer(b []byte, s ChangeServer) []byte {
	b = append(b, `{"Service":{`...)
	b = appendID(b, s.Service)
	b = append(b, '}')
	if s.Before != nil {
		b = appendServer(append(b, `,"Before":`...), s.Before)
	}
	if s.After != nil {
		b = appendServer(append(b, `,"After":`...), s.After)
	}
	return append(b, '}')
}

func appendChangeService(b []byte, s ChangeService) []byte {
	comma := ""
	b = append(b, '{')
	if s.Before != nil {
		b = appendService(append(b, `"Before":`...), s.Before)
		comma = ","
	}
	if s.After != nil {
		b = appendService(append(append(b, comma...), `"After":`...), s.After)
		comma = ","
	}
	if len(s.Servers) > 0 {
		b = append(append(b, comma...), `"Servers":[`...)
		for i := range s.Servers {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendServer(b, &s.Servers[i])
		}
		b = append(b, ']')
	}
	return append(b, '}')
}

func appendID(b []byte, id ipvs.ServiceID) []byte {
	b = appendNumber(b, `"Family":`, uint32(id.Family))
	b = appendNumber(b, `,"Protocol":`, uint32(id.Protocol))
	b = append(b, `,"Addr":`...)
	at := len(b)
	b, _ = id.Addr.AppendText(append(b, '"')) // which never fails
	b = quoteFrom(b, at)
	b = appendNumber(b, `,"Port":`, uint32(id.Port))
	return appendNumber(b, `,"Mark":`, id.Mark)
}

func appendService(b []byte, s *ipvs.Service) []byte {
	b = appendID(append(b, '{'), s.ServiceID)
	b = appendText(b, `,"Scheduler":`, s.Scheduler)
	b = appendNumber(b, `,"SchedFlags":`, uint32(s.SchedFlags))
	b = strconv.AppendBool(append(b, `,"OnePacket":`...), s.OnePacket)
	b = strconv.AppendBool(append(b, `,"Persistence":{"On":`...), s.Persistence.On)
	b = appendNumber(b, `,"Timeout":`, s.Persistence.Timeout)
	b = appendNumber(b, `,"Mask":`, uint32(s.Persistence.Mask))
	b = appendText(b, `,"Engine":`, s.Persistence.Engine)
	return append(b, "}}"...)
}

func appendServer(b []byte, s *ipvs.Server) []byte {
	b = append(b, `{"Addr":`...)
	at := len(b)
	b, _ = s.Addr.AppendText(append(b, '"'))
	b = quoteFrom(b, at)
	b = appendNumber(b, `,"Forward":`, uint32(s.Forward))
	b = appendNumber(b, `,"Weight":`, s.Weight)
	b = appendNumber(b, `,"Upper":`, s.Upper)
	b = appendNumber(b, `,"Lower":`, s.Lower)
	b = appendNumber(b, `,"Tunnel":{"Type":`, uint32(s.Tunnel.Type))
	b = appendNumber(b, `,"Port":`, uint32(s.Tunnel.Port))
	b = appendNumber(b, `,"Flags":`, uint32(s.Tunnel.Flags))
	return append(b, "}}"...)
}

func appendNumber(b []byte, key string, n uint32) []byte {
	return strconv.AppendUint(append(b, key...), uint64(n), 10)
}

func appendText(b []byte, key, text string) []byte {
	b = append(b, key...)
	at := len(b)
	return quoteFrom(append(append(b, '"'), text...), at)
}

// quoteFrom ends the text that begins with a quote at a place, or has it written
// anew when it needs more than quotes.
func quoteFrom(b []byte, at int) []byte {
	for _, c := range b[at+1:] {
		if !plain[c] {
			text, _ := json.Marshal(string(b[at+1:])) // which never fails
			return append(b[:at], text...)
		}
	}
	return append(b, '"')
}

// plain are the bytes that stand for themselves between quotes.
var plain = func() (is [256]bool) {
	for c := byte(' '); c <= '~'; c++ {
		is[c] = c != '"' && c != '\\' && c != '<' && c != '>' && c != '&'
	}
	return is
}()
