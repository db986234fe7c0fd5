package kernel

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
)

// LoadModule runs the program that the kernel itself would load modules with.
func LoadModule(ctx context.Context, name string) error {
	program, err := os.ReadFile("/proc/sys/kernel/modprobe")
	if err != nil {
		return fmt.Errorf("this kernel loads no modules: %w", err)
	}
	said, err := exec.CommandContext(ctx, string(bytes.TrimSpace(program)), "--", name).CombinedOutput()
	if err != nil {
		return fmt.Errorf("modprobe: %w: %s", err, bytes.TrimSpace(said))
	}
	return nil
}
