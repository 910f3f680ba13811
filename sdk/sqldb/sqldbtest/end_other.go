//go:build !linux

package sqldbtest

import "syscall"

func endWithParent(*syscall.SysProcAttr) {}
