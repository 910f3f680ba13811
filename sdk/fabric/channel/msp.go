package channel

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/golang/protobuf/proto"
	"github.com/hyperledger/fabric-protos-go/msp"
)

// An organisation is a membership service provider (MSP) of the channel's configuration: the
// certificates that it vouches for, and the roles that they have, as by Fabric 2.5 with the channel
// capability V2_0.
type organisation struct {
	id      string
	roots   *x509.CertPool
	middle  *x509.CertPool
	cas     []*x509.Certificate
	parents map[string]bool // DER of CAs that have issued other CAs: they issue no identities
	revoked []*x509.RevocationList
	admins  []*x509.Certificate
	units   []unit                           // identities are in one of them; empty: anywhere
	roles   map[msp.MSPRole_MSPRoleType]unit // an identity has exactly one; empty: roles are not told apart
}

// A unit is an organisational unit, perhaps under certain CAs only.
type unit struct {
	name string
	path [32]byte // of the CAs; zero: any
}

// An identity is a certificate of an organisation.
type identity struct {
	of    *organisation
	cert  *x509.Certificate
	key   *ecdsa.PublicKey
	units []unit
	err   error // why the organisation does not vouch for it; nil if it does
}

func newOrganisation(encoded []byte) (*organisation, error) {
	c := new(msp.MSPConfig)
	if err := proto.Unmarshal(encoded, c); err != nil || c.Type != 0 {
		return nil, errors.New("an MSP is not one of X.509 certificates")
	}
	config := new(msp.FabricMSPConfig)
	if err := proto.Unmarshal(c.Config, config); err != nil {
		return nil, errors.New("an MSP has no configuration")
	}
	o := &organisation{id: config.Name, roots: x509.NewCertPool(), middle: x509.NewCertPool(), parents: map[string]bool{}}
	if err := o.setUp(config); err != nil {
		return nil, fmt.Errorf("MSP %.64q: %w", config.Name, err)
	}
	return o, nil
}

func (o *organisation) setUp(c *msp.FabricMSPConfig) error {
	if crypto := c.CryptoConfig; crypto != nil {
		if f := crypto.SignatureHashFamily; f != "" && f != "SHA2" {
			return errors.New("signatures are not over SHA-256")
		}
		if f := crypto.IdentityIdentifierHashFunction; f != "" && f != "SHA256" {
			return errors.New("certificates are not named by SHA-256")
		}
	}
	if err := o.setUpCAs(c); err != nil {
		return err
	}
	for _, b := range c.RevocationList {
		if p, _ := pem.Decode(b); p != nil {
			b = p.Bytes
		}
		list, err := x509.ParseRevocationList(b)
		if err != nil {
			return fmt.Errorf("read a revocation list: %w", err)
		}
		o.revoked = append(o.revoked, list)
	}
	for _, named := range c.OrganizationalUnitIdentifiers {
		u, err := o.unit(named)
		if err != nil {
			return err
		}
		o.units = append(o.units, u)
	}
	if err := o.setUpRoles(c.FabricNodeOus); err != nil {
		return err
	}
	for _, b := range c.Admins {
		cert, err := parseCertificate(b)
		if err != nil {
			return fmt.Errorf("read an administrator's certificate: %w", err)
		}
		o.admins = append(o.admins, cert)
	}
	return nil
}

func (o *organisation) setUpCAs(c *msp.FabricMSPConfig) error {
	for i, b := range append(slices.Clone(c.RootCerts), c.IntermediateCerts...) {
		cert, err := parseCertificate(b)
		if err != nil {
			return fmt.Errorf("read a CA's certificate: %w", err)
		}
		if !cert.IsCA || len(cert.SubjectKeyId) == 0 {
			return errors.New("a CA's certificate is none")
		}
		o.cas = append(o.cas, cert)
		if i < len(c.RootCerts) {
			o.roots.AddCert(cert)
		} else {
			o.middle.AddCert(cert)
		}
	}
	if len(c.RootCerts) == 0 {
		return errors.New("there is no root certificate")
	}
	for i, cert := range o.cas {
		chain, err := o.chain(cert)
		if err != nil {
			return fmt.Errorf("a CA's certificate is not valid: %w", err)
		}
		if err := o.notRevoked(chain); err != nil {
			return err
		}
		if i >= len(c.RootCerts) {
			for _, parent := range chain[1:] {
				o.parents[string(parent.Raw)] = true
			}
		}
	}
	return nil
}

