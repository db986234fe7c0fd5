package task

import (
	"context"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
)

// ExpireTemplates is the sysctl that ends persistence on drained servers.
const ExpireTemplates = "expire_quiescent_template"

// Settings are what the director does about connections that stay.
type Settings struct {
	Timeouts  ipvs.Timeouts // 0: not known
	Templates string        // value of ExpireTemplates; "": not known
}

// closing is how long the kernel keeps a TCP connection that is not established
// at the most: SYN_SENT and TIME_WAIT, which cannot be set.
const closing = 120 * time.Second

// The kernel's own timeouts, for when the present ones are not known.
var usual = ipvs.Timeouts{TCP: 900, TCPFin: 120, UDP: 300}

func (s Settings) timeouts() ipvs.Timeouts {
	if s.Timeouts == (ipvs.Timeouts{}) {
		return usual
	}
	return s.Timeouts
}

func (s Settings) closing() time.Duration { return max(closing, seconds(s.timeouts().TCPFin)) }

// endsTemplates tells that persistence passes drained servers over.
func (s Settings) endsTemplates() bool { return s.Templates != "" && s.Templates != "0" }

// readSettings keeps the settings fresh while they matter. What cannot be read
// is not known.
func (k *Keeper) readSettings(ctx context.Context) {
	now := k.opts.Now()
	if k.watch.idle() || now.Sub(k.read) < settingsEvery {
		return
	}
	k.read = now
	k.watch.set(readSettings(ctx, k.opts.Reader, k.opts.Sysctls))
}

func readSettings(ctx context.Context, r ipvs.Reader, s netcfg.Sysctls) (set Settings) {
	ctx, cancel := context.WithTimeout(ctx, settingsTime)
	defer cancel()
	if r != nil {
		set.Timeouts, _ = r.Timeouts(ctx)
	}
	if s != nil {
		set.Templates, _ = s.Get(ExpireTemplates)
	}
	return set
}
