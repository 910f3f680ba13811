package accesslog

import (
	"slices"

	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/access"
)

// An Access is an entry about a licence that was asked for by name.
type Access struct {
	Index uint64
	Entry []byte      // as encoded
	Salt  access.Salt // opens the commitments in the entry
}

// MostAccesses is how many accesses one call returns at most.
const MostAccesses = 1000

// Accesses returns the entries about one licence, the newest first: those with an index below before,
// or all for 0, at most limit of them and at most MostAccesses. It is for those who may know who asked
// for the licence: its issuer, and a holder who has proven to be one. It looks into every segment, some
// 20 us each where that has no such entry. The error is an *Error.
func (l *Log) Accesses(issuer string, digest sm.Hash, before uint64, limit int) ([]Access, error) {
	limit = min(limit, MostAccesses)
	wanted := l.tagOf(issuer, digest)
	r := l.reader()
	defer r.close()
	end := l.Size()
	if before > 0 {
		end = min(end, before)
	}
	accesses := []Access{}
	for number := int64((end + 1<<l.height - 1) >> l.height); number > 0 && len(accesses) < limit; {
		number--
		places, err := r.tagged(uint64(number), wanted)
		if err != nil {
			return nil, err
		}
		for _, place := range slices.Backward(places) {
			index := uint64(number)<<l.height + place
			if index >= end {
				continue
			}
			if len(accesses) == limit {
				break
			}
			stored, err := r.record(index)
			if err != nil {
				return nil, err
			}
			e, err := access.ParseEntry(stored.entry)
			if err != nil || e.Licence != access.LicenceCommitment(stored.salt, issuer, digest) {
				return nil, damaged("entry %d of the access log is not about the licence that its tag names", index)
			}
			accesses = append(accesses, Access{index, stored.entry, stored.salt})
		}
	}
	return accesses, nil
}
