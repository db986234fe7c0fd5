package firewall

import (
	"fmt"
	"strings"
	"testing"
)

// nftRules is a ruleset with some rules in front of the policy accept, among them
// a set, a map and a chain to go to. The JSON is nft's own (1.0.6).
func nftRules(family string, rules ...string) string {
	var b strings.Builder
	b.WriteString(`{"nftables": [{"metainfo": {"version": "1.0.6", "json_schema_version": 1}},`)
	fmt.Fprintf(&b, `{"table": {"family": "%[1]s", "name": "t", "handle": 1}},
		{"set": {"family": "%[1]s", "name": "s", "table": "t", "type": "ipv4_addr", "handle": 4, "flags": ["interval"],
			"elem": [{"prefix": {"addr": "10.0.0.0", "len": 8}}, {"range": ["198.51.100.1", "198.51.100.9"]}, {"elem": {"val": "192.0.2.1", "timeout": 5}}]}},
		{"set": {"family": "%[1]s", "name": "pairs", "table": "t", "type": ["ipv4_addr", "inet_service"], "handle": 5}},
		{"map": {"family": "%[1]s", "name": "m", "table": "t", "type": "inet_service", "handle": 6, "map": "verdict",
			"elem": [[80, {"jump": {"target": "other"}}], [81, {"accept": null}]]}},
		{"chain": {"family": "%[1]s", "table": "t", "name": "other", "handle": 1}},
		{"chain": {"family": "%[1]s", "table": "t", "name": "i", "handle": 2, "type": "filter", "hook": "input", "prio": -10, "policy": "accept"}},
		{"rule": {"family": "%[1]s", "table": "t", "chain": "other", "handle": 7, "expr": [{"drop": null}]}}`, family)
	for _, r := range rules {
		fmt.Fprintf(&b, `, {"rule": {"family": "%s", "table": "t", "chain": "i", "handle": 8, "expr": [%s]}}`, family, r)
	}
	return b.String() + `]}`
}

func match(op, left, right string) string {
	return fmt.Sprintf(`{"match": {"op": "%s", "left": %s, "right": %s}}`, op, left, right)
}

const (
	saddr  = `{"payload": {"protocol": "ip", "field": "saddr"}}`
	saddr6 = `{"payload": {"protocol": "ip6", "field": "saddr"}}`
	dport  = `{"payload": {"protocol": "tcp", "field": "dport"}}`
	udport = `{"payload": {"protocol": "udp", "field": "dport"}}`
	flags  = `{"payload": {"protocol": "tcp", "field": "flags"}}`
	state  = `{"ct": {"key": "state"}}`
	mark   = `{"meta": {"key": "mark"}}`
	iif    = `{"meta": {"key": "iifname"}}`
	oif    = `{"meta": {"key": "oifname"}}`
	l4     = `{"meta": {"key": "l4proto"}}`
	fib    = `{"fib": {"result": "type", "flags": ["daddr"]}}`
)

