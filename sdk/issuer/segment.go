package issuer

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/internal/dcbor"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// A streamed credential is one as it stands in the stream.
type streamed struct {
	record     int64 // number in the inputs; 0 in a bundle
	content    []byte
	credential *credential.Presentation
}

// maxRecords bounds the number of a record.
const maxRecords = 1<<53 - 1

// appendStreamed appends a credential as it stands in the stream of a run.
func (r *run) appendStreamed(b []byte, record int64, c *credential.Presentation) []byte {
	if r.job.Dir != "" {
		b = dcbor.AppendUint(b, uint64(record))
	}
	return c.AppendTo(b)
}

// segment reads the credentials of a batch from the stream.
func (r *run) segment(b *batchRow) ([]streamed, error) {
	damaged := errorf(CodeOutputDamaged, nil, "%s does not hold what this run has written to it; put that back and run again", r.stream.path)
	content := make([]byte, b.length)
	if _, err := r.stream.file.ReadAt(content, b.offset); errors.Is(err, io.EOF) {
		return nil, damaged
	} else if err != nil {
		return nil, storageError("read what was issued", err)
	}
	out := make([]streamed, b.size)
	for i := range out {
		s := &out[i]
		if r.job.Dir != "" {
			reader := dcbor.NewReader(content)
			s.record = int64(reader.Uint(maxRecords))
			content = reader.Rest()
		}
		var n int
		var err error
		if s.credential, n, err = credential.ParsePrefix(content); err != nil {
			return nil, damaged
		}
		s.content, content = content[:n], content[n:]
	}
	if len(content) != 0 {
		return nil, damaged
	}
	return out, nil
}

// keyRefused are the answers of the ledger to a head that is right but for its key.
var keyRefused = map[string]bool{
	chaincode.CodeKeyUnknown: true, chaincode.CodeKeyPurpose: true, chaincode.CodeKeyExpired: true,
	chaincode.CodeKeyRetired: true, chaincode.CodeKeyCompromised: true,
}

// resign signs the head of a pending batch anew, if the ledger has refused it because of its key, and
// another key signs now: between two runs keys can be rotated. The digests stay the same, and so does
// everything but time, key and signature. That the first head was refused for its key says that it is
// not on the ledger and cannot come there.
//
// The register gets the new head first. Then the credentials in the stream get it, which restream
// does also when the run was killed in between. Then the batch is submitted like any other.
func (r *run) resign(ctx context.Context, b *batchRow, refusal error) error {
	head, signed, err := statement.ParseAs[*statement.Head](b.head)
	if err != nil {
		return statementError("read a signed head from the register", err)
	}
	if !keyRefused[Code(refusal)] || signed.KeyID == r.iss.anchor.Public().ID() {
		return refusal
	}
	head.SignedAt = max(r.iss.seconds(), b.issuedAt)
	again, err := signAll(head, []sm.Signer{r.iss.anchor})
	if err != nil {
		return err
	}
	if err := r.iss.register.replaceHead(ctx, b.id, again[0]); err != nil {
		return err
	}
	b.head = again[0]
	if err := r.iss.step(stepResigned); err != nil {
		return err
	}
	return r.restream(b)
}

// restream makes sure that the credentials of a pending batch stand in the stream, under the head
// that is registered.
func (r *run) restream(b *batchRow) error {
	head, signed, err := statement.ParseAs[*statement.Head](b.head)
	if err != nil {
		return statementError("read a signed head from the register", err)
	}
	credentials, err := r.segment(b)
	if err != nil {
		return err
	}
	changed := false
	content := make([]byte, 0, b.length)
	for i := range credentials {
		c := &credentials[i]
		h := &c.credential.Head
		h.SignedAt, h.KeyID, h.Signature = head.SignedAt, signed.KeyID, signed.Signature
		start := len(content)
		content = r.appendStreamed(content, c.record, c.credential)
		changed = changed || !bytes.HasSuffix(content[start:], c.content)
	}
	if !changed {
		return nil
	}
	if int64(len(content)) != b.length {
		return errorf(CodeOutputDamaged, nil, "the batches that wait cannot be signed anew in %s: the time takes more room", r.stream.path)
	}
	_, err = r.stream.file.WriteAt(content, b.offset)
	if err == nil {
		err = r.stream.file.Sync()
	}
	if err != nil {
		return storageError("write the output", err)
	}
	return nil
}
