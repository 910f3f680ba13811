package service

import (
	"bytes"
	"io"
	"net/http"
	"sync/atomic"
)

// A gate bounds how many requests are worked on at a time. More of them would only wait for the
// processors, and everybody's answer with them: who comes then is told at once to come again.
//
// A request takes its place once its body is here, so that slow senders hold none. Bodies of up to
// smallBody are read for that; larger ones are for the API to bound, and take no place here.
type gate struct {
	max     int64
	working atomic.Int64
	refuse  func(w http.ResponseWriter, r *http.Request, code string)
	next    http.Handler
}

const smallBody = 64 << 10 // bytes

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	large := r.ContentLength > smallBody
	if !large && r.ContentLength != 0 {
		head, err := io.ReadAll(io.LimitReader(r.Body, smallBody+1))
		if err != nil {
			g.refuse(w, r, "body-malformed")
			return
		}
		large = len(head) > smallBody
		r.Body = replayed{io.MultiReader(bytes.NewReader(head), r.Body), r.Body}
	}
	if !large {
		defer g.working.Add(-1)
		if g.working.Add(1) > g.max {
			g.refuse(w, r, "overloaded")
			return
		}
	}
	g.next.ServeHTTP(w, r)
}

// A replayed is a body of which the beginning was read before.
type replayed struct {
	io.Reader
	io.Closer
}
