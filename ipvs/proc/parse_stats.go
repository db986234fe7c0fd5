package proc

import "lvsdeck/ipvs"

// ParseStats reads the text of /proc/net/ip_vs_stats: the whole table's totals
// and rates, both in hexadecimal.
func ParseStats(text []byte) (ipvs.Stats, error) {
	l := lines{file: "ip_vs_stats", rest: text}
	var s ipvs.Stats
	for line, more := l.next(); more; line, more = l.next() {
		r := row{rest: line}
		switch l.number {
		case 3:
			s.Total = r.traffic()
		case 6:
			s.Rate = r.traffic()
			return s, l.check(&r)
		}
		if err := l.check(&r); err != nil {
			return ipvs.Stats{}, err
		}
	}
	return ipvs.Stats{}, l.ended("rates of the whole table on line 6")
}

// ParsePerCPU reads the text of /proc/net/ip_vs_stats_percpu and adds up its
// rows. They are the raw counters: they move with each packet, whether the
// estimator runs or not, and are never set to zero. The row "~" below them is
// the estimator's again, and not read.
func ParsePerCPU(text []byte) (ipvs.Traffic, error) {
	l := lines{file: "ip_vs_stats_percpu", rest: text}
	var sum ipvs.Traffic
	for line, more := l.next(); more; line, more = l.next() {
		if l.number <= 2 {
			continue
		}
		r := row{rest: line}
		if cpu := r.word(); string(cpu) == "~" {
			return sum, nil
		} else if _, ok := hex(cpu); !ok {
			r.fail("a CPU number in hexadecimal, or ~", cpu)
		}
		sum = sum.Add(r.traffic())
		if err := l.check(&r); err != nil {
			return ipvs.Traffic{}, err
		}
	}
	return ipvs.Traffic{}, l.ended("the row ~")
}

func (l *lines) ended(want string) error {
	r := row{}
	r.fail(want, []byte("the end of the file"))
	return l.check(&r)
}

// traffic reads conns, packets in and out, bytes in and out.
func (r *row) traffic() ipvs.Traffic {
	return ipvs.Traffic{
		Conns:      r.hex(64, "connections in hexadecimal"),
		InPackets:  r.hex(64, "packets in, in hexadecimal"),
		OutPackets: r.hex(64, "packets out, in hexadecimal"),
		InBytes:    r.hex(64, "bytes in, in hexadecimal"),
		OutBytes:   r.hex(64, "bytes out, in hexadecimal"),
	}
}
