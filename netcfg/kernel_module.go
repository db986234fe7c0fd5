package netcfg

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

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
	if err := kernel.LoadModule(ctx, m.Name); err != nil {
		return fmt.Errorf("%w (%w)", ErrNoModule, err)
	}
	return nil
}

// remove leaves it: with a tunnel's module would go tunnels of others.
func (kernelModule) remove() error { return nil }
