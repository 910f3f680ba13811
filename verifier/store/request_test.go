package store

import (
	"bytes"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/sm"
)

// newRequest returns the i-th request of an agency, due in an hour.
func newRequest(p *place, agency string, i int) *Request {
	made := p.time().Truncate(time.Second).UTC()
	return &Request{
		Digest: sm.Sum([]byte{byte(i), byte(i >> 8)}), Agency: agency, Signed: []byte("signed"), Subject: []byte("subject"), Recipient: []byte("recipient"),
		Clerk: "clerk-7", Unit: "hall", ByLaw: true, Made: made, Due: made.Add(time.Hour),
	}
}

func testRequests(t *testing.T, p *place) {
	s, other := p.open(t), p.open(t)
	ctx, lease := t.Context(), time.Minute
	want := newRequest(p, "registry", 1)
	must(t, s.AddRequest(ctx, want, lease))
	take := func(want int) []*Request {
		t.Helper()
		got, err := other.TakeRequests(ctx, lease, 10)
		must(t, err)
		if len(got) != want {
			t.Fatalf("%d requests are to be looked after; want %d", len(got), want)
		}
		return got
	}
	take(0) // whoever added it has it
	got, err := other.Request(ctx, "registry", want.Digest)
	must(t, err)
	want.Number, want.State, want.Attempts = got.Number, RequestPending, 1
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("request %+v; want %+v", got, want)
	}
	_, err = s.Request(ctx, "tax", want.Digest)
	refused(t, err, CodeRequestUnknown, want.Digest.String())

	p.pass(lease)
	if got := take(1)[0]; got.Attempts != 2 || !bytes.Equal(got.Signed, want.Signed) {
		t.Fatalf("taken %+v", got)
	}
	must(t, s.RetryRequest(ctx, want.Digest, p.time().Add(5*time.Second), "issuer-unreachable"))
	take(0)
	p.pass(5 * time.Second)
	if got := take(1)[0]; got.Attempts != 3 || got.Problem != "issuer-unreachable" {
		t.Fatalf("taken %+v", got)
	}

	end := End{State: RequestReleased, Answer: []byte("answer"), Grant: []byte("grant"), Binding: []byte("binding"), Released: []byte("sealed")}
	ended, err := s.EndRequest(ctx, want.Digest, end)
	must(t, err)
	if ended.State != RequestReleased || ended.Problem != "" || string(ended.Answer)+string(ended.Grant)+string(ended.Binding)+string(ended.Released) != "answergrantbindingsealed" ||
		ended.Recorded || string(ended.Recipient) != "recipient" || ended.Ended.Unix() != p.time().Unix() {
		t.Fatalf("ended %+v", ended)
	}
	for _, late := range []End{{State: RequestUnanswered}, {State: RequestRefused, Answer: []byte("no")}} {
		if again, err := other.EndRequest(ctx, want.Digest, late); err != nil || !reflect.DeepEqual(again, ended) {
			t.Fatalf("the end is taken back: %+v, %v", again, err)
		}
	}
	must(t, s.RecordedRequest(ctx, want.Digest, p.time().Add(24*time.Hour)))
	must(t, s.FetchedRequest(ctx, want.Digest, p.time().Add(10*time.Minute)))
	must(t, s.FetchedRequest(ctx, want.Digest, p.time().Add(time.Hour))) // does not put it off
	p.pass(10*time.Minute - time.Second)
	take(0)
	p.pass(time.Second)
	if got := take(1)[0]; !got.Recorded || got.Attempts != 3 {
		t.Fatalf("taken %+v", got)
	}
	must(t, s.DestroyRecipient(ctx, want.Digest))
	gone, err := s.Request(ctx, "registry", want.Digest)
	must(t, err)
	if len(gone.Recipient) > 0 || len(gone.Released) > 0 || string(gone.Answer) != "answer" {
		t.Fatalf("after the key was destroyed: %+v", gone)
	}
	if all := dump(t, s); bytes.Contains(all, []byte("recipient")) || bytes.Contains(all, []byte("sealed")) {
		t.Fatal("what was destroyed is still in the tables")
	}
	p.pass(1000 * time.Hour)
	take(0)
}

// A request that is refused, or falls due, needs no recipient key any more; why nobody answered is kept.
func testRequestsThatFail(t *testing.T, p *place) {
	s := p.open(t)
	for i, end := range []End{{State: RequestRefused, Answer: []byte("no")}, {State: RequestUnanswered}} {
		r := newRequest(p, "registry", i)
		must(t, s.AddRequest(t.Context(), r, time.Minute))
		must(t, s.RetryRequest(t.Context(), r.Digest, p.time(), "issuer-unreachable"))
		must(t, s.DestroyRecipient(t.Context(), r.Digest)) // not of one that is pending
		got, err := s.Request(t.Context(), "registry", r.Digest)
		must(t, err)
		if len(got.Recipient) == 0 {
			t.Fatal("the key of a pending request is destroyed")
		}
		got, err = s.EndRequest(t.Context(), r.Digest, end)
		must(t, err)
		if unanswered := end.State == RequestUnanswered; len(got.Recipient) > 0 || (got.Problem == "issuer-unreachable") != unanswered {
			t.Fatalf("%+v", got)
		}
		must(t, s.RecordedRequest(t.Context(), r.Digest, p.time()))
		if taken, err := s.TakeRequests(t.Context(), time.Minute, 10); err != nil || len(taken) > 0 {
			t.Fatalf("there is something left to do: %v, %v", taken, err)
		}
	}
}

