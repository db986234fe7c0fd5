package main

// shot is one picture: what to run, and how to get to what it shows.
type shot struct {
	name          string
	width, height int
	args          []string
	env           []string
	steps         []step
}

// step types keys and waits until all texts are on the screen.
type step struct {
	keys  string
	until []string
}

// Keys as a terminal sends them.
const (
	enter = "\r"
	tab   = "\t"
	down  = "\x1b[B"
)

var (
	started = step{"", []string{"SERVICE", "q quit"}}
	// opened goes to the service that has a draining server and opens it.
	opened = step{"n" + enter, []string{"10.0.3.14:443", "drain"}}
)

var shots = []shot{
	{name: "services-80x24", width: 80, height: 24, args: []string{"--demo"}, steps: []step{started, opened}},
	{name: "incident-80x24", width: 80, height: 24, args: []string{"--demo=incident"}, steps: []step{
		started,
		{"", []string{"0/2", "2/3"}}, // this takes the incident some twenty seconds
		{"g" + down + down + down + enter, []string{"10.0.3.14:443"}}, // the fourth service
	}},
	{name: "detail-132x43", width: 132, height: 43, args: []string{"--demo"}, steps: []step{started, opened, {tab, []string{"scheduler", "forwarding"}}}},
	{name: "wide-200x50", width: 200, height: 50, args: []string{"--demo"}, steps: []step{started, {"o", []string{"10.0.7.21:8443"}}}},
	{name: "no-colour-80x24", width: 80, height: 24, args: []string{"--demo"}, env: []string{"NO_COLOR=1"}, steps: []step{started, opened}},
	{name: "ascii-80x24", width: 80, height: 24, args: []string{"--demo", "--ascii"}, steps: []step{started, opened}},
	{name: "help-80x24", width: 80, height: 24, args: []string{"--demo"}, steps: []step{started, {"?", []string{"any other key goes back"}}}},
	{name: "filter-80x24", width: 80, height: 24, args: []string{"--demo"}, steps: []step{started, {"o/10.0.3.1", []string{"filter 10.0.3.1", "esc back"}}}},
	{name: "plan-80x24", width: 80, height: 24, args: []string{"--demo"}, steps: []step{
		started,
		{"a", []string{"Add servers to TCP 198.51.100.20:443"}},
		{"10.0.7.24-26" + enter, []string{"add 3 servers", "do it"}},
	}},
	{name: "drain-80x24", width: 80, height: 24, args: []string{"--demo"}, steps: []step{
		started, opened, {down + down + down + tab, []string{"10.0.3.13:443  server of"}},
	}},
	{name: "checks-80x24", width: 80, height: 24, args: []string{"--demo=incident"}, steps: []step{
		started,
		{"", []string{"F", "0/2"}},
		{"F", []string{"no server takes new connections", "the server does not answer"}},
	}},
	{name: "why-80x24", width: 80, height: 24, args: []string{"--demo=incident"}, steps: []step{
		started,
		{"", []string{"0/2"}},
		{"/203.0.113.10:443 !udp" + enter + "y", []string{"This is why", "no rule stops"}},
	}},
	{name: "graph-80x24", width: 80, height: 24, args: []string{"--demo=incident"}, steps: []step{
		started,
		{"", []string{"0/2"}},
		{"/203.0.113.10:443 !udp" + enter + "H", []string{"what happened", "span"}},
	}},
	{name: "service-132x43", width: 132, height: 43, args: []string{"--demo=incident"}, steps: []step{
		started,
		{"", []string{"0/2"}},
		{"/203.0.113.10:443 !udp" + enter + "s", []string{"10.0.3.14:443"}},
	}},
	{name: "pulse-80x24", width: 80, height: 24, args: []string{"--demo=incident"}, steps: []step{
		started,
		{"", []string{"0/2", "2/3"}},
		{"P", []string{"worst first", "203.0.113.10:443"}},
	}},
	{name: "director-80x24", width: 80, height: 24, args: []string{"--demo"}, steps: []step{started, {"D", []string{"SYSCTLS"}}}},
}
