package vm

import (
	"slices"
	"strings"
	"testing"
)

var somes = modules{
	"ip_vs":        {name: "ip_vs", path: "net/ipvs/ip_vs.ko", depends: []string{"nf_conntrack", "libcrc32c"}, aliases: []string{"net-pf-16-proto-16-family-IPVS"}},
	"ip_vs_rr":     {name: "ip_vs_rr", path: "net/ipvs/ip_vs_rr.ko", depends: []string{"ip_vs"}},
	"nf_conntrack": {name: "nf_conntrack", path: "net/nf_conntrack.ko", depends: []string{"libcrc32c"}},
	"libcrc32c":    {name: "libcrc32c", path: "lib/libcrc32c.ko"},
	"hen":          {name: "hen", path: "x/hen.ko", depends: []string{"egg"}},
	"egg":          {name: "egg", path: "x/egg.ko", depends: []string{"hen"}},
	"orphan":       {name: "orphan", path: "x/orphan.ko", depends: []string{"nobody"}},
}

func names(ms []module) (names []string) {
	for _, m := range ms {
		names = append(names, m.name)
	}
	return names
}

func TestClosureIsInLoadingOrder(t *testing.T) {
	got, err := somes.Closure("ip_vs_rr", "libcrc32c")
	want := []string{"libcrc32c", "nf_conntrack", "ip_vs", "ip_vs_rr"}
	if err != nil || !slices.Equal(names(got), want) {
		t.Errorf("got %v, %v, want %v", names(got), err, want)
	}
}

func TestClosureErrors(t *testing.T) {
	for name, want := range map[string]string{"hen": "depends on itself", "orphan": "no module nobody, wanted by orphan"} {
		if _, err := somes.Closure(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want … %s", name, err, want)
		}
	}
}

func TestIndexes(t *testing.T) {
	ms, err := somes.Closure("ip_vs")
	if err != nil {
		t.Fatal(err)
	}
	deps, err := somes.depText(ms)
	want := "lib/libcrc32c.ko:\n" +
		"net/nf_conntrack.ko: lib/libcrc32c.ko\n" +
		"net/ipvs/ip_vs.ko: net/nf_conntrack.ko lib/libcrc32c.ko\n"
	if err != nil || deps != want {
		t.Errorf("modules.dep: %v\n%s", err, deps)
	}
	if got := aliasText(ms); got != "alias net-pf-16-proto-16-family-IPVS ip_vs\n" {
		t.Errorf("modules.alias: %s", got)
	}
	if got := somes.Below("net/ipvs", "lib"); !slices.Equal(got, []string{"ip_vs", "ip_vs_rr", "libcrc32c"}) {
		t.Errorf("Below: %v", got)
	}
}

func TestModinfo(t *testing.T) {
	m := parseModinfo([]byte("parm=conn_tab_bits:Set connections' hash size\x00alias=net-pf-16\x00depends=nf_conntrack,libcrc32c\x00name=ip_vs\x00"))
	if m.name != "ip_vs" || !slices.Equal(m.depends, []string{"nf_conntrack", "libcrc32c"}) || !slices.Equal(m.aliases, []string{"net-pf-16"}) {
		t.Errorf("got %+v", m)
	}
	if m := parseModinfo([]byte("depends=\x00name=veth\x00")); m.depends != nil {
		t.Errorf("no dependencies read as %q", m.depends)
	}
}

func FuzzModinfo(f *testing.F) {
	f.Add([]byte("name=ip_vs\x00depends=a,b\x00alias=x=y\x00"))
	f.Fuzz(func(t *testing.T, info []byte) {
		for _, d := range parseModinfo(info).depends {
			if strings.ContainsAny(d, ",\x00") {
				t.Errorf("dependency %q", d)
			}
		}
	})
}

func TestDepends(t *testing.T) {
	got := parseDepends("Pre-Depends: libc6:any (>= 2.34)\nDepends: debconf (>= 0.5) | debconf-2.0, libnl-3-200 (>= 3.2.7),\n libstdc++6, python3:any\n")
	if want := []string{"libc6", "debconf", "libnl-3-200", "libstdc++6", "python3"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
