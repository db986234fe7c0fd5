package plan

import (
	"strings"

	"lvsdeck/ipvs"
	"lvsdeck/persist/adm"
)

// The commands are Debian's ipvsadm 1.31's.

var lines adm.Format

func ipvsadm(words ...string) string { return "ipvsadm " + strings.Join(words, " ") }

// editService is the line that adds a service, with the other verb: -E replaces
// everything too.
func editService(s ipvs.Service) string {
	return ipvsadm("-E", strings.TrimPrefix(lines.Service(s), "-A "))
}

// editServer says thresholds of 0 too: who pastes it should see that -e replaces
// everything.
func editServer(id ipvs.ServiceID, s ipvs.Server) string {
	words := []string{"-e", strings.TrimPrefix(lines.Server(id, s), "-a ")}
	if s.Upper == 0 {
		words = append(words, "-x 0")
	}
	if s.Lower == 0 {
		words = append(words, "-y 0")
	}
	return ipvsadm(words...)
}

// serviceWords name a service: what stands before the scheduler in the line
// that adds it.
func serviceWords(id ipvs.ServiceID) string {
	name, _, _ := strings.Cut(lines.Service(ipvs.Service{ServiceID: id}), " -s ")
	return strings.TrimPrefix(name, "-A ")
}

// addServices builds services with their servers, a command a line.
func addServices(services ...ipvs.ServiceRules) string {
	var all []string
	for _, s := range services {
		all = append(all, ipvsadm(lines.Service(s.Service)))
		for _, rs := range s.Servers {
			all = append(all, ipvsadm(lines.Server(s.ServiceID, rs)))
		}
	}
	return strings.Join(all, "\n")
}
