//go:build !linux

package fabric

import "context"

// On other systems nothing can be started; what only reads or asks works.

var errPlatform = &Error{Code: CodePlatform, Message: "the network's processes are run on Linux only"}

type process struct{ PID int }

func spawn([]string, []string, string, string, string) (process, error) {
	return process{}, errPlatform
}

func readProcess(string) process { return process{} }

func (process) alive() bool { return false }

func (process) stop(context.Context) error { return nil }

func (process) kill() error { return nil }

func lock(context.Context, string, func()) (func(), error) { return nil, errPlatform }
