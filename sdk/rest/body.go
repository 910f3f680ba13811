package rest

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
)

// Bounds of bodies in bytes.
const (
	smallBody   = 64 << 10  // up to here a body is read without asking the budget
	largeBodies = 256 << 20 // that are in memory at a time, those that are being received included
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

// Body reads the body of a request, which is JSON of up to limit bytes.
func (c *Call) Body(limit int64) ([]byte, error) {
	if _, err := c.MediaType("application/json"); err != nil {
		return nil, err
	}
	in, err := c.Stream(limit)
	if err != nil {
		return nil, err
	}
	b := make([]byte, 0, max(512, min(c.R.ContentLength+1, smallBody))) // one more, so that the end is seen at once
	for {
		n, err := in.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		switch {
		case errors.Is(err, io.EOF):
			return b, nil
		case err != nil:
			return nil, err
		case len(b) < cap(b):
			continue
		}
		if b, err = c.grow(b, limit); err != nil {
			return nil, err
		}
	}
}

// Stream returns a reader of the body, of up to limit bytes; its errors are problems.
func (c *Call) Stream(limit int64) (io.Reader, error) {
	if c.R.TransferEncoding != nil || c.R.ContentLength > limit {
		// What follows a body in chunks may be taken for another request by one server and not by the
		// next, if a length was given as well (RFC 9112, section 6.3).
		c.W.Header().Set("Connection", "close")
	}
	if c.R.ContentLength > limit {
		return nil, tooLarge(limit)
	}
	return &bodyReader{http.MaxBytesReader(c.W.(*recorder).ResponseWriter, c.R.Body, limit), limit}, nil
}

func tooLarge(limit int64) error {
	return Refuse(CodeBodyTooLarge, fmt.Sprintf("the body of this call has at most %d KiB", limit>>10))
}

// A bodyReader reads a body; its errors are problems.
type bodyReader struct {
	in    io.Reader
	limit int64
}

func (r *bodyReader) Read(b []byte) (int, error) {
	n, err := r.in.Read(b)
	var exceeded *http.MaxBytesError
	switch {
	case err == nil, errors.Is(err, io.EOF):
	case errors.As(err, &exceeded):
		err = tooLarge(r.limit)
	default:
		err = Refuse(CodeBodyMalformed, "the body breaks off")
	}
	return n, err
}

// grow makes room for as much again. What a caller has not sent takes no memory, so that many who send
// slowly do not keep others out.
func (c *Call) grow(b []byte, limit int64) ([]byte, error) {
	size := min(2*int64(cap(b)), limit+1)
	if size > smallBody {
		large := &c.server.large
		if !large.take(size) {
			return nil, Refuse(CodeOverloaded, "other large bodies are being received; try again soon")
		}
		large.give(c.taken) // of the copy that ends here
		c.taken = size
	}
	return append(make([]byte, 0, size), b...), nil
}

// MediaType makes sure that the body is of one of some media types, in UTF-8 and without compression,
// and returns which.
func (c *Call) MediaType(known ...string) (string, error) {
	given := c.R.Header.Values("Content-Type")
	if len(given) == 1 && c.R.Header.Get("Content-Encoding") == "" {
		media, parameters, err := mime.ParseMediaType(given[0])
		charset := parameters["charset"]
		delete(parameters, "charset")
		if err == nil && slices.Contains(known, media) && (charset == "" || strings.EqualFold(charset, "utf-8")) && len(parameters) == 0 {
			return media, nil
		}
	}
	return "", Refuse(CodeMediaType, "the body is in UTF-8, without compression: Content-Type: "+strings.Join(known, " or "))
}
