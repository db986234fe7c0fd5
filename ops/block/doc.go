// Package block keeps clients out: a rule of the firewall drops their packets
// before IPVS sees them. That is what there is in place of a call that ends a
// connection, which the kernel has not.
//
// The rules stand in the table raw, at PREROUTING, where packets of every mode of
// IPVS pass, of new connections and of old ones. They are settings like any other
// (netcfg.Filter): a plan adds them, the journal knows them, undo takes them away.
// Which are in force is read from the firewall itself, by their comment.
//
// Out of scope: rules that others made, ipsets and rates, and blocks that last over
// a restart.
package block
