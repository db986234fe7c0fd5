package netcfg

// Host is a computer's settings around the table. Implementations are safe for
// concurrent use.
type Host interface {
	Sysctls
	Settings
	Surroundings
	Firewalls

	// List gives every sysctl of IPVS that this kernel has, sorted by name.
	List() ([]Value, error)

	Modules() (Modules, error)
}