func (o *organisation) setUpRoles(c *msp.FabricNodeOUs) error {
	if c == nil || !c.Enable {
		return nil
	}
	o.roles = map[msp.MSPRole_MSPRoleType]unit{}
	for role, u := range map[msp.MSPRole_MSPRoleType]*msp.FabricOUIdentifier{
		msp.MSPRole_CLIENT: c.ClientOuIdentifier, msp.MSPRole_PEER: c.PeerOuIdentifier,
		msp.MSPRole_ADMIN: c.AdminOuIdentifier, msp.MSPRole_ORDERER: c.OrdererOuIdentifier,
	} {
		if u == nil {
			continue
		}
		var err error
		if o.roles[role], err = o.unit(u); err != nil {
			return err
		}
	}
	return nil
}

// unit reads a unit of the configuration.
func (o *organisation) unit(c *msp.FabricOUIdentifier) (unit, error) {
	u := unit{name: c.OrganizationalUnitIdentifier}
	if len(c.Certificate) == 0 {
		return u, nil
	}
	cert, err := parseCertificate(c.Certificate)
	if err != nil {
		return u, fmt.Errorf("read the certificate of an organisational unit: %w", err)
	}
	i := slices.IndexFunc(o.cas, func(ca *x509.Certificate) bool {
		return bytes.Equal(ca.RawTBSCertificate, cert.RawTBSCertificate)
	})
	if i < 0 {
		return u, errors.New("an organisational unit is under a CA that is none of the MSP's")
	}
	chain, err := o.chain(o.cas[i])
	if err != nil {
		return u, err
	}
	u.path = path(chain)
	return u, nil
}

// path names the CAs of a chain: SHA-256 of their certificates, one after the other.
func path(cas []*x509.Certificate) [32]byte {
	h := sha256.New()
	for i, ca := range cas {
		h.Write(lowS(ca, cas[min(i+1, len(cas)-1)]))
	}
	return [32]byte(h.Sum(nil))
}

// chain returns the one chain from a certificate to a root, both included. As in Fabric it is
// verified at the moment when the certificate became valid: what expires later, and the clock of who
// verifies, make no difference.
func (o *organisation) chain(cert *x509.Certificate) ([]*x509.Certificate, error) {
	chains, err := cert.Verify(x509.VerifyOptions{
		Roots: o.roots, Intermediates: o.middle, CurrentTime: cert.NotBefore.Add(time.Second),
	})
	if err != nil {
		return nil, err
	}
	if len(chains) != 1 {
		return nil, errors.New("there is more than one chain of certificates to a root")
	}
	return chains[0], nil
}

// notRevoked returns an error if the first certificate of a chain is on a list of its CA.
func (o *organisation) notRevoked(chain []*x509.Certificate) error {
	if len(chain) < 2 {
		return nil
	}
	cert, ca := chain[0], chain[1]
	for _, list := range o.revoked {
		if !bytes.Equal(list.AuthorityKeyId, ca.SubjectKeyId) {
			continue
		}
		for i := range list.RevokedCertificateEntries {
			if list.RevokedCertificateEntries[i].SerialNumber.Cmp(cert.SerialNumber) == 0 &&
				ca.CheckSignature(list.SignatureAlgorithm, list.RawTBSRevocationList, list.Signature) == nil {
				return errors.New("the certificate was revoked")
			}
		}
	}
	return nil
}

