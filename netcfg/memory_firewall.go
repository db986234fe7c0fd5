package netcfg

import (
	"fmt"
	"hash/fnv"
	"strings"

	"lvsdeck/netcfg/firewall"
)

// PutFirewall gives the host rules that are not ours, as iptables-save(8) writes
// them, instead of those that it was given before.
func (m *Memory) PutFirewall(v6 bool, saved string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.saved == nil {
		m.saved = map[bool]string{}
	}
	m.saved[v6] = saved
}

// FirewallVersion implements Firewalls.
func (m *Memory) FirewallVersion() (uint32, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	sum := fnv.New32a()
	for _, v6 := range []bool{false, true} {
		fmt.Fprintln(sum, m.saved[v6])
	}
	for _, s := range m.others {
		if f, ok := s.(Filter); ok {
			fmt.Fprintln(sum, f)
		}
	}
	return sum.Sum32(), nil
}

// Firewall implements Firewalls. The host has iptables with nft as its back end.
func (m *Memory) Firewall() (firewall.Rules, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := firewall.Rules{Default: firewall.IptablesNFT}
	for v6, f := range map[bool]firewall.Family{false: firewall.IPv4, true: firewall.IPv6} {
		r.Tables = append(r.Tables, firewall.ParseSave(m.save(v6), firewall.IptablesNFT, f)...)
	}
	return r, nil
}

// save writes all rules of a family: ours that go first, those of others, ours.
func (m *Memory) save(v6 bool) string {
	var b strings.Builder
	for table, hooks := range chains {
		b.WriteString("*" + table + "\n")
		others := section(m.saved[v6], table)
		for _, h := range hooks {
			if !strings.Contains(others, "\n:"+h+" ") {
				b.WriteString(":" + h + " ACCEPT [0:0]\n")
			}
		}
		heads, rules, _ := strings.Cut(others, "\n-A ")
		b.WriteString(heads + "\n" + m.filters(v6, table, true))
		if rules != "" {
			b.WriteString("-A " + rules)
		}
		b.WriteString(m.filters(v6, table, false) + "COMMIT\n")
	}
	return b.String()
}

// section is what a text has for a table: its chains and then its rules.
func section(saved, table string) string {
	_, text, _ := strings.Cut("\n"+saved, "\n*"+table+"\n")
	text, _, _ = strings.Cut(text, "COMMIT")
	return "\n" + text
}

func (m *Memory) filters(v6 bool, table string, first bool) string {
	var b strings.Builder
	for _, s := range m.others {
		if f, ok := s.(Filter); ok && f.IPv6 == v6 && f.Table == table && f.First == first {
			b.WriteString("-A " + f.Chain + " " + strings.Join(f.spec(), " ") + "\n")
		}
	}
	return b.String()
}
