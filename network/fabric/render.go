package fabric

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"
	"time"
)

//go:embed templates
var templateFiles embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"inc":  func(i int) int { return i + 1 },
	"q":    quote,
	"list": func(s []string) string { return strings.Join(mapSlice(s, quote), ", ") },
}).ParseFS(templateFiles, "templates/*"))

// quote writes a string as YAML and JSON read it.
func quote(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.Encode(s) // a string in memory
	return strings.TrimSuffix(b.String(), "\n")
}

func mapSlice[T, U any](s []T, f func(T) U) []U {
	out := make([]U, len(s))
	for i, v := range s {
		out[i] = f(v)
	}
	return out
}

// render writes a file from a template.
func (n *Network) render(path, name string, data any) error {
	var b bytes.Buffer
	if err := templates.ExecuteTemplate(&b, name, data); err != nil {
		return fmt.Errorf("render %s: %w", name, err)
	}
	return n.write(path, b.Bytes(), 0o644)
}

func (n *Network) write(path string, content []byte, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return failf(CodeDirectory, "%w", err)
	}
	if err := replaceFile(path, content, mode); err != nil {
		return failf(CodeDirectory, "%w", err)
	}
	return nil
}

// Render writes everything that the processes of this machine and the channel are made from, without
// starting anything: crypto material for trials, the channel's first block, configuration of
// processes and clients, and units for systemd. What exists of material and first block stays. Only
// one of several hosts may make the first block; the others get a copy.
func (n *Network) Render(ctx context.Context, progress func(string)) error {
	unlock, err := n.lockDirectory(ctx, progress)
	if err != nil {
		return err
	}
	defer unlock()
	return n.renderAll(ctx, true, progress)
}

// renderAll does Render's work; found says whether crypto material and a first block may be made.
func (n *Network) renderAll(ctx context.Context, found bool, progress func(string)) error {
	t := n.topology
	if _, err := n.program(ctx, programPeer, progress); err != nil {
		return err
	}
	progress("rendering the configuration")
	if found {
		if err := forEach(ctx, t.Organisations, func(ctx context.Context, o Organisation) error { return n.generate(ctx, &o) }); err != nil {
			return err
		}
	}
	if err := n.checkMaterial(time.Now()); err != nil {
		return err
	}
	if err := n.renderBuilder(ctx); err != nil {
		return err
	}
	if err := n.renderProfile(); err != nil {
		return err
	}
	for _, p := range n.localNodes("") {
		if err := n.renderNode(ctx, p); err != nil {
			return err
		}
	}
	return n.renderChannel(ctx, found)
}

// renderNode writes what a process is configured by.
func (n *Network) renderNode(ctx context.Context, p *node) error {
	err := os.MkdirAll(n.topology.dir(p), 0o755)
	if err != nil {
		return failf(CodeDirectory, "%w", err)
	}
	switch p.kind {
	case kindOrderer:
		err = n.renderOrderer(p)
	case kindPeer:
		if err = n.renderPeer(p); err == nil {
			err = n.renderClient(p.org)
		}
	}
	if err != nil {
		return err
	}
	return n.renderUnit(ctx, p)
}

// renderBuilder puts the external builder in place, and the chaincode package.
func (n *Network) renderBuilder(ctx context.Context) error {
	path, err := n.program(ctx, programBuilder, silent)
	if err != nil {
		return err
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return failf(CodeProgramsMissing, "%w", err)
	}
	for _, name := range []string{"detect", "build", "release"} {
		if err := n.write(filepath.Join(n.builder(), "bin", name), b, 0o755); err != nil {
			return err
		}
	}
	_, archive, err := chaincodePackage(n.version())
	if err != nil {
		return err
	}
	return n.write(n.packageFile(), archive, 0o644)
}

func (n *Network) builder() string { return filepath.Join(n.topology.Directory, "builder") }

func (n *Network) packageFile() string {
	return filepath.Join(n.topology.Directory, "channel", label(n.version())+".tar.gz")
}

func (n *Network) genesisFile() string {
	return filepath.Join(n.topology.Directory, "channel", "genesis.block")
}

func (n *Network) renderOrderer(p *node) error {
	t := n.topology
	return n.render(filepath.Join(t.dir(p), "orderer.yaml"), "orderer.yaml.tmpl", map[string]any{
		"Node": p.name, "Listen": p.Listen, "Port": p.Port,
		"Administration": p.listenAddress(administrationPort), "Operations": p.listenAddress(operationsPort),
		"TLS": t.tlsOf(p.org, p.short()), "Root": t.rootOf(p.org, p.kind),
		"MSP": t.material(p.org, p.short(), "msp"), "MSPID": p.org.ID + ordererSuffix,
		"Data": filepath.Join(t.dir(p), "data"),
	})
}

