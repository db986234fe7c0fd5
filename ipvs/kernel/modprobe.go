package kernel

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"

	"lvsdeck/ipvs"
)

// loadModule runs the program that the kernel itself would load modules with.
func loadModule(ctx context.Context) error {
	program, err := os.ReadFile("/proc/sys/kernel/modprobe")
	if err != nil {
		return fmt.Errorf("%w (this kernel loads no modules: %w)", ipvs.ErrUnavailable, err)
	}
	said, err := exec.CommandContext(ctx, string(bytes.TrimSpace(program)), "--", "ip_vs").CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w (modprobe: %w: %s)", ipvs.ErrUnavailable, err, bytes.TrimSpace(said))
	}
	return nil
}
