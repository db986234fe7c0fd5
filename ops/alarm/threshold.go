package alarm

import (
	"fmt"
	"strconv"
	"strings"
)

// DefaultHold is for how many readings a figure must be beyond a threshold before
// it is said: a single reading is often nothing.
const DefaultHold = 3

// MaxHold is the most that makes sense: an hour at the default interval is 1,800.
const MaxHold = 1800

// most is the largest limit.
const most = 1 << 60

// Threshold is what a figure of a row should not go beyond.
type Threshold struct {
	Row    Row    `json:"row"`
	Figure Figure `json:"figure"`
	Below  bool   `json:"below,omitempty"` // it should not fall below; otherwise rise above
	Limit  uint64 `json:"limit"`           // in the figure's own unit: bits, percent, connections
	Hold   int    `json:"hold"`            // for so many readings
}

// Key names a threshold: of one row, figure and direction there is one.
func (t Threshold) Key() string {
	return string(t.Figure) + " " + t.Direction() + ", " + t.Row.String()
}

// Direction is above or below.
func (t Threshold) Direction() string {
	if t.Below {
		return "below"
	}
	return "above"
}

// Refused is what is wrong with a part of a threshold.
type Refused struct {
	Part string // figure, limit or hold
	Why  string
}

func (r *Refused) Error() string { return r.Why }

// Check tells what is wrong with a threshold, with a *Refused.
func (t Threshold) Check() error {
	k, err := t.Figure.kind()
	switch {
	case err != nil:
		return &Refused{"figure", err.Error()}
	case k.share && !t.Row.Server.IsValid():
		return &Refused{"figure", fmt.Sprintf("%s: only a server has a share, of its service's", t.Figure)}
	case k.share && t.Limit > 100:
		return &Refused{"limit", fmt.Sprintf("limit %d: a share is 0 to 100 percent", t.Limit)}
	case k.share && t.Limit == 100 && !t.Below:
		return &Refused{"limit", "limit 100: no share goes above that; choose less"}
	case t.Below && t.Limit == 0:
		return &Refused{"limit", "limit 0: nothing falls below that; choose 1 to hear when there is none"}
	case t.Limit > most:
		return &Refused{"limit", fmt.Sprintf("limit %d: must be at most %d", t.Limit, uint64(most))}
	case t.Hold < 1 || t.Hold > MaxHold:
		return &Refused{"hold", fmt.Sprintf("%d readings: must be 1 to %d", t.Hold, MaxHold)}
	}
	return nil
}

// beyond tells a figure that crosses the threshold, back one that is well inside
// again: a tenth of the limit lies between, and one at the least, so that a figure at
// the limit does not cross it again and again. There is nothing between none and one.
func (t Threshold) beyond(v float64) bool {
	if t.Below {
		return v < float64(t.Limit)
	}
	return v > float64(t.Limit)
}

func (t Threshold) back(v float64) bool {
	apart := max(1, t.Limit/10)
	if t.Limit <= 1 {
		apart = 0
	}
	if !t.Below {
		return v <= float64(t.Limit-apart)
	}
	if t.Figure.Share() {
		return v >= float64(min(t.Limit+apart, 100)) // no share is more
	}
	return v >= float64(t.Limit+apart)
}

var multiples = map[byte]float64{'k': 1e3, 'K': 1e3, 'm': 1e6, 'M': 1e6, 'g': 1e9, 'G': 1e9, 't': 1e12, 'T': 1e12}

// ParseLimit reads a number as operators type it: 5000, 5k, 1.2G; of a share 30 or
// 30%.
func (f Figure) ParseLimit(s string) (uint64, error) {
	refused := &Refused{"limit", fmt.Sprintf("limit %q: must be a number like 5000, 5k, 1.2M or 3G", s)}
	number, factor := s, 1.0
	if f.Share() {
		refused.Why = fmt.Sprintf("limit %q: must be a number of percent, like 30", s)
		number = strings.TrimSpace(strings.TrimSuffix(s, "%"))
		if strings.Trim(number, "0123456789") != "" {
			return 0, refused
		}
	}
	if n := len(number); n > 0 && multiples[number[n-1]] > 0 {
		factor, number = multiples[number[n-1]], strings.TrimSpace(number[:n-1])
	}
	if strings.Trim(number, "0123456789.") != "" {
		return 0, refused // no signs, exponents, NaN or hexadecimal
	}
	if n, err := strconv.ParseUint(number, 10, 64); err == nil && factor == 1 {
		return n, nil
	}
	v, err := strconv.ParseFloat(number, 64)
	if err != nil || v*factor > most {
		return 0, refused
	}
	return uint64(v*factor + .5), nil
}
