package vault

import (
	"context"
	"crypto/rand"
	"slices"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
)

// Bounds of a deposit.
const (
	// MaxContent is the greatest length of a content in bytes.
	MaxContent = 128 << 10

	// MaxHolders is the greatest number of holders of one licence.
	MaxHolders = 1024
)

// A Deposit is a licence that is to be put into the vault.
type Deposit struct {
	Digest      sm.Hash       // its name on the ledger
	Number      string        // licence number, 1 to 256 bytes, in its canonical form
	Holders     []string      // ids by which it is to be found, each 1 to 256 bytes, in their canonical form
	Since       licence.Date  // first day: of issue or of validity, whichever is earlier
	ValidUntil  *licence.Date // last day of validity; nil: for good
	Predecessor ID            // in this vault; 0: none, or not in this vault

	// Content is what is sealed: the fields with their salts, and whatever else it takes to make the
	// credential. It should not hold what the batch has anyway (signed head and path): then it can be sealed
	// before the batch is put together, and stays right when its head is signed anew.
	Content []byte
}

// A Sealed licence is one that can be put into the vault, and told to nobody.
type Sealed struct {
	typ         string
	digest      sm.Hash
	number      name
	holders     []name
	since       licence.Date
	validUntil  *licence.Date
	predecessor ID
	wrapped     []byte
	content     []byte
}

// Digest returns the name of the licence on the ledger.
func (s *Sealed) Digest() sm.Hash { return s.digest }

// Seal gives each of the licences of a type a data key of its own, seals its content, and has the keys
// wrapped, in one call for all. It does not touch the database, and may be called from many goroutines:
// what takes time is done here, and not in a transaction.
//
// Errors: CodeArgument, CodeKeys.
func (v *Vault) Seal(ctx context.Context, typ string, deposits []Deposit) ([]*Sealed, error) {
	if typ == "" || len(typ) > maxType {
		return nil, errorf(CodeArgument, nil, "a licence type's id has 1 to %d letters", maxType)
	}
	if len(deposits) == 0 {
		return nil, nil
	}
	random := make([]byte, len(deposits)*(dataKeySize+sm.SealNonceSize))
	if _, err := rand.Read(random); err != nil {
		return nil, errorf(CodeUnavailable, err, "draw data keys")
	}
	numbers, holders := v.numberer(typ), v.holderNamer()
	out := make([]*Sealed, len(deposits))
	aads, keys := make([][]byte, len(deposits)), make([][]byte, len(deposits))
	for i := range deposits {
		d := &deposits[i]
		if err := d.check(); err != nil {
			return nil, err
		}
		key, nonce := random[:dataKeySize:dataKeySize], random[dataKeySize:dataKeySize+sm.SealNonceSize]
		random = random[dataKeySize+sm.SealNonceSize:]
		content, err := sm.Seal(key, nonce, d.Content, v.identity.aad(purposeContent, d.Digest[:]))
		if err != nil {
			return nil, errorf(CodeArgument, err, "seal a licence")
		}
		aads[i], keys[i] = v.identity.aad(purposeDataKey, d.Digest[:]), key
		s := &Sealed{
			typ: typ, digest: d.Digest, number: numbers.number(d.Number), since: d.Since, validUntil: d.ValidUntil, predecessor: d.Predecessor,
			content: append(append(make([]byte, 0, len(nonce)+len(content)), nonce...), content...),
		}
		for _, id := range d.Holders {
			if h := holders.holder(id); !slices.Contains(s.holders, h) {
				s.holders = append(s.holders, h)
			}
		}
		out[i] = s
	}
	wrapped, err := v.wrap(ctx, aads, keys)
	if err != nil {
		return nil, err
	}
	for i, s := range out {
		s.wrapped = wrapped[i]
	}
	return out, nil
}

// maxType is the greatest length of a licence type's id in bytes.
const maxType = 64

// check refuses a deposit that is not of its form.
func (d *Deposit) check() error {
	switch {
	case d.Number == "" || len(d.Number) > maxName:
		return errorf(CodeArgument, nil, "a licence number has 1 to %d bytes", maxName)
	case len(d.Holders) > MaxHolders:
		return errorf(CodeArgument, nil, "a licence has at most %d holders", MaxHolders)
	case len(d.Content) == 0 || len(d.Content) > MaxContent:
		return errorf(CodeArgument, nil, "the content of a licence has 1 to %d bytes", MaxContent)
	case d.Predecessor < 0:
		return errorf(CodeArgument, nil, "a predecessor has an id of this vault, or 0")
	}
	for _, h := range d.Holders {
		if h == "" || len(h) > maxName {
			return errorf(CodeArgument, nil, "a holder's id has 1 to %d bytes", maxName)
		}
	}
	return nil
}