func (n *Network) renderPeer(p *node) error {
	t := n.topology
	var bootstrap []string
	for _, other := range t.peersOf(p.org) {
		bootstrap = append(bootstrap, other.address(0))
	}
	if err := n.render(filepath.Join(t.dir(p), "core.yaml"), "core.yaml.tmpl", map[string]any{
		"Node": p.name, "MSPID": p.org.ID, "Bootstrap": bootstrap,
		"ListenAddress": p.listenAddress(0), "Address": p.address(0),
		"ChaincodeListen": p.listenAddress(chaincodePort), "ChaincodeAddress": p.address(chaincodePort), "Operations": p.listenAddress(operationsPort),
		"TLS": t.tlsOf(p.org, p.short()), "Root": t.rootOf(p.org, p.kind),
		"MSP": t.material(p.org, p.short(), "msp"), "Data": filepath.Join(t.dir(p), "data"),
		"Builder": n.builder(),
	}); err != nil {
		return err
	}
	return n.renderConnection(p)
}

// A connection is how a peer reaches a chaincode server: Fabric's connection.json.
type connection struct {
	Address            string `json:"address"`
	DialTimeout        string `json:"dial_timeout"`
	TLSRequired        bool   `json:"tls_required"`
	ClientAuthRequired bool   `json:"client_auth_required"`
	ClientKey          string `json:"client_key"`
	ClientCert         string `json:"client_cert"`
	RootCert           string `json:"root_cert"`
}

// renderConnection writes where a peer finds its chaincode server: of the version that the
// network runs and of the one before, which an upgrade keeps until it is done.
func (n *Network) renderConnection(p *node) error {
	t := n.topology
	tls := t.tlsOf(p.org, p.short())
	var texts [3]string
	for i, path := range []string{tls.Certificate, tls.Key, t.rootOf(p.org, kindChaincode)} {
		b, err := os.ReadFile(path)
		if err != nil {
			return failf(CodeCertificates, "%s: %w", p.name, err)
		}
		texts[i] = string(b)
	}
	connections := map[string]connection{}
	for version := max(1, n.version()-1); version <= n.version(); version++ {
		server := node{Process: p.Process, kind: kindChaincode, version: version}
		connections[label(version)] = connection{
			Address: server.address(server.port()), DialTimeout: "3s", TLSRequired: true, ClientAuthRequired: true,
			ClientCert: texts[0], ClientKey: texts[1], RootCert: texts[2],
		}
	}
	b, err := json.MarshalIndent(connections, "", "  ")
	if err != nil {
		return err
	}
	return n.write(n.connectionFile(p), append(b, '\n'), 0o600)
}

func (n *Network) connectionFile(p *node) string {
	return filepath.Join(n.topology.dir(p), "connection.json")
}

// An endpoint is a process as configuration names it.
type endpoint struct {
	Name, Host, Address string
	Port                int
	Certificate         string // file of its TLS certificate
	Root                string // PEM of the authority that certified that
}

func (t *Topology) endpoint(p *node) endpoint {
	root, _ := os.ReadFile(t.rootOf(p.org, p.kind)) // checkMaterial has read it
	return endpoint{
		Name: p.name, Host: p.Host, Address: p.address(0), Port: p.Port,
		Certificate: t.tlsOf(p.org, p.short()).Certificate, Root: string(root),
	}
}

// renderProfile writes the connection profile, which is the same for all organisations.
func (n *Network) renderProfile() error {
	t := n.topology
	type member struct {
		ID    string
		Peers []string
	}
	var members []member
	for i := range t.Organisations {
		peers := mapSlice(t.peersOf(&t.Organisations[i]), func(p *node) string { return p.name })
		members = append(members, member{t.Organisations[i].ID, peers})
	}
	return n.render(filepath.Join(n.clients(), profileFile), "profile.yaml.tmpl", map[string]any{
		"Organisations": members,
		"Orderers":      mapSlice(n.nodes(kindOrderer), t.endpoint),
		"Peers":         mapSlice(n.nodes(kindPeer), t.endpoint),
	})
}

// profileFile has a name that no organisation's file can have.
const profileFile = "connection_profile.yaml"

func (n *Network) clients() string { return filepath.Join(n.topology.Directory, "clients") }

