package govern

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"slices"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// An Enrolment is the enrolment of a key on its way from one signer to the next: a department begins it,
// others vouch for the new key, each where its own keys are, and then it goes to the ledger. For a
// department's first key the authority vouches; after a loss the authority and a second department.
// Whoever vouches makes sure in another way, in person or by telephone, that the key is the department's:
// the enrolment itself proves only that whoever began it has the private half.
//
// As a file it is one to three PEM blocks "CREDLEDGER STATEMENT", signed statements of one payload, the
// first by the new key itself. Nothing in it is secret.
type Enrolment struct {
	Key     *statement.Key
	signed  [][]byte
	signers []sm.Hash // kids, the new key's first
}

// MaxEnrolment bounds the file of an enrolment, in bytes.
const MaxEnrolment = 8 << 10

const (
	pemStatement = "CREDLEDGER STATEMENT"
	maxSigners   = 3 // the new key, the authority and a second department
)

// BeginEnrolment begins the enrolment of a new key, signed with it.
func BeginEnrolment(id sm.Hash, department string, purposes statement.Purposes, key sm.Signer, now time.Time) (*Enrolment, error) {
	e := &Enrolment{Key: &statement.Key{
		Ledger: id, Department: department, Action: statement.KeyEnrol,
		KeyID: key.Public().ID(), PublicKey: key.Public().Bytes(), Purposes: purposes, SignedAt: Seconds(now),
	}}
	return e, e.Vouch(key)
}

var errEnrolment = errors.New(`not the enrolment of a key: want 1 to 3 PEM blocks "CREDLEDGER STATEMENT" of one enrolment, ` +
	"the first signed with the new key, and nothing else")

// ParseEnrolment reads a file of an enrolment. The new key's own signature is checked; of the others the
// ledger will say whether their keys were entitled to vouch.
func ParseEnrolment(text []byte) (*Enrolment, error) {
	if len(text) > MaxEnrolment {
		return nil, errEnrolment
	}
	e := new(Enrolment)
	var payload []byte
	for text = bytes.TrimSpace(text); len(text) > 0; text = bytes.TrimSpace(text) {
		block, rest, ok := firstBlock(text)
		if !ok {
			return nil, errEnrolment
		}
		text = rest
		key, s, err := statement.ParseAs[*statement.Key](block)
		if err != nil {
			return nil, errors.Join(errEnrolment, err)
		}
		if e.Key == nil {
			e.Key, payload = key, s.Payload
			if !selfSigned(key, s) {
				return nil, errEnrolment
			}
		}
		if !bytes.Equal(s.Payload, payload) || slices.Contains(e.signers, s.KeyID) || len(e.signers) == maxSigners {
			return nil, errEnrolment
		}
		e.signed, e.signers = append(e.signed, block), append(e.signers, s.KeyID)
	}
	if e.Key == nil {
		return nil, errEnrolment
	}
	return e, nil
}

// firstBlock returns the contents of the PEM block that a text begins with, and what follows it.
func firstBlock(text []byte) (contents, rest []byte, ok bool) {
	end := []byte("-----END " + pemStatement + "-----")
	at := bytes.Index(text, end)
	if at < 0 || !bytes.HasPrefix(text, []byte("-----BEGIN "+pemStatement+"-----")) {
		return nil, nil, false
	}
	at += len(end)
	block, after := pem.Decode(text[:at])
	if block == nil || len(after) > 0 || len(block.Headers) > 0 || bytes.Count(text[:at], []byte("-----BEGIN ")) != 1 {
		return nil, nil, false
	}
	return block.Bytes, text[at:], true
}

// selfSigned reports whether a statement enrols a key and is signed with it.
func selfSigned(k *statement.Key, s *statement.Statement) bool {
	if k.Action != statement.KeyEnrol || s.KeyID != k.KeyID {
		return false
	}
	key, err := sm.NewPublicKey(k.PublicKey)
	return err == nil && s.Verify(key)
}

// Bytes returns the enrolment as a file.
func (e *Enrolment) Bytes() []byte {
	var out []byte
	for _, s := range e.signed {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: pemStatement, Bytes: s})...)
	}
	return out
}

// Vouch adds a signature, unless there is one with this key.
func (e *Enrolment) Vouch(signer sm.Signer) error {
	if e.SignedBy(signer.Public().ID()) {
		return nil
	}
	if len(e.signers) == maxSigners {
		return errors.New("the enrolment has all three signatures that it can have")
	}
	signed, err := statement.Sign(e.Key, signer)
	if err != nil {
		return err
	}
	e.signed, e.signers = append(e.signed, signed), append(e.signers, signer.Public().ID())
	return nil
}

// SignedBy reports whether there is a signature with the key of this id.
func (e *Enrolment) SignedBy(kid sm.Hash) bool { return slices.Contains(e.signers, kid) }

// Complete reports whether there are as many signatures as a recovery needs.
func (e *Enrolment) Complete() bool { return len(e.signers) == maxSigners }

// Submit submits the enrolment; l is the connection of its department, or of the authority.
func (e *Enrolment) Submit(ctx context.Context, l ledger.Ledger) error {
	_, err := l.Submit(ctx, &chaincode.Transaction{Statements: slices.Clone(e.signed)})
	return err
}
