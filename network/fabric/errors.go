package fabric

import (
	"errors"
	"fmt"
)

// An Error is why a network could not be described, built, started or changed.
type Error struct {
	Code    string // one of the codes below; they never change
	Message string // what happened, and what to do
	Err     error  // the cause, if there is one beside the message
}

// Codes of errors.
const (
	CodeTopology           = "topology-malformed"    // the topology file is not what it must be
	CodeEndorsementWeak    = "endorsement-too-weak"  // one organisation, or all without the authority, would do
	CodeEndorsementInvalid = "endorsement-malformed" // not a policy over peers of the organisations
	CodeProgramsMissing    = "programs-missing"      // a program is not there and cannot be built here
	CodeBuildFailed        = "programs-build-failed" // go build failed
	CodeCertificates       = "certificates-unusable" // MSP or TLS material is missing, expired or names another host
	CodeGenesisMissing     = "genesis-missing"       // this host has not got the channel's first block yet
	CodeDirectory          = "network-directory"     // the network's directory cannot be used
	CodePortInUse          = "port-in-use"           // another process listens where one of ours should
	CodeNodeDied           = "process-died"          // a process ended by itself
	CodeHostUnknown        = "host-unknown"          // the topology has nothing on this host
	CodeNodeUnknown        = "process-unknown"       // the topology has no process of this name on this host
	CodeNotReady           = "network-not-ready"     // a step was tried until patience was at an end
	CodeCommand            = "fabric-command-failed" // one of Fabric's programs refused
	CodeOrganisation       = "organisation-unknown"  // not in the topology
	CodeChannelDiffers     = "channel-differs"       // the channel and the topology say different things
	CodeSignaturesMissing  = "signatures-missing"    // a change of the channel needs administrators of other hosts
	CodeVersion            = "chaincode-version"     // versions are put into force one after the other
	CodeSupervised         = "processes-of-systemd"  // systemd starts and ends the processes
	CodePlatform           = "platform-unsupported"  // processes are managed on Linux only
)

func (e *Error) Error() string { return e.Message }

func (e *Error) Unwrap() error { return e.Err }

// Code returns the code of an Error that err is or wraps, and "" of any other.
func Code(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func failf(code, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Code: code, Message: err.Error(), Err: errors.Unwrap(err)}
}
