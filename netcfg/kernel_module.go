package netcfg

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/kernel"
)

// loadTime bounds the loading of a module.
const loadTime = 20 * time.Second

type kernelModule Module

func (m kernelModule) has() (bool, error) {
	_, err := os.Stat("/sys/module/" + m.Name)
	if !errors.Is(err, fs.ErrNotExist) {
		return err == nil, err
	}
	// What is built in has a directory only if it has parameters.
	text, err := os.ReadFile("/lib/modules/" + release() + "/modules.builtin")
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return slices.Contains(moduleNames(text, fileName), m.Name), err
}

func (m kernelModule) add() error {
	ctx, cancel := context.WithTimeout(context.Background(), loadTime)
	defer cancel()
	err := kernel.LoadModule(ctx, m.Name)
	if err == nil {
		return nil
	}
	kind := ErrRefused
	switch said := err.Error(); {
	case strings.Contains(said, "not found"):
		kind = ErrNoModule
	case strings.Contains(said, "not permitted"):
		kind = ipvs.ErrPermission
	}
	return fmt.Errorf("%w (%w)", kind, err)
}

// remove leaves it: with a tunnel's module would go tunnels of others.
func (kernelModule) remove() error { return nil }
