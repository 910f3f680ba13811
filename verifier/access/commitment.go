package access

import (
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// A Salt hides what the commitments of one entry are to: 16 random bytes, drawn for that entry alone
// and kept beside the log, not in it.
type Salt [16]byte

// LicenceCommitment returns SM3(0x00 || [salt, issuer, digest]): issuer and digest are a licence's
// name on the ledger. For what could not be read as a licence they are "" and the zero hash.
func LicenceCommitment(salt Salt, issuer string, digest sm.Hash) sm.Hash {
	return commit(&struct {
		_      struct{} `cbor:",toarray"`
		Salt   Salt
		Issuer string
		Digest sm.Hash
	}{Salt: salt, Issuer: issuer, Digest: digest})
}

// PresentationCommitment returns SM3(0x00 || [salt, presentation]), where presentation is the SM3 of
// the bytes that were shown, as in a verification receipt.
func PresentationCommitment(salt Salt, presentation sm.Hash) sm.Hash {
	return commit(&struct {
		_            struct{} `cbor:",toarray"`
		Salt         Salt
		Presentation sm.Hash
	}{Salt: salt, Presentation: presentation})
}

// commit cannot fail: an issuer that is not UTF-8 is written as it is, and is nobody's.
func commit(v any) sm.Hash {
	b, _ := statement.Marshal(v)
	return sm.SumLeaf(b)
}
