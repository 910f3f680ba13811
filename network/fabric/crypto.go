package fabric

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// An organisation's material lies in one directory: that of the topology's certificates, or one that
// cryptogen's output is linked from.
//
//	msp/                  the organisation's MSP as all others see it: cacerts, tlscacerts, and
//	                      config.yaml that enables the roles client, peer, admin and orderer (NodeOUs)
//	peer1/msp, /tls       a peer's identity (role peer), and its TLS certificate, for server and client
//	chaincode1/tls        the TLS certificate of the peer's chaincode server
//	admin/msp             the identity that administers the organisation's peers (role admin)
//	client/msp            the identity that submits (role client)
//	ordering/msp          with orderers: their organisation's MSP
//	orderer1/msp, /tls    an orderer's identity (role orderer), and its TLS certificate, as a peer's
//
// An msp directory is Fabric's: signcerts, keystore, cacerts, tlscacerts, config.yaml. A tls directory
// holds server.crt, server.key and ca.crt, or what a Fabric CA's client leaves: signcerts, keystore
// and tlscacerts. The authority that certifies TLS has to be the organisation's own: whoever it
// certifies may administer the organisation's orderers and peers. A host needs of its own processes all of it, and of the other organisations msp,
// ordering/msp and the certificates of orderer1/tls.

// material is the path of something in an organisation's directory.
func (t *Topology) material(o *Organisation, elements ...string) string {
	base := o.Certificates
	if base == "" {
		base = filepath.Join(t.Directory, "crypto", o.ID)
	}
	return filepath.Join(append([]string{base}, elements...)...)
}

// generate makes the trial material of an organisation, as far as it is missing.
func (n *Network) generate(ctx context.Context, o *Organisation) error {
	if o.Certificates != "" {
		return nil
	}
	dir := n.topology.material(o)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return failf(CodeCertificates, "%w", err)
	}
	links := cryptogenLinks(o)
	if complete(dir, links) {
		return nil
	}
	config := filepath.Join(dir, "cryptogen.yaml")
	if err := n.render(config, "cryptogen.yaml.tmpl", o); err != nil {
		return err
	}
	verb := []string{"generate", "--output"}
	if _, err := os.Stat(filepath.Join(dir, "cryptogen")); err == nil {
		verb = []string{"extend", "--input"} // with processes that the topology did not have
	}
	if _, err := n.run(ctx, nil, programCryptogen, append(verb, filepath.Join(dir, "cryptogen"), "--config", config)...); err != nil {
		return err
	}
	for name, target := range links {
		err := os.Symlink(filepath.Join("cryptogen", target), filepath.Join(dir, name))
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return failf(CodeCertificates, "%w", err)
		}
	}
	// A chaincode server endorses nothing: nobody gets the peer's identity that cryptogen made for it.
	for i := range o.Peers {
		if err := os.RemoveAll(filepath.Join(dir, fmt.Sprint(kindChaincode, i+1), "msp")); err != nil {
			return failf(CodeCertificates, "%w", err)
		}
	}
	return nil
}

func complete(dir string, links map[string]string) bool {
	for name := range links {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			return false
		}
	}
	return true
}

// cryptogenLinks maps the names of an organisation's directory to cryptogen's.
func cryptogenLinks(o *Organisation) map[string]string {
	peers := filepath.Join("peerOrganizations", o.ID)
	links := map[string]string{
		"msp":    filepath.Join(peers, "msp"),
		"admin":  filepath.Join(peers, "users", "Admin@"+o.ID),
		"client": filepath.Join(peers, "users", "User1@"+o.ID),
	}
	for i := range o.Peers {
		for _, kind := range []string{kindPeer, kindChaincode} {
			name := fmt.Sprint(kind, i+1)
			links[name] = filepath.Join(peers, "peers", name+"."+o.ID)
		}
	}
	if len(o.Orderers) > 0 {
		ordering := filepath.Join("ordererOrganizations", o.ID+ordererSuffix)
		links["ordering"] = ordering
		for i := range o.Orderers {
			name := fmt.Sprintf("orderer%d", i+1)
			links[name] = filepath.Join(ordering, "orderers", name+"."+o.ID)
		}
	}
	return links
}

// tlsFiles are the files of a TLS certificate.
type tlsFiles struct{ Certificate, Key, CA string }

// tlsOf finds a process's or user's TLS files, under the names that cryptogen gives them or in the
// directories that a Fabric CA's client makes.
func (t *Topology) tlsOf(o *Organisation, name string) tlsFiles {
	dir := t.material(o, name, "tls")
	return tlsFiles{
		Certificate: oneOf(dir, "server.crt", "client.crt", "signcerts/*"),
		Key:         oneOf(dir, "server.key", "client.key", "keystore/*"),
		CA:          oneOf(dir, "ca.crt", "tlscacerts/*"),
	}
}

// rootOf is the certificate of the authority that certifies the TLS of an organisation's processes.
func (t *Topology) rootOf(o *Organisation, kind string) string {
	msp := t.material(o, "msp")
	if kind == kindOrderer {
		msp = t.material(o, "ordering", "msp")
	}
	return oneOf(msp, "tlscacerts/*")
}

// oneOf returns the first file that matches one of the patterns, or where the first was looked for.
func oneOf(dir string, patterns ...string) string {
	for _, pattern := range patterns {
		matches, _ := filepath.Glob(filepath.Join(dir, pattern))
		if len(matches) > 0 {
			return matches[0]
		}
	}
	return filepath.Join(dir, strings.TrimSuffix(patterns[0], "*"))
}
