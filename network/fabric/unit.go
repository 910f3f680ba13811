package fabric

import (
	"context"
	"fmt"
	"os/user"
	"path/filepath"
	"strings"
)

// renderUnit writes the systemd unit of a process. A chaincode server's carries its version in its
// name: an upgrade runs two side by side.
func (n *Network) renderUnit(ctx context.Context, p *node) error {
	argv, env, err := n.processOf(ctx, p)
	if err != nil {
		return err
	}
	owner, err := user.Current()
	if err != nil {
		return failf(CodeDirectory, "%w", err)
	}
	dir := n.topology.dir(p)
	data := map[string]any{
		"Node": p.name, "User": owner.Username, "Dir": unitPath(dir), "Command": strings.Join(mapSlice(argv, unitWord), " "),
		"Environment": mapSlice(env, unitQuote), "Writable": unitQuote(dir), "Clean": "",
	}
	switch p.kind {
	case kindPeer:
		data["Clean"] = unitWord(n.builds(p))
	case kindHeartbeat:
		data["Writable"] = unitQuote(n.topology.Heartbeat.Home)
	}
	return n.render(filepath.Join(n.topology.Directory, "systemd", unitName(p)), "unit.service.tmpl", data)
}

func unitName(p *node) string {
	if p.kind == kindChaincode {
		return fmt.Sprintf("credledger-%s-%d.service", p.name, p.version)
	}
	return "credledger-" + p.name + ".service"
}

// unitQuote writes a value as systemd.syntax(7) reads it.
func unitQuote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `%`, `%%`).Replace(s) + `"`
}

// unitWord writes a word of a command line (systemd.service(5)), in which a dollar sign begins a
// variable.
func unitWord(s string) string { return strings.ReplaceAll(unitQuote(s), "$", "$$") }

// unitPath writes a path where it takes the rest of the line.
func unitPath(s string) string { return strings.ReplaceAll(s, "%", "%%") }
