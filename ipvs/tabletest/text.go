package tabletest

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"lvsdeck/ipvs"
)

// diff lists the fields in which two values of one type differ; for texts, the
// lines that only one of them has.
func diff(want, got any) []string {
	w, g := fields("", reflect.ValueOf(want)), fields("", reflect.ValueOf(got))
	var out []string
	for _, line := range w {
		if !slices.Contains(g, line) {
			out = append(out, " want "+line)
		}
	}
	for _, line := range g {
		if !slices.Contains(w, line) {
			out = append(out, " got  "+line)
		}
	}
	return out
}

// fields writes a value as lines "Name value", going into this project's
// structs only: an address is one value.
func fields(name string, v reflect.Value) []string {
	if v.Kind() == reflect.String && name == "" {
		return strings.Split(v.String(), "\n")
	}
	if v.Kind() != reflect.Struct || !strings.HasPrefix(v.Type().PkgPath(), "lvsdeck") {
		return []string{fmt.Sprintf("%s %v", name, v)}
	}
	var out []string
	for i := range v.NumField() {
		field := v.Type().Field(i)
		path := name + "." + field.Name
		if field.Anonymous {
			path = name
		}
		out = append(out, fields(path, v.Field(i))...)
	}
	return out
}

// serverText writes servers one a line, sorted.
func serverText(servers []ipvs.Server) string {
	var lines []string
	for _, s := range servers {
		lines = append(lines, fmt.Sprintf("%+v", s))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// entry is a service and its servers as they were written.
type entry struct {
	service ipvs.Service
	servers map[string]ipvs.Server // by address and port
}

// stateText writes a whole table, sorted.
func stateText(entries map[ipvs.ServiceID]entry) string {
	var blocks []string
	for _, e := range entries {
		var servers []ipvs.Server
		for _, s := range e.servers {
			servers = append(servers, s)
		}
		blocks = append(blocks, fmt.Sprintf("%s %+v\n%s", e.service, e.service, serverText(servers)))
	}
	slices.Sort(blocks)
	return strings.Join(blocks, "\n")
}

// read writes the table itself in the same form.
func (t *table) read() string {
	t.Helper()
	o, err := t.Overview(t.ctx)
	t.ok(err)
	entries := map[ipvs.ServiceID]entry{}
	for _, e := range o.Services {
		states, err := t.Servers(t.ctx, e.ServiceID)
		t.ok(err)
		servers := map[string]ipvs.Server{}
		for _, s := range states {
			servers[s.Addr.String()] = s.Server
		}
		entries[e.ServiceID] = entry{e.Service, servers}
	}
	return stateText(entries)
}
