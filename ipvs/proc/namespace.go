package proc

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/vishvananda/netns"
)

// Namespace is a network namespace held open, so that what belongs to it can be
// opened again later from any thread.
type Namespace struct {
	handle netns.NsHandle
}

// Here is the namespace of the calling thread. A caller that has moved its
// thread to another one must have it locked (runtime.LockOSThread).
func Here() (*Namespace, error) {
	h, err := netns.Get()
	return &Namespace{h}, err
}

// Close lets the namespace go.
func (n *Namespace) Close() error { return n.handle.Close() }

// Do runs f on a thread inside the namespace. Only a thread that is elsewhere is
// moved, since moving takes CAP_SYS_ADMIN; such a thread ends with f, as one
// that could not be moved back would mislead whoever runs on it next.
func (n *Namespace) Do(f func() error) error {
	done := make(chan error, 1)
	go func() {
		// A panic here would be out of reach of whoever gives a terminal back.
		defer func() {
			if p := recover(); p != nil {
				done <- fmt.Errorf("work in a network namespace failed: %v\n%s", p, debug.Stack())
			}
		}()
		runtime.LockOSThread()
		here, err := netns.Get()
		if err != nil {
			runtime.UnlockOSThread()
			done <- err
			return
		}
		defer here.Close()
		if here.Equal(n.handle) {
			defer runtime.UnlockOSThread()
		} else if err := netns.Set(n.handle); err != nil {
			done <- err
			return
		}
		done <- f()
	}()
	return <-done
}
