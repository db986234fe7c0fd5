package plan

import (
	"encoding/json"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"testing"

	"lvsdeck/ipvs"
)

// FuzzWritten: what steps are written by hand is what encoding/json writes, for
// every field, whatever is in it.
func FuzzWritten(f *testing.F) {
	f.Add(uint64(1), "wlc", "10.0.0.1")
	f.Add(uint64(2), "\"<é>&\\\x00\xff\u2028", "fe80::1%\"eth0<")
	f.Fuzz(func(t *testing.T, seed uint64, text, addr string) {
		fill := filler{rand.New(rand.NewPCG(seed, 0)), text, netip.Addr{}}
		fill.addr, _ = netip.ParseAddr(addr)
		var server ChangeServer
		var service ChangeService
		fill.in(reflect.ValueOf(&server).Elem())
		fill.in(reflect.ValueOf(&service).Elem())
		for _, step := range []Step{server, service, ChangeSysctl{Name: text}} {
			item := Item{step, text, pick(random{fill.Rand}, "", text)}
			want, err := json.Marshal([]any{struct {
				Kind   string `json:"kind"`
				Step   Step   `json:"step"`
				Reason string `json:"reason"`
				Host   string `json:"host,omitempty"`
			}{names[reflect.TypeOf(step)], step, item.Reason, item.Host}})
			if err != nil {
				t.Fatal(err)
			}
			got, err := Written([]Item{item})
			if err != nil || string(got) != string(want) {
				t.Errorf("\n want %s\n got  %s, %v", want, got, err)
			}
		}
	})
}

// filler puts something into every field that there is.
type filler struct {
	*rand.Rand
	text string
	addr netip.Addr
}

func (f filler) in(v reflect.Value) {
	switch v.Interface().(type) {
	case netip.Addr:
		v.Set(reflect.ValueOf(f.addr))
		return
	case netip.AddrPort:
		v.Set(reflect.ValueOf(netip.AddrPortFrom(f.addr, uint16(f.Uint32()))))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			f.in(v.Field(i))
		}
	case reflect.Pointer:
		if f.IntN(3) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			f.in(v.Elem())
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), f.IntN(3), 3))
		for i := range v.Len() {
			f.in(v.Index(i))
		}
	case reflect.String:
		v.SetString(f.text)
	case reflect.Bool:
		v.SetBool(f.IntN(2) == 0)
	default:
		v.SetUint(f.Uint64() >> (64 - v.Type().Bits()))
	}
}

func BenchmarkWritten(b *testing.B) {
	items := Restore(ipvs.Rules{}, large(1000, 10), false).Items
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Written(items); err != nil {
			b.Fatal(err)
		}
	}
}