// TestNFT: the packet of web, when a rule that drops wants this.
func TestNFT(t *testing.T) {
	bits := func(mask string) string { return `{"&": [` + flags + `, ` + mask + `]}` }
	const vmap = `{"vmap": {"key": %s, "data": %s}}`
	for want, rules := range map[Result][]string{
		Drops: {
			`{"counter": {"packets": 0, "bytes": 0}}`, match("==", saddr, `"@s"`), match("==", saddr, `"198.51.100.2"`),
			match("!=", saddr, `{"prefix": {"addr": "10.0.0.0", "len": 8}}`), match("==", iif, `"eth*"`), match("!=", iif, `"lo"`),
			match("==", dport, `{"set": [22, {"range": [80, 90]}]}`), match(">=", dport, `80`), match("<", dport, `81`), match("!=", dport, `{"set": [22, 23]}`),
			match("==", l4, `{"set": ["tcp", "udp"]}`), match("==", l4, `6`), match("in", state, `["established", "new"]`), match("in", state, `"new"`),
			match("!=", state, `"established"`), match("in", flags, `"syn"`), match("==", flags, `"syn"`), match("==", flags, `{"set": [{"|": ["syn", "ack"]}, "syn"]}`),
			match("==", bits(`["fin", "syn", "rst", "ack"]`), `"syn"`), match("!=", bits(`["fin", "syn"]`), `["fin", "syn"]`), match("==", fib, `"local"`),
			match("==", `{"concat": [`+saddr+`, `+dport+`]}`, `{"set": [{"concat": ["10.0.0.1", 80]}, {"concat": ["198.51.100.2", 80]}]}`),
			match("==", mark, `0`), match("==", `{"meta": {"key": "nfproto"}}`, `"ipv4"`), match("!=", `{"ct": {"key": "status"}}`, `"dnat"`),
			fmt.Sprintf(vmap, dport, `"@m"`), fmt.Sprintf(vmap, state, `{"set": [["invalid", {"accept": null}], ["new", {"drop": null}]]}`),
			fmt.Sprintf(vmap, `{"concat": [`+dport+`, `+saddr+`]}`, `{"set": [[{"concat": [80, "198.51.100.2"]}, {"goto": {"target": "other"}}]]}`),
			`{"log": {"prefix": "x"}}`, `{"xt": {"type": "match", "name": "comment"}}`, `{"xt": {"type": "target", "name": "LOG"}}`,
			match("==", `{"payload": {"protocol": "th", "field": "dport"}}`, "80"), match("==", `{"payload": {"protocol": "ip", "field": "protocol"}}`, `"tcp"`),
		},
		Passes: {
			match("==", saddr, `"10.0.0.1"`), match("==", saddr6, `{"prefix": {"addr": "::", "len": 0}}`), match("!=", saddr6, `"fe80::1"`),
			match("!=", udport, `53`), match("==", dport, `81`), match("==", oif, `"eth0"`), match("in", state, `["invalid"]`), match("!=", flags, `"syn"`),
			match("in", flags, `"ack"`), match("==", bits(`["fin", "syn"]`), `["fin", "syn"]`), match("==", mark, `1`), match("==", `{"&": [`+mark+`, 255]}`, `1`),
			match("==", fib, `"broadcast"`) + `,` + match("==", oif, `"x"`), match("in", `{"ct": {"key": "status"}}`, `"dnat"`), match(">", dport, `80`),
			match("==", `{"concat": [`+saddr+`, `+dport+`]}`, `"@pairs"`), match("==", `{"payload": {"protocol": "icmp", "field": "type"}}`, `"echo-request"`),
			fmt.Sprintf(vmap, dport, `{"set": [[22, {"drop": null}]]}`) + `, {"accept": null}`,
		},
		Unknown: {
			`{"limit": {"rate": 5, "burst": 5, "per": "second"}}`, match("==", `{"ct": {"key": "mark"}}`, `1`), match("==", `{"meta": {"key": "skuid"}}`, `0`),
			match("==", `{"ct": {"key": "ip daddr", "dir": "original"}}`, `"203.0.113.10"`), `{"xt": {"type": "match", "name": "string"}}`, `{"xt": {"type": "target", "name": "X"}}`,
			`{"set": {"op": "add", "elem": ` + saddr + `, "set": "@d", "stmt": [{"limit": {"rate": 5, "per": "second", "inv": true}}]}}`,
			match("==", saddr, `"@nowhere"`), match("~", saddr, `"10.0.0.1"`), match("==", `{"payload": {"base": "th", "offset": 0, "len": 16}}`, `5`),
			`{"queue": {"num": 1}}`, `{"something": "new"}`, match("==", mark, `0`) + `, {"mangle": {"key": ` + mark + `, "value": 5}}`,
		},
	} {
		for _, rule := range rules {
			tables, err := ParseNFT([]byte(nftRules("inet", rule+`, {"drop": null}`)))
			if err != nil {
				t.Fatal(err)
			}
			classed(t, Rules{Tables: tables})
			v := Rules{Tables: tables}.Walk(Input, web())
			if v.Result != want {
				t.Errorf("%s: %v, want %v", rule, v, want)
			}
			if strings.Contains(v.Rule, "null") {
				t.Errorf("%s is written as %s", rule, v.Rule)
			}
		}
	}
}

