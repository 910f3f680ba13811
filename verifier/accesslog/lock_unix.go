//go:build unix

package accesslog

import (
	"errors"
	"os"
	"syscall"
)

// tryLock locks a file until it is closed, or the process ends. It reports false if another process
// has locked it.
func tryLock(f *os.File) (bool, error) {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}
