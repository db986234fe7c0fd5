package firewall

import (
	"slices"
	"strings"
)

// ParseSave reads what iptables-save(8) or ip6tables-save(8) prints, with or
// without counters. Lines that it does not know it leaves out, as those that say
// that a table is only for nft to show.
func ParseSave(text string, b Backend, f Family) (tables []Table) {
	var t *Table
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "*"):
			tables = append(tables, Table{Backend: b, Family: f, Name: line[1:]})
			t = &tables[len(tables)-1]
		case t == nil:
		case strings.HasPrefix(line, ":"):
			t.addChain(strings.Fields(line[1:]))
		case strings.HasPrefix(line, "-A "), strings.HasPrefix(line, "["):
			t.addRule(line)
		}
	}
	for i := range tables {
		tables[i].resolve()
	}
	return tables
}

// priorities are in which order the kernel asks the tables of iptables.
var priorities = map[string]int{"raw": -300, "mangle": -150, "nat": -100, "filter": 0, "security": 50}

// addChain takes "INPUT DROP [0:0]"; a chain without a hook has the policy "-".
func (t *Table) addChain(words []string) {
	if len(words) < 2 {
		return
	}
	c := Chain{Name: words[0], Drop: words[1] == "DROP"}
	if words[1] != "-" {
		c.Hook, c.Priority, c.NAT = Hook(c.Name), priorities[t.Name], t.Name == "nat"
		if c.NAT && (c.Hook == Postrouting || c.Hook == Input) {
			c.Priority = -c.Priority
		}
	}
	t.add(c)
}

func (t *Table) addRule(line string) {
	if strings.HasPrefix(line, "[") { // counters
		_, line, _ = strings.Cut(line, "] ")
	}
	words := splitWords(line)
	if len(words) < 2 || words[0] != "-A" {
		return
	}
	if c := t.chain(words[1]); c != nil {
		r := parseRule(words[2:])
		r.Text = line
		c.Rules = append(c.Rules, r)
	}
}

// resolve tells chains that are jumped to from targets of iptables that nobody
// here knows.
func (t *Table) resolve() {
	for i := range t.Chains {
		for j := range t.Chains[i].Rules {
			if r := &t.Chains[i].Rules[j]; r.action == mystery && t.chain(r.target) != nil {
				r.action = jump
			}
		}
	}
}

// splitWords divides a line as iptables-restore(8) does: at blanks, save those
// within double quotes, where a backslash stands before a sign that is meant.
func splitWords(line string) (words []string) {
	var word strings.Builder
	quoted, escaped, open := false, false, false
	for _, c := range line {
		switch {
		case escaped:
			word.WriteRune(c)
			escaped = false
		case quoted && c == '\\':
			escaped = true
		case c == '"':
			quoted, open = !quoted, true
		case !quoted && (c == ' ' || c == '\t'):
			if open {
				words = append(words, word.String())
			}
			word.Reset()
			open = false
		default:
			word.WriteRune(c)
			open = true
		}
	}
	if open {
		words = append(words, word.String())
	}
	return words
}

// targets are what -j leads to besides chains. What is not here may do anything.
var targets = map[string]action{
	"ACCEPT": accept, "DROP": drop, "REJECT": reject, "RETURN": goBack,
	"MASQUERADE": rewrite, "SNAT": rewrite, "DNAT": rewrite, "REDIRECT": rewrite, "NETMAP": rewrite,
	"LOG": goOn, "NFLOG": goOn, "ULOG": goOn, "TRACE": goOn, "AUDIT": goOn, "LED": goOn, "RATEEST": goOn, "ACCOUNT": goOn,
	"MARK": goOn, "CONNMARK": goOn, "HMARK": goOn, "CT": goOn, "NOTRACK": goOn, "TCPMSS": goOn, "TCPOPTSTRIP": goOn, "CLASSIFY": goOn,
	"TOS": goOn, "DSCP": goOn, "ECN": goOn, "TTL": goOn, "HL": goOn, "SET": goOn, "TEE": goOn, "CHECKSUM": goOn,
	"SECMARK": goOn, "CONNSECMARK": goOn, "IDLETIMER": goOn,
}

// marking are targets that give packets marks.
var marking = map[string]bool{"MARK": true, "CONNMARK": true, "HMARK": true}

// parseRule takes a rule's words after the chain's name.
func parseRule(words []string) (r Rule) {
	p := ruleParser{words: words}
	for p.next() {
		switch p.word {
		case "-j", "-g":
			forGood := p.word == "-g"
			r.target = p.take()
			var known bool
			if r.action, known = targets[r.target]; !known {
				r.action = mystery // or a chain: see resolve
			}
			if forGood {
				r.action = jumpForGood
			}
			r.marks = marking[r.target] || slices.ContainsFunc(p.words, func(word string) bool { return word == "--map-mark" || word == "--tproxy-mark" })
			r.untracks = is(r.target == "NOTRACK" || r.target == "CT" && slices.Contains(p.words, "--notrack"))
			r.when, r.ipvs = p.when, slices.Contains(p.modules, "ipvs")
			return r
		default:
			p.match()
		}
	}
	r.when = p.when
	return r
}
