package wire

import (
	"encoding/hex"
	"testing"
)

// TestAnnounce: ARP's sender and target are the address, IPv6 has the MAC in an
// option, and both read as the claim that they are.
func TestAnnounce(t *testing.T) {
	mac := MAC{2, 0, 0, 0, 0, 7}
	for a, want := range map[string]string{
		"203.0.113.10": "0001080006040001" + "020000000007" + "cb00710a" + "000000000000" + "cb00710a",
		"2001:db8::10": "",
	} {
		c := Claim{addr(a), mac}
		f := Announce(c)
		if got, _, ok := ParseClaim(f.Type, f.Payload); !ok || got != c {
			t.Errorf("%s reads as %v, %t", a, got, ok)
		}
		if want != "" && hex.EncodeToString(f.Payload) != want {
			t.Errorf("%s: %x", a, f.Payload)
		}
		if f.Type == EtherIPv6 && !sums(f.Payload) {
			t.Errorf("%s: the checksum is wrong", a)
		}
	}
}
