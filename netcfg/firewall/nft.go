package firewall

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// ParseNFT reads what "nft -j list ruleset" prints (libnftables-json(5)). Tables
// of arp it leaves out. Of expressions that it
// does not know it says nothing, and so may those rules match or not.
func ParseNFT(text []byte) ([]Table, error) {
	var list struct {
		Nftables []struct {
			Table, Chain, Rule, Set, Map *nftObject
		}
	}
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("cannot read what nft prints: %w", err)
	}
	if list.Nftables == nil {
		return nil, errors.New("cannot read what nft prints: there is no list of objects")
	}
	p := nftParser{sets: map[string][]any{}}
	for _, o := range list.Nftables { // sets first: rules name those that come later
		for _, set := range []*nftObject{o.Set, o.Map} {
			if set != nil {
				p.sets[set.in(set.Name)] = set.Elem
			}
		}
	}
	for _, o := range list.Nftables {
		switch {
		case o.Table != nil:
			p.addTable(*o.Table)
		case o.Chain != nil:
			p.addChain(*o.Chain)
		case o.Rule != nil:
			p.addRule(*o.Rule)
		}
	}
	return p.tables, nil
}

// nftObject is a table, a chain, a set, a map or a rule.
type nftObject struct {
	Family, Table, Name string
	Type, Hook, Policy  nftWord
	Prio                any
	Elem                []any
	Chain               string
	Expr                []any
}

// nftWord is a word where nft may have something else, as sets of several types.
type nftWord string

// UnmarshalJSON takes what is no word for none.
func (w *nftWord) UnmarshalJSON(text []byte) error {
	var word string
	if json.Unmarshal(text, &word) == nil {
		*w = nftWord(word)
	}
	return nil
}

func (o nftObject) in(name string) string { return o.Family + " " + o.Table + " " + name }

type nftParser struct {
	tables []Table
	sets   map[string][]any
}

func (p *nftParser) table(family, name string) *Table {
	for i := range p.tables {
		if t := &p.tables[i]; string(t.Family) == family && t.Name == name {
			return t
		}
	}
	return nil
}

func (p *nftParser) addTable(o nftObject) {
	f := Family(o.Family)
	if (f.routed() || f == Card || f == Bridge) && p.table(o.Family, o.Name) == nil {
		p.tables = append(p.tables, Table{Backend: NFT, Family: f, Name: o.Name})
	}
}

func (p *nftParser) addChain(o nftObject) {
	t := p.table(o.Family, o.Table)
	if t == nil {
		return
	}
	c := Chain{Name: o.Name, Hook: Hook(strings.ToUpper(string(o.Hook))), NAT: o.Type == "nat", Drop: o.Policy == "drop"}
	if prio, ok := o.Prio.(float64); ok {
		c.Priority = int(prio)
	}
	t.add(c)
}

func (p *nftParser) addRule(o nftObject) {
	t := p.table(o.Family, o.Table)
	if t == nil {
		return
	}
	if c := t.chain(o.Chain); c != nil {
		r := nftRule{object: o, sets: p.sets, text: nftText(o.Expr)}
		c.Rules = append(c.Rules, r.read()...)
	}
}

// nftRule is a rule on its way to one or, where it looks up what to do in a map,
// several of ours.
type nftRule struct {
	object nftObject
	sets   map[string][]any
	text   string
	when   []condition
	marks  bool

	untracks answer
}

func (n *nftRule) rule(a action, target string) Rule {
	return Rule{Text: n.text, when: n.when, action: a, target: target, marks: n.marks, untracks: n.untracks}
}

func (n *nftRule) read() (rules []Rule) {
	for _, e := range n.object.Expr {
		name, body := only(e)
		if name == "vmap" {
			return n.lookUp(body)
		}
		if a, target, ends := nftVerdict(name, body); ends {
			return []Rule{n.rule(a, target)}
		}
		n.take(name, body)
	}
	return []Rule{n.rule(goOn, "")}
}

// take reads what is no end of the rule.
func (n *nftRule) take(name string, body any) {
	switch name {
	case "match":
		n.when = append(n.when, n.match(body))
	case "counter", "log", "comment", "last", "ct helper", "ct timeout", "ct expectation", "dup", "flow":
	case "notrack":
		n.untracks = yes
	case "limit", "quota", "ct count", "meter":
		n.when = append(n.when, mysterious)
	case "set", "map": // a change of one, which may come with a limit of its own
		if m, _ := body.(map[string]any); m["stmt"] != nil {
			n.when = append(n.when, mysterious)
		}
	case "mangle":
		n.marks = true
	case "xt": // of iptables
		n.marks = true
		m, _ := body.(map[string]any)
		if m["type"] == "match" && m["name"] != "comment" {
			n.when = append(n.when, mysterious)
		}
		if m["name"] == "CT" || m["name"] == "NOTRACK" { // its options are not printed
			n.untracks = maybe
		}
	default:
		n.marks = true
		n.when = append(n.when, mysterious)
	}
}

// nftVerdict reads what ends a rule.
func nftVerdict(name string, body any) (a action, target string, ends bool) {
	switch name {
	case "accept":
		return accept, "", true
	case "drop":
		return drop, "", true
	case "reject":
		return reject, "", true
	case "return":
		return goBack, "", true
	case "continue":
		return goOn, "", true
	case "jump", "goto":
		if m, ok := body.(map[string]any); ok {
			target, _ = m["target"].(string)
		}
		if name == "goto" {
			return jumpForGood, target, true
		}
		return jump, target, true
	case "masquerade", "snat", "dnat", "redirect":
		return rewrite, "", true
	case "queue", "tproxy", "synproxy", "fwd":
		return mystery, "", true
	case "xt":
		m, _ := body.(map[string]any)
		target, _ := m["name"].(string)
		if a, known := targets[target]; m["type"] != "match" && (!known || a != goOn) {
			return cmp.Or(a, mystery), "", true
		}
	}
	return goOn, "", false
}

// lookUp makes a rule of each of a map's elements. No packet fits two.
func (n *nftRule) lookUp(body any) (rules []Rule) {
	m, _ := body.(map[string]any)
	key, data := n.field(m["key"]), n.elements(m["data"])
	given := n.when
	for _, e := range data {
		pair, ok := e.([]any)
		if !ok || len(pair) != 2 {
			return []Rule{n.rule(mystery, "")}
		}
		name, body := only(pair[1])
		if word, ok := pair[1].(string); ok {
			name = word
		}
		a, target, ends := nftVerdict(name, body)
		if !ends {
			a = mystery
		}
		n.when = append(given[:len(given):len(given)], key.when(pair[0]))
		rules = append(rules, n.rule(a, target))
	}
	return rules
}

// elements are those of a set that is written in place, or has a name, or of a
// single value.
func (n *nftRule) elements(value any) []any {
	if name, ok := value.(string); ok && strings.HasPrefix(name, "@") {
		if list, ok := n.sets[n.object.in(name[1:])]; ok {
			return list
		}
		return []any{nil}
	}
	if name, set := only(value); name == "set" {
		if list, ok := set.([]any); ok {
			return list
		}
		return []any{set}
	}
	if list, ok := value.([]any); ok {
		return list
	}
	return []any{value}
}

// only gives the one member of a JSON object, and a word that stands for one.
func only(v any) (name string, body any) {
	if word, ok := v.(string); ok {
		return word, nil
	}
	if m, ok := v.(map[string]any); ok && len(m) == 1 {
		for name, body = range m {
		}
	}
	return name, body
}
