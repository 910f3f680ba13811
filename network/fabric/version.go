package fabric

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// The version of the chaincode that a network runs is written down beside the channel's first block,
// since a topology may ask for one that no upgrade has put into force yet. An upgrade writes it down
// before its first step, so that Up completes an upgrade that was interrupted.

func (n *Network) versionFile() string {
	return filepath.Join(n.topology.Directory, "channel", "version")
}

// version is the chaincode's version that the network runs, or is being upgraded to.
func (n *Network) version() int {
	if v, ok := n.recordedVersion(); ok {
		return v
	}
	return n.topology.Chaincode.Version
}

func (n *Network) recordedVersion() (int, bool) {
	b, err := os.ReadFile(n.versionFile())
	if err != nil {
		return 0, false
	}
	v, err := strconv.Atoi(strings.TrimSpace(string(b)))
	return v, err == nil && v > 0
}

func (n *Network) recordVersion(version int) error {
	return n.write(n.versionFile(), fmt.Appendln(nil, version), 0o644)
}

// versionHint says what to do about a topology that asks for another version.
func versionHint(now, wanted int) string {
	if wanted == now+1 {
		return fmt.Sprintf("version %d of the chaincode is in force, not the topology's %d: `credledger network upgrade` changes that", now, wanted)
	}
	return fmt.Sprintf("version %d of the chaincode is in force: set chaincode.version to %d in the topology, or to %d for an upgrade (the file says %d)", now, now, now+1, wanted)
}
