// Package faults breaks a real network while departments write to it, and compares what they were
// told with what every peer holds afterwards.
//
// One network serves all faults: four organisations, each with a network namespace and an address of
// its own, so that one of them can be cut off from the rest as by a cable. The test process makes
// that world for itself, in a user, process, mount and network namespace, and needs no rights for it
// where the system lets ordinary users have namespaces; what it started ends with it in any case.
package faults
