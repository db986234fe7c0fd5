// Package check says what is wrong with a director and how that is known.
//
//	scene, err := check.Gather(ctx, sources, sample)   reads the host; sends nothing
//	findings := check.Run(scene)                       pure
//
// A Finding has its evidence in figures, what it means for clients, and where it
// can be had a plan that ends it. What could not be read is told in the scene,
// and what depends on it is not guessed. A symptom (handshakes that do not end,
// answers that do not come) is a finding only where no cause is found.
//
// A Watch makes rounds of both beside a sampler, and none of its rounds sends a
// packet: Watch.Probe does, when it is asked to.
//
// Out of scope: how servers are probed (package probe), what goes on inside real
// servers, the servers of mark services' firewalls (their addresses are the
// firewall's own), and every screen.
package check
