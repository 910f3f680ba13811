package fabric

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"maps"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/strictyaml"
)

// A profile is what is used of a connection profile: the peers of each organisation and the
// orderers, with the certificates that vouch for them in TLS.
//
// Its file is fabric-sdk-go's YAML. Endpoints are grpcs:// URLs, each with the roots of its own TLS
// certificate (tlsCACerts, pem or path) and, where the name in the certificate is not the one in the
// URL, grpcOptions.ssl-target-name-override. Sections that are about other things are passed over.
type profile struct {
	Organizations map[string]profileOrganisation `json:"organizations"`
	Peers         map[string]profileEndpoint     `json:"peers"`
	Orderers      map[string]profileEndpoint     `json:"orderers"`
}

type profileOrganisation struct {
	MSPID string   `json:"mspid"`
	Peers []string `json:"peers"`
}

type profileEndpoint struct {
	URL     string            `json:"url"`
	Options map[string]any    `json:"grpcOptions"`
	Roots   map[string]string `json:"tlsCACerts"` // pem
}

// profileFile is the YAML of a profile.
type profileFile struct {
	Organizations map[string]struct {
		MSPID string   `yaml:"mspid"`
		Peers []string `yaml:"peers"`

		CryptoPath             any `yaml:"cryptoPath"`
		CertificateAuthorities any `yaml:"certificateAuthorities"`
		Users                  any `yaml:"users"`
	} `yaml:"organizations"`
	Peers    map[string]endpointFile `yaml:"peers"`
	Orderers map[string]endpointFile `yaml:"orderers"`

	Name                   any `yaml:"name"`
	Description            any `yaml:"description"`
	Version                any `yaml:"version"`
	Client                 any `yaml:"client"`
	Channels               any `yaml:"channels"`
	CertificateAuthorities any `yaml:"certificateAuthorities"`
}

type endpointFile struct {
	URL        string         `yaml:"url"`
	Options    map[string]any `yaml:"grpcOptions"`
	TLSCACerts struct {
		Path string `yaml:"path"`
		PEM  string `yaml:"pem"`
	} `yaml:"tlsCACerts"`
}

const nameOverride = "ssl-target-name-override"

func loadProfile(file string) (*profile, error) {
	b, err := readFile(file, maxProfile)
	if err != nil {
		return nil, err
	}
	return parseProfile(file, b, readFile)
}

