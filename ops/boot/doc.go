// Package boot makes set-ups last over a restart: Keeper writes what is kept into
// files, and Boot brings it about again.
//
//	/etc/lvsdeck/kept.json               the host's settings of each set-up that is
//	                                     kept, in their order
//	the rules file (persist.RulesFile)   the table: services, thresholds, timeouts,
//	                                     daemons; the one that lvsdeck save writes
//	/etc/systemd/system/lvsdeck.service  runs "lvsdeck boot"; and the link below
//	                                     multi-user.target.wants that enables it
//
// Of the rules file only the lines of the services that are kept are touched. One
// that was not there gets the timeouts and daemons that run, too.
//
// The files change by a plan of plan.ChangeFile steps: they are previewed,
// journalled and undone like everything else. Nothing that waits to be confirmed is
// kept, and nothing is let go while its way back waits: a restart would make a
// change last that cut the operator off. So the files follow when a change is
// settled (Keeper.Settle): confirmed, or made without a timer.
//
// The unit has no ExecStop. Stopping it, as an upgrade or a shutdown does, must not
// take the director out of service; unset does that.
//
// Out of scope: real servers (their scripts bring a unit of their own), rules of
// iptables that others flush after us, and other programs' boot files, of which
// Keeper only tells when they restore the same rules.
package boot
