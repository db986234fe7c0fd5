package ui

import (
	"fmt"
	"testing"
)

func TestLook(t *testing.T) {
	for _, sz := range [][2]int{{80, 24}, {60, 16}, {132, 43}} {
		m, _ := console(t, site(), sz[0], sz[1], nil)
		fmt.Println(grid(m))
		press(m, "o", "down", "tab")
		fmt.Println(grid(m))
		press(m, "?")
		fmt.Println(grid(m))
	}
}