func testRequestLists(t *testing.T, p *place) {
	s := p.open(t)
	for i := range 6 {
		must(t, s.AddRequest(t.Context(), newRequest(p, []string{"registry", "tax"}[i%2], i), time.Minute))
		if i < 2 {
			_, err := s.EndRequest(t.Context(), newRequest(p, "", i).Digest, End{State: RequestUnanswered})
			must(t, err)
		}
	}
	list := func(agency string, state RequestState, before int64, n int) (digests []sm.Hash, last int64) {
		t.Helper()
		found, err := s.Requests(t.Context(), agency, state, before, n)
		must(t, err)
		for _, r := range found {
			digests, last = append(digests, r.Digest), r.Number
		}
		return digests, last
	}
	of := func(numbers ...int) (digests []sm.Hash) {
		for _, i := range numbers {
			digests = append(digests, newRequest(p, "", i).Digest)
		}
		return digests
	}
	first, last := list("registry", "", 0, 2)
	second, _ := list("registry", "", last, 2)
	if !slices.Equal(first, of(4, 2)) || !slices.Equal(second, of(0)) {
		t.Errorf("pages %v, %v", first, second)
	}
	if got, _ := list("tax", RequestPending, 0, 10); !slices.Equal(got, of(5, 3)) {
		t.Errorf("pending %v", got)
	}
	if got, _ := list("tax", RequestUnanswered, 0, 10); !slices.Equal(got, of(1)) {
		t.Errorf("unanswered %v", got)
	}
	if got, _ := list("nobody", "", 0, 10); got != nil {
		t.Errorf("another's: %v", got)
	}
}

// Of all that look at the same time, one gets a request.
func testRequestsOnce(t *testing.T, p *place) {
	replicas := []*Store{p.open(t), p.open(t)}
	const n = 20
	for i := range n {
		must(t, replicas[0].AddRequest(t.Context(), newRequest(p, "registry", i), time.Second))
	}
	p.pass(time.Second)
	var mu sync.Mutex
	taken := map[sm.Hash]int{}
	inParallel(8, func(i int) {
		for {
			got, err := replicas[i%2].TakeRequests(t.Context(), time.Minute, 3)
			if err != nil {
				t.Error(err)
			}
			if len(got) == 0 {
				return
			}
			mu.Lock()
			for _, r := range got {
				taken[r.Digest]++
			}
			mu.Unlock()
		}
	})
	if len(taken) != n {
		t.Fatalf("%d of %d were taken", len(taken), n)
	}
	for digest, times := range taken {
		if times != 1 {
			t.Errorf("%s was taken %d times", digest, times)
		}
	}
}

func testRequestsBounded(t *testing.T, p *place) {
	s := p.open(t)
	good := newRequest(p, "registry", 1)
	for name, change := range map[string]func(*Request){
		"no agency": func(r *Request) { r.Agency = "" }, "no bytes": func(r *Request) { r.Signed = nil }, "no key": func(r *Request) { r.Recipient = nil },
		"too long": func(r *Request) { r.Subject = make([]byte, maxRequestPart+1) },
	} {
		r := *good
		change(&r)
		if err := s.AddRequest(t.Context(), &r, time.Minute); Code(err) != CodeArgument {
			t.Errorf("%s: %v", name, err)
		}
	}
	refused(t, s.AddRequest(t.Context(), good, 0), CodeArgument)
	_, err := s.TakeRequests(t.Context(), 0, 1)
	refused(t, err, CodeArgument)
	_, err = s.EndRequest(t.Context(), good.Digest, End{State: RequestUnanswered})
	refused(t, err, CodeRequestUnknown)
	must(t, s.AddRequest(t.Context(), good, time.Minute))
	refused(t, s.AddRequest(t.Context(), good, time.Minute), CodeUnavailable) // the same one twice
	for _, bad := range []End{{}, {State: RequestPending}, {State: RequestReleased}, {State: RequestRefused, Released: []byte("x")},
		{State: RequestRefused, Answer: make([]byte, maxRequestPart+1)}} {
		_, err = s.EndRequest(t.Context(), good.Digest, bad)
		refused(t, err, CodeArgument)
	}
	p.pass(time.Hour + RequestMemory - time.Second)
	must(t, s.Purge(t.Context()))
	if n := rows(t, s, "verifier_request"); n != 1 {
		t.Fatalf("%d requests within memory", n)
	}
	p.pass(time.Second)
	must(t, s.Purge(t.Context()))
	if n := rows(t, s, "verifier_request"); n != 0 {
		t.Fatalf("%d requests beyond memory", n)
	}
}
