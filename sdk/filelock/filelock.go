// Package filelock keeps several processes from working on the same file at the same time, where the
// system has locks for that; elsewhere everybody gets it.
package filelock

import "os"

// Try locks an open file, or an open directory, until it is closed or the process ends. It reports false
// if somebody else, in this process or another, has locked it. The lock keeps nobody from reading or
// writing who does not ask for it.
func Try(f *os.File) (bool, error) { return try(f) }
