package intake

import (
	"bytes"
	"context"
)

// maxInflated bounds, for one PDF or OFD, the bytes that all it reads of it have when decompressed.
const maxInflated = 32 << 20

// readDocument reads the presentations among the attachments of a file, told by their contents.
func (r *Reader) readDocument(ctx context.Context, b []byte, source Source, attached func([]byte) ([][]byte, error)) (*Result, error) {
	leave, err := r.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	files, err := attached(b)
	if err != nil {
		return nil, err
	}
	result := new(Result)
	for _, f := range files {
		if !bytes.HasPrefix(f, start) {
			continue
		}
		found, err := split(f, source)
		if err != nil {
			return nil, err
		}
		if result.Items = append(result.Items, found.Items...); len(result.Items) > MaxItems {
			return nil, errorf(CodeTooMany, "the file has more than %d credentials attached: give them in parts", MaxItems)
		}
	}
	if len(result.Items) == 0 {
		return nil, errorf(CodeNoCredential, "the file has no credential attached: give its credential with it, or a code")
	}
	return result, nil
}