// TestNFTText: rules look as nft writes them.
func TestNFTText(t *testing.T) {
	for rule, want := range map[string]string{
		match("==", saddr, `{"prefix": {"addr": "10.0.0.0", "len": 8}}`) + `,{"counter": null}, {"drop": null}`:                                      "ip saddr 10.0.0.0/8 drop",
		match("!=", dport, `{"set": [22, {"range": [80, 90]}]}`) + `, {"reject": {"type": "icmpx", "expr": "admin-prohibited"}}`:                     "tcp dport != { 22, 80-90 } reject icmpx admin-prohibited",
		match("in", state, `["established", "related"]`) + `, {"accept": null}`:                                                                      "ct state established,related accept",
		match("==", iif, `"eth0"`) + `, {"jump": {"target": "other"}}`:                                                                               "iifname eth0 jump other",
		`{"vmap": {"key": ` + state + `, "data": {"set": [["invalid", {"drop": null}]]}}}`:                                                           "ct state vmap { invalid : drop }",
		match("==", `{"concat": [`+saddr+`, `+dport+`]}`, `{"set": [{"concat": ["10.0.0.1", 80]}]}`) + `, {"drop": null}`:                            "ip saddr . tcp dport { 10.0.0.1 . 80 } drop",
		match("==", `{"&": [`+flags+`, ["fin", "syn"]]}`, `"syn"`) + `, {"drop": null}`:                                                              "tcp flags & fin,syn syn drop",
		match("==", mark, `1`) + `, {"xt": {"type": "target", "name": "LOG"}}, {"log": {"prefix": "x"}}, {"goto": {"target": "other"}}`:              `meta mark 1 xt target LOG log {"prefix":"x"} goto other`,
		match("==", fib, `"local"`) + `, ` + match("==", `{"ct": {"key": "proto-dst", "dir": "original"}}`, `80`) + `, {"masquerade": {"flags": 1}}`: `fib daddr type local ct original proto-dst 80 masquerade {"flags":1}`,
	} {
		tables, err := ParseNFT([]byte(nftRules("ip", rule)))
		if err != nil {
			t.Fatal(err)
		}
		if got := tables[0].chain("i").Rules[0].Text; got != want {
			t.Errorf("\n got %s\nwant %s", got, want)
		}
	}
}

// TestNFTFullNAT: the rule of nft that stands for -m ipvs.
func TestNFTFullNAT(t *testing.T) {
	text := strings.Replace(nftRules("ip",
		match("==", `{"ct": {"key": "ip daddr", "dir": "original"}}`, `"203.0.113.10"`)+`,`+
			match("==", `{"ct": {"key": "proto-dst", "dir": "original"}}`, `80`)+`, {"masquerade": null}`),
		`"filter", "hook": "input"`, `"nat", "hook": "postrouting"`, 1)
	tables, err := ParseNFT([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	p := web()
	p.Balanced = Balanced{VIP: web().Dst, Method: Masq}
	classed(t, Rules{Tables: tables})
	if v := (Rules{Tables: tables}).Rewrites(Postrouting, p); v.Result != Rewrites {
		t.Error(v)
	}
	p.State = Untracked
	if v := (Rules{Tables: tables}).Rewrites(Postrouting, p); v.Result != Passes {
		t.Error(v)
	}
	p.State, p.Balanced.VIP = New, web().Src
	if v := (Rules{Tables: tables}).Rewrites(Postrouting, p); v.Result != Passes {
		t.Error(v)
	}
}

// TestNFTEarly: chains of cards and bridges mark packets that others see, and stop
// none of them here; one before conntrack hides packets from it.
func TestNFTEarly(t *testing.T) {
	parse := func(family, hook, rule string) Rules {
		text := strings.Replace(nftRules(family, rule), `"hook": "input", "prio": -10`, `"hook": "`+hook+`", "prio": -300`, 1)
		tables, err := ParseNFT([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return Rules{Tables: tables}
	}
	for _, family := range []string{"netdev", "bridge"} {
		r := parse(family, "input", `{"mangle": {"key": `+mark+`, "value": 7}}, {"drop": null}`)
		if v := r.Walk(Input, web()); v.Result != Passes || !r.SetsMarks() || len(r.Backends()) > 0 {
			t.Errorf("%s: %v, marks %t, %v", family, v, r.SetsMarks(), r.Backends())
		}
		if parse(family, "input", `{"drop": null}`).SetsMarks() {
			t.Errorf("%s: a mark that nobody sets", family)
		}
	}
	for rule, want := range map[string][2]bool{
		match("==", dport, "80") + `, {"notrack": null}, {"accept": null}`: {true, true}, match("==", dport, "81") + `, {"notrack": null}`: {},
		`{"xt": {"type": "target", "name": "CT"}}`: {true, false},
	} {
		if may, sure := parse("inet", "prerouting", rule).Untracks(Prerouting, web()); may != want[0] || sure != want[1] {
			t.Errorf("%s: %t %t", rule, may, sure)
		}
	}
}

func FuzzParseNFT(f *testing.F) {
	for _, rule := range []string{
		match("==", saddr, `"@s"`), match("!=", dport, `{"set": [22, {"range": [80, 90]}]}`), match("in", state, `["established"]`),
		`{"vmap": {"key": ` + dport + `, "data": "@m"}}`, match("==", `{"&": [`+flags+`, ["fin", "syn"]]}`, `"syn"`), `{"limit": {"rate": 5}}`,
		match("==", `{"concat": [`+saddr+`, `+dport+`]}`, `{"set": [{"concat": ["10.0.0.1", 80]}]}`),
	} {
		f.Add([]byte(nftRules("inet", rule, `{"drop": null}`)))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if tables, err := ParseNFT(text); err == nil {
			refines(t, Rules{Tables: tables})
		}
	})
}
