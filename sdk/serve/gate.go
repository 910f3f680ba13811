package serve

import (
	"bytes"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
)

// A gate bounds how many requests are worked on at a time. More of them would only wait for the
// processors, and everybody's answer with them: who comes then is told at once to come again.
//
// A request takes its place once its body is here, so that slow senders hold none. Bodies of up to
// smallBody are read for that; larger ones are for the API to bound, and take no place here. One that only fetches
// something gives its place back when the answer begins, so that slow readers hold none either.
type gate struct {
	max     int64
	working atomic.Int64
	refuse  func(w http.ResponseWriter, r *http.Request, code string) // CodeOverloaded, CodeBody
	next    http.Handler
}

// Codes of the problems that a Handler is to answer with.
const (
	CodeOverloaded = "overloaded"     // more is worked on than can be
	CodeBody       = "body-malformed" // the body of the request breaks off
)

const smallBody = 64 << 10 // bytes

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	large := r.ContentLength > smallBody
	if !large && r.ContentLength != 0 {
		head := bytes.NewBuffer(make([]byte, 0, max(r.ContentLength, 0)+bytes.MinRead)) // as ReadFrom wants it, to grow only if it has to
		if _, err := head.ReadFrom(io.LimitReader(r.Body, smallBody+1)); err != nil {
			g.refuse(w, r, CodeBody)
			return
		}
		large = head.Len() > smallBody
		r.Body = replayed{io.MultiReader(head, r.Body), r.Body}
	}
	if !large {
		if g.working.Add(1) > g.max {
			g.working.Add(-1)
			g.refuse(w, r, CodeOverloaded)
			return
		}
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			leave := sync.OnceFunc(func() { g.working.Add(-1) })
			defer leave()
			w = &fetched{w, leave}
		} else {
			defer g.working.Add(-1)
		}
	}
	g.next.ServeHTTP(w, r)
}

// A fetched is an answer that gives the place of its request back when it begins.
type fetched struct {
	http.ResponseWriter
	leave func()
}

func (f *fetched) WriteHeader(status int) {
	f.leave()
	f.ResponseWriter.WriteHeader(status)
}

func (f *fetched) Write(b []byte) (int, error) {
	f.leave()
	return f.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (f *fetched) Unwrap() http.ResponseWriter { return f.ResponseWriter }

// A replayed is a body of which the beginning was read before.
type replayed struct {
	io.Reader
	io.Closer
}