// renderClient writes an organisation's client configuration.
func (n *Network) renderClient(o *Organisation) error {
	t := n.topology
	dir := filepath.Join(n.clients(), o.ID)
	msp := t.material(o, "client", "msp")
	for name, pattern := range map[string]string{"client.pem": "signcerts/*", "client.key": "keystore/*"} {
		b, err := os.ReadFile(oneOf(msp, pattern))
		if err != nil {
			return failf(CodeCertificates, "the client of %s: %w", o.ID, err)
		}
		if err := n.write(filepath.Join(dir, name), b, 0o600); err != nil {
			return err
		}
	}
	return n.render(n.ClientConfig(o.ID), "client.yaml.tmpl", map[string]string{
		"Organisation": o.ID, "Authority": t.Authority, "Channel": Channel, "Chaincode": ChaincodeName,
		"Profile": profileFile,
	})
}

// renderChannel writes configtx.yaml, and the channel's first block if there is none yet and it may be
// made here.
func (n *Network) renderChannel(ctx context.Context, found bool) error {
	t := n.topology
	type group struct {
		ID, MSP  string
		Anchors  []endpoint
		Orderers []endpoint
	}
	var organisations, ordering []group
	for i := range t.Organisations {
		o := &t.Organisations[i]
		organisations = append(organisations, group{
			ID: o.ID, MSP: t.material(o, "msp"), Anchors: mapSlice(t.peersOf(o)[:1], t.endpoint),
		})
		if len(o.Orderers) > 0 {
			ordering = append(ordering, group{
				ID: o.ID + ordererSuffix, MSP: t.material(o, "ordering", "msp"), Orderers: mapSlice(t.orderersOf(o), t.endpoint),
			})
		}
	}
	dir := filepath.Dir(n.genesisFile())
	if err := n.render(filepath.Join(dir, "configtx.yaml"), "configtx.yaml.tmpl", map[string]any{
		"Organisations": organisations, "Ordering": ordering, "BatchTimeout": t.Ordering.BatchTimeout.String(),
		"Admins": t.majority("admin"), "Majority": t.majority("peer"), "Endorsement": t.Policy(),
	}); err != nil {
		return err
	}
	if _, err := os.Stat(n.genesisFile()); err == nil {
		return nil
	}
	if !found {
		return failf(CodeGenesisMissing, "%s is not there: make it on one host with `credledger network render`, and copy it to the others", n.genesisFile())
	}
	return n.makeBlock(ctx, n.genesisFile())
}

// makeBlock makes the first block of a channel as the topology would have it.
func (n *Network) makeBlock(ctx context.Context, file string) error {
	dir := filepath.Dir(n.genesisFile())
	temporary := file + ".new"
	_, err := n.run(ctx, []string{"FABRIC_CFG_PATH=" + dir, "FABRIC_LOGGING_SPEC=error"}, programConfigtxgen,
		"-configPath", dir, "-profile", "CredLedger", "-channelID", Channel, "-outputBlock", temporary)
	if err != nil {
		return err
	}
	return os.Rename(temporary, file)
}

// processOf is the command line and the environment of a process, beside what it inherits.
func (n *Network) processOf(ctx context.Context, p *node) (argv, env []string, err error) {
	t := n.topology
	program, err := n.program(ctx, programOf[p.kind], silent)
	if err != nil {
		return nil, nil, err
	}
	env = []string{"FABRIC_CFG_PATH=" + t.dir(p), "FABRIC_LOGGING_SPEC=warning", "FABRIC_LOGGING_FORMAT=" + logFormat}
	switch p.kind {
	case kindOrderer:
		return []string{program}, env, nil
	case kindPeer:
		return []string{program, "node", "start"}, append(env, "CREDLEDGER_CHAINCODE_CONNECTION="+n.connectionFile(p)), nil
	case kindChaincode:
		id, _, err := chaincodePackage(p.version)
		tls := t.tlsOf(p.org, p.short())
		return []string{program, "--package-id", id, "--listen", p.listenAddress(p.port()),
			"--tls-cert", tls.Certificate, "--tls-key", tls.Key, "--client-ca", t.rootOf(p.org, kindPeer)}, nil, err
	}
	return []string{program, "heartbeat", "--home", t.Heartbeat.Home, "--every", t.Heartbeat.Every.String()}, nil, nil
}

// logFormat is Fabric's without colours.
const logFormat = "%{time:2006-01-02T15:04:05.000Z07:00} %{level} [%{module}] %{message}"

var programOf = map[string]string{
	kindOrderer: programOrderer, kindPeer: programPeer, kindChaincode: programChaincode, kindHeartbeat: programCredledger,
}
