package share

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/fxamacker/cbor/v2"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
)

// What is asked, as POST with the department in the header actorHeader:
//
//	/submit    the bytes of a chaincode.Transaction    -> a ledger.Receipt
//	/evaluate  a chaincode.Query                       -> JSON
//	/head      nothing                                 -> a ledger.Head
//	/follow    a block's number                        -> ledger.Blocks, without end
//
// Questions are CBOR items but for the transaction. An answer is a series of frames, each a length in
// 4 bytes, big-endian, and a CBOR item of type answer; all but /follow have one. A stream that ends
// without a frame that says why is that of a host that is gone.
const (
	submitPath   = "/submit"
	evaluatePath = "/evaluate"
	headPath     = "/head"
	followPath   = "/follow"
	actorHeader  = "Credledger-Actor"
	maxFrame     = 64 << 20 // bytes; a block has some 5 MB at most
	maxQuestion  = 1 << 20  // bytes, of all but a transaction
)

// An answer is what one frame says: one of its members.
type answer struct {
	Receipt *ledger.Receipt `cbor:"1,keyasint,omitempty"`
	Result  []byte          `cbor:"2,keyasint,omitempty"`
	Head    *ledger.Head    `cbor:"3,keyasint,omitempty"`
	Block   *ledger.Block   `cbor:"4,keyasint,omitempty"`
	Fault   *fault          `cbor:"5,keyasint,omitempty"`
}

// A fault is an error on its way.
type fault struct {
	Kind    faultKind `cbor:"1,keyasint"`
	Code    string    `cbor:"2,keyasint"`
	Message string    `cbor:"3,keyasint"`
}

type faultKind uint8

const (
	faultLedger faultKind = 1 + iota // a *ledger.Error
	faultRule                        // a *chaincode.Error
	faultGone                        // the host ends: ask the next
	faultOther
)

func faultOf(err error) *fault {
	var rule *chaincode.Error
	var ours *ledger.Error
	switch {
	case errors.As(err, &rule):
		return &fault{faultRule, rule.Code, rule.Message}
	case ledger.Code(err) == ledger.CodeClosed:
		return &fault{faultGone, "", ""}
	case errors.As(err, &ours):
		message := ours.Message
		if ours.Err != nil {
			message += ": " + ours.Err.Error()
		}
		return &fault{faultLedger, ours.Code, message}
	}
	return &fault{faultOther, "", err.Error()}
}

func (f *fault) err() error {
	switch f.Kind {
	case faultRule:
		return &chaincode.Error{Code: f.Code, Message: f.Message}
	case faultLedger:
		return &ledger.Error{Code: f.Code, Message: f.Message}
	case faultGone:
		return &goneError{err: io.EOF}
	}
	return errors.New(f.Message)
}

var decoding, _ = cbor.DecOptions{MaxArrayElements: 1 << 20, MaxMapPairs: 1 << 10, MaxNestedLevels: 8}.DecMode()

// writeFrame writes one frame.
func writeFrame(w io.Writer, a *answer) error {
	b, err := cbor.Marshal(a)
	if err != nil {
		return err
	}
	_, err = w.Write(append(binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(b)), uint32(len(b))), b...))
	return err
}

// readFrame reads one frame.
func readFrame(r io.Reader) (*answer, error) {
	var length [4]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(length[:])
	if n > maxFrame {
		return nil, fmt.Errorf("a frame of %d bytes", n)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, err
	}
	a := new(answer)
	if err := decoding.Unmarshal(b, a); err != nil {
		return nil, err
	}
	return a, nil
}
