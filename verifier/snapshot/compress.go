package snapshot

import (
	"bytes"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// maxWindow bounds the memory that a frame may ask of its reader, in bytes: the least that every
// decoder has to offer (RFC 8878, section 3.1.1.1.2).
const maxWindow = 8 << 20

// deflate compresses parts that stand one after the other; what is in one block has one code, so each
// begins a new one.
func deflate(parts ...[]byte) ([]byte, error) {
	var out bytes.Buffer
	e, err := zstd.NewWriter(&out, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithWindowSize(maxWindow), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	for _, part := range parts {
		if _, err := e.Write(part); err != nil {
			return nil, err
		}
		if err := e.Flush(); err != nil {
			return nil, err
		}
	}
	if err := e.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// inflate returns the contents that a statement is about; it never inflates more than that says.
func inflate(compressed []byte, header *statement.Snapshot) ([]byte, error) {
	if header.Length > MaxContents {
		return nil, errorf(CodeTooLarge, "the contents of a snapshot have at most %d bytes, these %d", MaxContents, header.Length)
	}
	d, err := zstd.NewReader(bytes.NewReader(compressed),
		zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, &Error{CodeDamaged, "inflate the snapshot", err}
	}
	defer d.Close()
	contents := bytes.NewBuffer(make([]byte, 0, min(header.Length, 64*uint64(len(compressed)))+bytes.MinRead))
	n, err := io.Copy(contents, io.LimitReader(d, int64(header.Length)+1))
	if err != nil {
		return nil, &Error{CodeDamaged, "inflate the snapshot", err}
	}
	if uint64(n) != header.Length || sm.Sum(contents.Bytes()) != header.Content {
		return nil, errorf(CodeDamaged, "the contents are not those that were signed: get the snapshot again")
	}
	return contents.Bytes(), nil
}