// identity reads a certificate of the organisation. The error says that it is no certificate under
// its CAs; whether the organisation vouches for it is in the identity.
func (o *organisation) identity(encoded []byte) (*identity, error) {
	cert, err := parseCertificate(encoded)
	if err != nil {
		return nil, err
	}
	key, ok := cert.PublicKey.(*ecdsa.PublicKey)
	if !ok {
		return nil, errors.New("the key is not one of ECDSA")
	}
	chain, err := o.chain(cert)
	if err != nil {
		return nil, err
	}
	id := &identity{of: o, cert: cert, key: key}
	switch {
	case cert.IsCA:
		id.err = errors.New("a CA's certificate is no identity")
	case len(chain) < 2:
		id.err = errors.New("a root certificate is no identity")
	case o.parents[string(chain[1].Raw)]:
		id.err = errors.New("the certificate is by a CA that issues CAs")
	default:
		under := path(chain[1:])
		for _, name := range cert.Subject.OrganizationalUnit {
			id.units = append(id.units, unit{name, under})
		}
		if id.err = o.notRevoked(chain); id.err == nil {
			id.err = o.placed(id)
		}
	}
	return id, nil
}

// placed checks the units of an identity: in one of the organisation's, if it names any, and with
// exactly one role, if units tell roles apart.
func (o *organisation) placed(id *identity) error {
	if len(o.units) > 0 && !slices.ContainsFunc(id.units, func(u unit) bool { return slices.Contains(o.units, u) }) {
		return errors.New("the certificate is of none of the organisation's units")
	}
	if len(o.roles) == 0 {
		return nil
	}
	played := 0
	for _, own := range id.units {
		for _, u := range o.roles {
			if u.name != own.name {
				continue
			}
			if u.path != ([32]byte{}) && u.path != own.path {
				return errors.New("the certificate has its role from a CA that does not give it")
			}
			played++
			break
		}
	}
	if played != 1 {
		return errors.New("the certificate does not have exactly one role")
	}
	return nil
}

// has reports whether the identity has a role by its units.
func (id *identity) has(role msp.MSPRole_MSPRoleType) bool {
	u, ok := id.of.roles[role]
	return ok && slices.ContainsFunc(id.units, func(own unit) bool { return own.name == u.name })
}

// satisfies reports whether an identity is one that a policy asks for. Of principals that are
// neither roles, units nor certificates none is.
func (id *identity) satisfies(p *msp.MSPPrincipal) bool {
	switch p.PrincipalClassification {
	case msp.MSPPrincipal_ROLE:
		role := new(msp.MSPRole)
		return proto.Unmarshal(p.Principal, role) == nil && role.MspIdentifier == id.of.id && id.plays(role.Role)
	case msp.MSPPrincipal_ORGANIZATION_UNIT:
		u := new(msp.OrganizationUnit)
		return proto.Unmarshal(p.Principal, u) == nil && u.MspIdentifier == id.of.id && id.err == nil &&
			slices.ContainsFunc(id.units, func(own unit) bool {
				return own.name == u.OrganizationalUnitIdentifier && bytes.Equal(own.path[:], u.CertifiersIdentifier)
			})
	case msp.MSPPrincipal_IDENTITY:
		named := new(msp.SerializedIdentity)
		if proto.Unmarshal(p.Principal, named) != nil || named.Mspid != id.of.id {
			return false
		}
		cert, err := parseCertificate(named.IdBytes)
		return err == nil && bytes.Equal(cert.RawTBSCertificate, id.cert.RawTBSCertificate) && id.err == nil
	}
	return false
}

func (id *identity) plays(role msp.MSPRole_MSPRoleType) bool {
	switch role {
	case msp.MSPRole_MEMBER:
		return id.err == nil
	case msp.MSPRole_ADMIN:
		named := slices.ContainsFunc(id.of.admins, func(a *x509.Certificate) bool {
			return bytes.Equal(a.RawTBSCertificate, id.cert.RawTBSCertificate)
		})
		return named || id.err == nil && id.has(role)
	case msp.MSPRole_CLIENT, msp.MSPRole_PEER, msp.MSPRole_ORDERER:
		return id.err == nil && id.has(role)
	}
	return false
}
