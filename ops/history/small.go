package history

import (
	"math/bits"

	"lvsdeck/ops"
)

// small is a figure in 16 bits: whole numbers exactly up to 4095, eighths up to
// 511, and beyond with an error of at most one part in 4096; 550 G at the most.
// It has 11 bits of fraction under 5 of exponent, in eighths.
type small uint16

const unknown small = 0xffff

const (
	fraction = 11
	eighth   = 8
)

// pack takes eighths.
func pack(n uint64) small {
	if n < 2<<fraction {
		return small(n)
	}
	shift := bits.Len64(n) - fraction - 1
	n = (n>>(shift-1) + 1) >> 1
	if n == 2<<fraction {
		n, shift = n>>1, shift+1
	}
	if shift > 30 {
		return unknown - 1
	}
	return small(shift<<fraction + int(n))
}

// eighths is what was packed, nearly.
func (s small) eighths() uint64 {
	exponent := s >> fraction
	if exponent == 0 {
		return uint64(s)
	}
	return uint64(s&(1<<fraction-1)|1<<fraction) << (exponent - 1)
}

func (s small) value() float32 {
	if s == unknown {
		return ops.Unknown
	}
	return float32(s.eighths()) / eighth
}
