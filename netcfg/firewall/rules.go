package firewall

import "strings"

// Backend is where a table is kept.
type Backend string

// The back ends. The kernel asks all of them.
const (
	IptablesNFT    Backend = "iptables-nft"
	IptablesLegacy Backend = "iptables-legacy"
	NFT            Backend = "nft"
)

// Family is which packets a table sees.
type Family string

// The families.
const (
	IPv4 Family = "ip"
	IPv6 Family = "ip6"
	Both Family = "inet"

	// Packets that come in by a card or through a bridge, before they are routed.
	// Such tables are looked at only for what they set.
	Card   Family = "netdev"
	Bridge Family = "bridge"
)

// routed tells that a family's chains see what the host routes, takes or sends.
func (f Family) routed() bool { return f == IPv4 || f == IPv6 || f == Both }

// Hook is a place on a packet's way through the host.
type Hook string

// The hooks.
const (
	Prerouting  Hook = "PREROUTING"
	Input       Hook = "INPUT"
	Forward     Hook = "FORWARD"
	Output      Hook = "OUTPUT"
	Postrouting Hook = "POSTROUTING"
)

// Rules are all rules of a host.
type Rules struct {
	Tables []Table

	// Unread says what could not be read, each as a clause. With it nothing is
	// sure to pass.
	Unread []string

	// Default is where the host's own iptables writes, or "" without one.
	Default Backend
}

// Table is a set of chains.
type Table struct {
	Backend Backend
	Family  Family
	Name    string
	Chains  []Chain
	places  map[string]int // of chains, by name: some hosts have thousands
}

// Chain is a list of rules. One with a hook is where packets come in; others are
// jumped to.
type Chain struct {
	Name     string
	Hook     Hook
	Priority int  // chains of a hook are asked in this order
	NAT      bool // it sees only a connection's first packet
	Drop     bool // the policy
	Rules    []Rule
}

// Rule is one rule. Text is as its own tool writes it.
type Rule struct {
	Text   string
	when   []condition
	action action
	target string // of jumps
	marks  bool   // it may change the packet's mark
	ipvs   bool   // it has -m ipvs

	// untracks: it takes the packet out of conntrack's sight.
	untracks answer
}

type action int

const (
	goOn action = iota
	accept
	drop
	reject
	rewrite // and accept
	jump
	jumpForGood // goto
	goBack      // return
	mystery     // anything
)

// chain finds a chain by its name, or gives nil.
func (t *Table) chain(name string) *Chain {
	if i, ok := t.places[name]; ok {
		return &t.Chains[i]
	}
	return nil
}

// add adds a chain, unless there is one of that name.
func (t *Table) add(c Chain) {
	if t.chain(c.Name) != nil {
		return
	}
	if t.places == nil {
		t.places = map[string]int{}
	}
	t.places[c.Name] = len(t.Chains)
	t.Chains = append(t.Chains, c)
}

// owners are programs that keep rules of their own, known by their chains.
var owners = []struct {
	name     string
	prefixes []string
}{
	{"Docker", []string{"DOCKER"}},
	{"ufw", []string{"ufw-", "ufw6-"}},
	{"firewalld", []string{"INPUT_ZONES", "filter_INPUT_ZONES", "FWDI_", "IN_public"}},
	{"kube-proxy", []string{"KUBE-"}},
	{"libvirt", []string{"LIBVIRT_"}},
	{"Calico", []string{"cali-"}},
	{"Cilium", []string{"CILIUM_"}},
}

// Owners names the programs that keep rules here, in a fixed order. They may
// write theirs anew at any time.
func (r Rules) Owners() (names []string) {
	for _, o := range owners {
		if r.hasChain(o.prefixes) {
			names = append(names, o.name)
		}
	}
	return names
}

func (r Rules) hasChain(prefixes []string) bool {
	for _, t := range r.Tables {
		for _, c := range t.Chains {
			for _, p := range prefixes {
				if strings.HasPrefix(c.Name, p) {
					return true
				}
			}
		}
	}
	return false
}

// Backends are those that have rules or policies of their own: two of iptables at
// once are a trap, since each tool shows one.
func (r Rules) Backends() (all []Backend) {
	for _, b := range []Backend{IptablesNFT, IptablesLegacy, NFT} {
		for _, t := range r.Tables {
			if t.Backend == b && t.Family.routed() && !t.empty() {
				all = append(all, b)
				break
			}
		}
	}
	return all
}

func (t *Table) empty() bool {
	for _, c := range t.Chains {
		if c.Drop || len(c.Rules) > 0 {
			return false
		}
	}
	return true
}