// parseProfile reads a profile; read reads the files that it names.
func parseProfile(file string, b []byte, read func(path string, limit int64) ([]byte, error)) (*profile, error) {
	var f profileFile
	if err := strictyaml.Decode(b, &f); err != nil {
		return nil, configError(file, "%v", err)
	}
	p := &profile{Organizations: map[string]profileOrganisation{}, Peers: map[string]profileEndpoint{}, Orderers: map[string]profileEndpoint{}}
	r := endpointReader{file, read, map[string]string{}}
	for _, name := range slices.Sorted(maps.Keys(f.Organizations)) {
		o := f.Organizations[name]
		if !mspID.MatchString(o.MSPID) {
			return nil, configError(file, "organizations.%s.mspid must be an id of a department: 1 to 32 of a-z, 0-9 and '-'", name)
		}
		if p.hasOrganisation(o.MSPID) {
			return nil, configError(file, "organizations: two have the mspid %s", o.MSPID)
		}
		for _, peer := range o.Peers {
			e, ok := f.Peers[peer]
			if !ok {
				return nil, configError(file, "organizations.%s: its peer %s is not among the peers", name, peer)
			}
			if _, twice := p.Peers[peer]; twice {
				return nil, configError(file, "organizations.%s: its peer %s is named twice", name, peer)
			}
			var err error
			if p.Peers[peer], err = r.endpoint("peers."+peer, e); err != nil {
				return nil, err
			}
		}
		if len(o.Peers) > 0 { // others can neither endorse nor answer
			p.Organizations[o.MSPID] = profileOrganisation{MSPID: o.MSPID, Peers: o.Peers}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(f.Orderers)) {
		var err error
		if p.Orderers[name], err = r.endpoint("orderers."+name, f.Orderers[name]); err != nil {
			return nil, err
		}
	}
	if len(p.Peers) == 0 || len(p.Orderers) == 0 {
		return nil, configError(file, "it must name an organisation with a peer, and an orderer")
	}
	return p, nil
}

type endpointReader struct {
	file string
	read func(path string, limit int64) ([]byte, error)
	seen map[string]string // place in the file by address
}

func (r *endpointReader) endpoint(place string, f endpointFile) (profileEndpoint, error) {
	none := profileEndpoint{}
	address, ok := strings.CutPrefix(f.URL, "grpcs://")
	host, port, err := net.SplitHostPort(address)
	if n, portErr := strconv.ParseUint(port, 10, 16); !ok || err != nil || portErr != nil || n == 0 || host == "" || strings.ContainsAny(host, "/@?#") {
		return none, configError(r.file, "%s.url must be grpcs://HOST:PORT", place)
	}
	if other, twice := r.seen[address]; twice {
		return none, configError(r.file, "%s.url is also that of %s", place, other)
	}
	r.seen[address] = place

	roots := []byte(f.TLSCACerts.PEM)
	switch path := f.TLSCACerts.Path; {
	case (path == "") == (len(roots) == 0):
		return none, configError(r.file, "%s.tlsCACerts must have either a path or a pem", place)
	case path != "":
		if !filepath.IsAbs(path) {
			path = filepath.Join(filepath.Dir(r.file), path)
		}
		if roots, err = r.read(path, maxPEM); err != nil {
			return none, configError(r.file, "%s.tlsCACerts: %s", place, errorText(err))
		}
	}
	if roots, err = certificates(roots); err != nil {
		return none, configError(r.file, "%s.tlsCACerts: %v", place, err)
	}
	options := map[string]any{}
	if v, ok := f.Options[nameOverride]; ok {
		if name, ok := v.(string); !ok || name == "" {
			return none, configError(r.file, "%s.grpcOptions.%s must be a name", place, nameOverride)
		}
		options[nameOverride] = v
	}
	if v, ok := f.Options["allow-insecure"]; ok && v != false {
		return none, configError(r.file, "%s.grpcOptions.allow-insecure: connections without TLS are not made", place)
	}
	return profileEndpoint{URL: f.URL, Options: options, Roots: map[string]string{"pem": string(roots)}}, nil
}

// errorText is the text of an error that becomes part of another.
func errorText(err error) string {
	if e, ok := err.(*ledger.Error); ok && e.Err == nil {
		return e.Message
	}
	return err.Error()
}

// certificates returns the certificates of a PEM file without what stands around them.
func certificates(b []byte) ([]byte, error) {
	var out bytes.Buffer
	for len(bytes.TrimSpace(b)) > 0 {
		block, rest := pem.Decode(b)
		if block == nil || block.Type != "CERTIFICATE" {
			break
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return nil, err
		}
		pem.Encode(&out, &pem.Block{Type: block.Type, Bytes: block.Bytes})
		b = rest
	}
	if out.Len() == 0 || len(bytes.TrimSpace(b)) > 0 {
		return nil, errNoCertificates
	}
	return out.Bytes(), nil
}

var errNoCertificates = &ledger.Error{Code: CodeConfig, Message: "expected certificates in PEM and nothing else"}

func (p *profile) hasOrganisation(mspID string) bool {
	_, ok := p.Organizations[mspID]
	return ok
}

// encode returns the profile as fabric-sdk-go reads it, and its fingerprint.
func (p *profile) encode() ([]byte, string) {
	b, err := json.Marshal(p)
	if err != nil {
		panic(err) // strings, and what YAML has decoded
	}
	sum := sha256.Sum256(b)
	return b, hex.EncodeToString(sum[:])
}

func (e profileEndpoint) address() string { return strings.TrimPrefix(e.URL, "grpcs://") }

// tls returns how to make sure of the endpoint: TLS 1.2 or later with a certificate under its own
// roots, not under those of any endpoint.
func (e profileEndpoint) tls() *tls.Config {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(e.Roots["pem"]))
	name, _, _ := net.SplitHostPort(e.address())
	if override, ok := e.Options[nameOverride].(string); ok {
		name = override
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots, ServerName: name}
}
