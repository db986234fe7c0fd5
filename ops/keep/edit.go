package keep

import (
	"reflect"
	"strings"

	"lvsdeck/ipvs"
	"lvsdeck/persist/adm"
)

// With gives the text of a file of rules with one service as it is given, in place
// of what the file says of it. All other lines stay as somebody wrote them.
func With(text string, s ipvs.ServiceRules) (string, error) {
	var lines strings.Builder
	if err := adm.WriteRules(&lines, ipvs.Rules{Services: []ipvs.ServiceRules{s}}); err != nil {
		return "", err
	}
	want, err := adm.ReadRules(strings.NewReader(lines.String())) // as a file says it
	if err != nil {
		return "", err
	}
	has, err := adm.ReadRules(strings.NewReader(text))
	if err != nil {
		return "", err
	}
	for _, old := range has.Services {
		if old.ServiceID == s.ServiceID && reflect.DeepEqual(old, want.Services[0]) {
			return text, nil
		}
	}
	if text, err = Without(text, s.ServiceID); err != nil {
		return "", err
	}
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	text += lines.String()
	_, err = adm.ReadRules(strings.NewReader(text))
	return text, err
}

// Without gives the text of a file of rules without the lines of a service.
func Without(text string, id ipvs.ServiceID) (string, error) {
	if _, err := adm.ReadRules(strings.NewReader(text)); err != nil {
		return "", err
	}
	var left strings.Builder
	for line := range strings.Lines(text) {
		if of, ok := adm.ServiceOf(line); !ok || of != id {
			left.WriteString(line)
		}
	}
	return left.String(), nil
}
