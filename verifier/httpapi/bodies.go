package httpapi

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/verifier/intake"
)

// Bounds of bodies in bytes. Base64 takes four letters for three bytes; a few texts come beside it.
const (
	maxTexts      = 16 << 10
	smallBody     = 64 << 10 // up to here a body is read without asking the budget
	maxCredential = credential.MaxSize/3*4 + maxTexts
	maxShown      = (intake.MaxFile+intake.MaxCredential)/3*4 + maxTexts
	largeBodies   = 256 << 20 // that are in memory at a time, those that are being received included
)

// A budget is a number of bytes that all calls share.
type budget struct{ left atomic.Int64 }

func (b *budget) take(n int64) bool {
	if b.left.Add(-n) >= 0 {
		return true
	}
	b.left.Add(n)
	return false
}

func (b *budget) give(n int64) { b.left.Add(n) }

// body reads the body of a request, which is JSON of up to limit bytes.
func (c *call) body(limit int64) ([]byte, error) {
	if err := checkMediaType(c.r.Header); err != nil {
		return nil, err
	}
	tooLarge := refuse(codeBodyTooLarge, fmt.Sprintf("the body of this call has at most %d KiB", limit>>10))
	if c.r.TransferEncoding != nil || c.r.ContentLength > limit {
		// What follows a body in chunks may be taken for another request by one server and not by the
		// next, if a length was given as well (RFC 9112, section 6.3).
		c.w.Header().Set("Connection", "close")
	}
	if c.r.ContentLength > limit {
		return nil, tooLarge
	}
	in := http.MaxBytesReader(c.w.ResponseWriter, c.r.Body, limit)
	b := make([]byte, 0, max(512, min(c.r.ContentLength+1, smallBody))) // one more, so that the end is seen at once
	for {
		n, err := in.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		var exceeded *http.MaxBytesError
		switch {
		case errors.Is(err, io.EOF):
			return b, nil
		case errors.As(err, &exceeded):
			return nil, tooLarge
		case err != nil:
			return nil, refuse(codeBodyMalformed, "the body breaks off")
		case len(b) < cap(b):
			continue
		}
		if b, err = c.grow(b, limit); err != nil {
			return nil, err
		}
	}
}

// grow makes room for as much again. What a caller has not sent takes no memory, so that many who send
// slowly do not keep others out.
func (c *call) grow(b []byte, limit int64) ([]byte, error) {
	size := min(2*int64(cap(b)), limit+1)
	if size > smallBody {
		if !c.large.take(size) {
			return nil, refuse(codeOverloaded, "other large bodies are being received; try again soon")
		}
		c.large.give(c.taken) // of the copy that ends here
		c.taken = size
	}
	return append(make([]byte, 0, size), b...), nil
}

func checkMediaType(h http.Header) error {
	given := h.Values("Content-Type")
	if len(given) != 1 || h.Get("Content-Encoding") != "" {
		return refuse(codeMediaType, "the body is JSON, without compression: Content-Type: application/json")
	}
	media, parameters, err := mime.ParseMediaType(given[0])
	charset := parameters["charset"]
	delete(parameters, "charset")
	if err != nil || media != "application/json" || charset != "" && !strings.EqualFold(charset, "utf-8") || len(parameters) > 0 {
		return refuse(codeMediaType, "the body is JSON in UTF-8: Content-Type: application/json")
	}
	return nil
}
