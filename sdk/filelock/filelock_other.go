//go:build !unix

package filelock

import "os"

func try(*os.File) (bool, error) { return true, nil }
