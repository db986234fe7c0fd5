package adm

import "lvsdeck/ipvs"

// Verb is what a command line asks for.
type Verb uint8

// The commands of ipvsadm.
const (
	AddService Verb = 1 + iota
	EditService
	DeleteService
	Clear
	Restore
	Save
	AddServer
	EditServer
	DeleteServer
	List
	Zero
	SetTimeouts
	StartDaemon
	StopDaemon
	Help
	Version
)

// verbNames are ipvsadm's words in its complaints, not always the option's.
var verbNames = [...]string{
	AddService: "add-service", EditService: "edit-service", DeleteService: "delete-service",
	Clear: "flush", Restore: "restore", Save: "save",
	AddServer: "add-server", EditServer: "edit-server", DeleteServer: "delete-server",
	List: "list", Zero: "zero", SetTimeouts: "set",
	StartDaemon: "start-daemon", StopDaemon: "stop-daemon", Help: "help", Version: "version",
}

func (v Verb) String() string { return verbNames[v] }

// Command is one command line. Only what belongs to its Verb is filled in.
type Command struct {
	Verb Verb

	// Service is whole for AddService and EditService. Of the others that
	// name a service, only its ServiceID counts; Named tells for List and
	// Zero, which may name one, that they do.
	Service ipvs.Service
	Named   bool

	// Server is whole for AddServer and EditServer; DeleteServer has only its
	// Addr.
	Server ipvs.Server

	Timeouts ipvs.Timeouts
	Daemon   ipvs.Daemon // StopDaemon: Role and SyncID
	Listing  Listing
	Numeric  bool // List and Save: look no names up
}

// Listing is how List shows things.
type Listing struct {
	Of             Subject
	Columns        Columns
	PersistentConn bool // with Connections: show the engine's data
	Exact          bool // numbers in full
	Unsorted       bool
}

// Subject is what List lists.
type Subject uint8

// The subjects of a listing.
const (
	Table Subject = iota
	Connections
	Timeouts
	Daemons
)

// Columns are the figures that List shows of services and servers.
type Columns uint8

// The sets of columns.
const (
	Plain Columns = iota
	Stats
	Rates
	Thresholds
	PersistentConns
	Tunnels
)
