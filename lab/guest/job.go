package guest

// Where the host puts things in the guest's file system.
const (
	JobFile     = "/job.json"            // the Job
	WorkDir     = "/job"                 // its working directory
	ProgramDir  = "/usr/local/bin"       // its program, and added ones; first on PATH
	OutDir      = "/out"                 // files here when the job ends go to the host
	BootModules = "/etc/lab/bootmodules" // files to load before the job, one a line, in order
)

// InLab is the environment variable that tells a program it runs in the lab.
const InLab = "LVSDECK_LAB"

// Job is what one run of the lab is for.
type Job struct {
	Program  string // a path, or a name to find on PATH
	Args     []string
	Env      []string // NAME=value, on top of the guest's own
	Terminal bool     // run it on a person's terminal instead of a pipe
	Size     Size     // of that terminal
}

// Size is a terminal's, in character cells.
type Size struct{ Cols, Rows uint16 }

// Note is one message on the line between host and guest: a JSON value a line.
// Exactly one field group is set.
type Note struct {
	Up   bool   `json:",omitempty"` // guest: the first sign of life
	Exit *int   `json:",omitempty"` // guest: the job's exit status, as a shell counts
	Fail string `json:",omitempty"` // guest: why the job could not be run

	File string `json:",omitempty"` // guest: a file for the host, by its path below OutDir
	Data []byte `json:",omitempty"`

	Size *Size `json:",omitempty"` // host: the terminal has another size now
}
