package httpapi_test

import (
	"bufio"
	"bytes"
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/verifier/httpapi"
	"github.com/credledger/credledger/verifier/httpapi/httpapitest"
	"github.com/credledger/credledger/verifier/verifiertest"
)

func TestMediaTypes(t *testing.T) {
	s := httpapitest.New(t)
	body := members{"code": s.Issue("property", 1)[0].Code()}
	for media, ok := range map[string]bool{
		"application/json": true, "application/json; charset=utf-8": true, "Application/JSON;charset=\"UTF-8\"": true,
		"": false, "text/plain": false, "application/x-www-form-urlencoded": false, "multipart/form-data; boundary=a": false,
		"application/json; charset=gbk": false, "application/json; version=1": false, "application/json, text/plain": false, "json": false,
	} {
		a := post(t, s, body, func(r *http.Request) { r.Header.Set("Content-Type", media) })
		if ok != (a.Code == http.StatusOK) || !ok && !strings.Contains(a.Body.String(), "media-type-unsupported") {
			t.Errorf("%q: %d", media, a.Code)
		}
	}
	for _, coding := range []string{"gzip", "identity", "br"} {
		a := post(t, s, body, func(r *http.Request) { r.Header.Set("Content-Encoding", coding) })
		if a.Code != http.StatusUnsupportedMediaType {
			t.Errorf("%q: %d", coding, a.Code)
		}
	}
	a := post(t, s, body, func(r *http.Request) { r.Header.Add("Content-Type", "text/plain") })
	if a.Code != http.StatusUnsupportedMediaType {
		t.Errorf("two media types: %d", a.Code)
	}
}

// What is too large is refused before it is read, or while it is.
func TestOversized(t *testing.T) {
	s := httpapitest.New(t)
	url := s.Listen()
	for path, size := range map[string]int64{
		"/v1/verifications": 30 << 20, "/v1/challenges": 17 << 10, "/v1/references": 200 << 10, "/v1/accesses": 200 << 10, "/v1/sessions": 17 << 10,
	} {
		for name, body := range map[string]io.Reader{
			"declared": io.LimitReader(endless{}, size), "chunked": struct{ io.Reader }{io.LimitReader(endless{}, size)},
		} {
			r, err := http.NewRequest(http.MethodPost, url+path, body)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("CredLedger-Counter", "1")
			if name == "declared" {
				r.ContentLength = size
			}
			w, err := http.DefaultClient.Do(r)
			if err != nil {
				continue // the server hung up, as it may
			}
			text, _ := io.ReadAll(w.Body)
			w.Body.Close()
			if w.StatusCode != http.StatusRequestEntityTooLarge || !bytes.Contains(text, []byte("body-too-large")) {
				t.Errorf("%s, %s: %d %s", path, name, w.StatusCode, text)
			}
		}
	}
	s.Post("/v1/verifications", members{"code": s.Issue("property", 1)[0].Code()}).Want(t, http.StatusOK)
}

// endless is a body that begins well.
type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}

// Large bodies that are never finished take no room from others: what was not sent is not held.
func TestManySlowLargeBodies(t *testing.T) {
	s := httpapitest.New(t)
	address := strings.TrimPrefix(s.Listen(), "http://")
	for range 50 {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "POST /v1/verifications HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n{", 20<<20)
	}
	code := s.Issue("property", 1)[0].Code()
	large := `{"code":"` + code + `"` + strings.Repeat(" ", 4<<20) + "}"
	s.Post("/v1/verifications", large).Want(t, http.StatusOK)
}

// The memory for large bodies is bounded, and given back.
func TestLargeBodiesShareABudget(t *testing.T) {
	s := httpapitest.New(t)
	code := s.Issue("property", 1)[0].Code()
	large := func() io.Reader { return strings.NewReader(`{"code":"` + code + `"` + strings.Repeat(" ", 20<<20)) }
	hold := make(chan struct{})
	var ended []chan int
	for range 12 { // of 24 MiB each
		end := make(chan int, 1)
		ended = append(ended, end)
		started := make(chan struct{})
		go func() {
			body := io.MultiReader(large(), &signal{started, hold}, strings.NewReader("}"))
			end <- serve(s, newRequest(t, http.MethodPost, "/v1/verifications", body)).Code
		}()
		select {
		case <-started:
		case code := <-end:
			end <- code
		}
	}
	close(hold)
	counts := map[int]int{}
	for _, end := range ended {
		counts[<-end]++
	}
	if counts[http.StatusOK] < 8 || counts[http.StatusServiceUnavailable] < 1 || counts[http.StatusOK]+counts[http.StatusServiceUnavailable] != 12 {
		t.Errorf("%v", counts)
	}
	if w := serve(s, newRequest(t, http.MethodPost, "/v1/verifications", io.MultiReader(large(), strings.NewReader("}")))); w.Code != http.StatusOK {
		t.Errorf("the room is not given back: %d", w.Code)
	}
}

// A signal is an empty part of a body: it says that it was reached, and waits.
type signal struct {
	reached chan struct{}
	hold    chan struct{}
}

func (s *signal) Read([]byte) (int, error) {
	close(s.reached)
	<-s.hold
	return 0, io.EOF
}

// Bombs: a code that inflates without end, a picture of a great size in a few bytes.
func TestBombs(t *testing.T) {
	s := httpapitest.New(t)
	for name, body := range map[string]members{
		"presentation-too-large": {"code": "HTTPS://A/#" + inflating(t)},
		"image-too-large":        {"image": base64Of(hugePicture(t))},
	} {
		began := time.Now()
		s.Post("/v1/verifications", body).Problem(t, name)
		if d := time.Since(began); d > 20*time.Second {
			t.Errorf("%s: it took %v", name, d)
		}
	}
}

// inflating is the letters of a code whose contents are far longer than a presentation may be.
func inflating(tb testing.TB) string {
	tb.Helper()
	p := verifiertest.New(tb).Issue("property", 1)[0].Show()
	p.Path = make([]byte, 1<<16)
	p.Proof = make([]byte, 60<<10)
	text, err := credential.EncodeCode("a", p)
	if err != nil {
		tb.Fatal(err)
	}
	_, letters, _ := strings.Cut(text, "#")
	return letters
}

// hugePicture is a PNG whose header says that it has 40,000 by 40,000 pixels.
func hugePicture(tb testing.TB) []byte {
	tb.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, image.NewGray(image.Rect(0, 0, 1, 1))); err != nil {
		tb.Fatal(err)
	}
	b := out.Bytes()
	copy(b[16:], []byte{0, 0, 0x9c, 0x40, 0, 0, 0x9c, 0x40})
	sum := crc32.ChecksumIEEE(b[12:29])
	copy(b[29:], []byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)})
	return b
}

// No way of writing a path leads anywhere but to the route that is written.
func TestPaths(t *testing.T) {
	s := httpapitest.New(t)
	address := strings.TrimPrefix(s.Listen(), "http://")
	for _, path := range []string{
		"/v1/../v1/types", "/v1//types", "//v1/types", "/v1/types/", "/v1/types/..%2f..%2fetc%2fpasswd", "/v1/types/%2e%2e/types", "/V1/types",
		"/v1/types/../../../../etc/passwd", "/v1/types%00", "/v1/types;a=b", "/v1/types/%ff", "/v1/matters/..", "/v1/types/a\\b", "http://elsewhere/v1/../x",
	} {
		status, text := talk(t, address, "GET "+path+" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		if status < 400 || status >= 500 || strings.Contains(text, "Location:") {
			t.Errorf("%s: %s", path, text)
		}
	}
}

// Requests that two servers could take apart in two ways end the connection.
func TestSmuggling(t *testing.T) {
	s := httpapitest.New(t)
	address := strings.TrimPrefix(s.Listen(), "http://")
	const post = "POST /v1/challenges HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
	const second = "GET /v1/me HTTP/1.1\r\nHost: a\r\n\r\n"
	for name, request := range map[string]string{
		"two lengths":                 post + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}" + second,
		"length and chunks":           post + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + second,
		"unknown coding":              post + "Transfer-Encoding: xchunked\r\n\r\n{}" + second,
		"negative length":             post + "Content-Length: -2\r\n\r\n{}" + second,
		"line break in a header":      post + "Authorization: Bearer a\nCookie: b\x00\r\nContent-Length: 2\r\n\r\n{}",
		"space before the colon":      post + "Content-Length : 2\r\n\r\n{}" + second,
		"two hosts":                   "GET /v1/me HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
		"chunk with a wrong length":   post + "Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n" + second,
		"header without end of lines": post + strings.Repeat("A: "+strings.Repeat("a", 4000)+"\r\n", 400) + "\r\n",
	} {
		status, text := talk(t, address, request)
		if answers := strings.Count(text, "HTTP/1.1 "); name != "line break in a header" && (status < 400 || answers > 1) {
			t.Errorf("%s: %d, %d answers: %.300s", name, status, answers, text)
		}
	}
}

// talk sends bytes and returns the status of the first answer, and everything that comes.
func talk(tb testing.TB, address, request string) (status int, text string) {
	tb.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		tb.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		tb.Fatal(err)
	}
	_, _ = io.WriteString(conn, request) // the server may hang up before it has all
	var b []byte
	for part := make([]byte, 4096); err == nil; {
		var n int
		n, err = conn.Read(part)
		b = append(b, part[:n]...)
		_ = conn.SetReadDeadline(time.Now().Add(500 * time.Millisecond)) // for what may come after the beginning
	}
	if w, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(b)), nil); err == nil {
		status = w.StatusCode
	}
	return status, string(b)
}

// What a licence says cannot become part of a page: it is told as JSON, in which nothing is markup.
func TestMarkupInEveryField(t *testing.T) {
	s := httpapitest.New(t)
	const markup = `"'><script>alert(1)</script><img src=x onerror=alert(1)>&amp;</textarea>`
	for _, typ := range []string{"property", "marriage", "business"} {
		changes := members{}
		for _, f := range s.Type(t, typ).Fields {
			switch f.Kind {
			case "string", "text", "name":
				changes[f.Key] = markup
			case "names":
				changes[f.Key] = []any{markup, "b"}
			}
		}
		l := s.IssueDocument(typ, 0, changes)
		a := s.Post("/v1/verifications", members{"credential": base64Of(l.Show(l.Keys()...).Bytes())}).Want(t, http.StatusOK)
		if a.Text("verdict.outcome") != "valid" || len(changes) < 2 {
			t.Errorf("%s", a.Body)
		}
		if bytes.ContainsAny(a.Body, "<>&") || a.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: markup as it is: %s", typ, a.Body)
		}
		found := 0
		for _, f := range a.Get("verdict.fields").([]any) {
			if v, _ := f.(map[string]any)["value"].(string); strings.Contains(v, markup) {
				found++
			}
		}
		if found == 0 {
			t.Error("the value is not told as it is")
		}
	}
}

// Nothing of what a caller sends comes back in a problem, nor goes into what is observed.
func TestNothingIsEchoed(t *testing.T) {
	s := httpapitest.New(t)
	const canary = "zq7canary"
	var answers []httpapitest.Answer
	for _, body := range []any{
		`{"` + canary + `":1}`, `{"code":` + canary + `}`, canary, members{"code": canary}, members{"code": "HTTPS://" + canary + "/#" + canary},
		members{"credential": canary}, members{"nonce": canary, "code": "a"}, members{"code": "a", "audience": canary, "nonce": zeros},
		members{"code": "a", "asOf": canary}, members{"code": "a", "fields": []string{canary + "_"}}, members{"code": "a", "context": members{canary: 1}},
		members{"code": "a", "context": members{"clerk": canary}}, members{"image": base64Of([]byte(canary))}, members{"file": base64Of([]byte(canary))},
		members{"file": base64Of([]byte("%PDF-1.7\n" + canary))}, members{"file": base64Of([]byte("PK\x03\x04" + canary))},
	} {
		answers = append(answers, s.Post("/v1/verifications", body))
		answers = append(answers, s.Agency(s.Tax).Post("/v1/verifications", body))
	}
	for _, path := range []string{"/v1/" + canary, "/v1/types/" + canary + "_", "/v1/types?" + canary + "=1", "/v1/receipts/" + canary, "/v1/matters/" + canary, "/v1/log/inclusion?leaf=" + canary} {
		answers = append(answers, s.Get(path))
	}
	answers = append(answers,
		s.Agency(canary).Get("/v1/me"), s.With("Cookie", "credledger-session="+canary).Get("/v1/me"), s.With("Content-Type", canary).Post("/v1/challenges", "{}"),
		s.With("CredLedger-Counter", "1").Post("/v1/sessions", members{"agency": canary, "clerk": canary, "password": canary}),
		s.Post("/v1/challenges", members{"audience": canary}),
	)
	for _, a := range answers {
		if a.Status < 400 || strings.Contains(string(a.Body)+fmt.Sprint(a.Header), canary) {
			t.Errorf("%d: %v %s", a.Status, a.Header, a.Body)
		}
	}
	for _, c := range s.Calls() {
		if strings.Contains(fmt.Sprintf("%+v", c), canary) {
			t.Errorf("observed: %+v", c)
		}
	}
}

// Who was verified is not observed either.
func TestCallsHaveNoPersonalData(t *testing.T) {
	s := httpapitest.New(t)
	house := s.Issue("property", 1)[0]
	shown := house.Show(house.Keys()...)
	s.Agency(s.Tax).Post("/v1/verifications", members{"credential": base64Of(shown.Bytes()), "context": members{"clerk": "李雷", "unit": "u-1", "matter": transfer, "case": "case-77"}}).Want(t, http.StatusOK)
	s.Agency(s.Tax).Get("/v1/statuses/natural-resources/"+house.Digest.String()).Want(t, http.StatusOK)
	calls := s.Calls()
	if len(calls) != 2 || calls[0].Route != "/v1/verifications" || calls[0].Outcome != "valid" || calls[0].Agency != "tax" || calls[0].Caller != httpapi.CallerAgency ||
		calls[1].Route != "/v1/statuses/{issuer}/{digest}" || calls[1].Status != 200 {
		t.Errorf("%+v", calls)
	}
	text := fmt.Sprintf("%+v", calls)
	forbidden := []string{"李雷", "u-1", "case-77", house.Digest.String()}
	for _, f := range shown.Fields {
		for v := range f.Value.All() {
			forbidden = append(forbidden, v)
		}
	}
	for _, f := range forbidden {
		if len(f) > 1 && strings.Contains(text, f) {
			t.Errorf("%q is observed: %s", f, text)
		}
	}
}

// post posts a body, after a change to the request.
func post(tb testing.TB, s *httpapitest.Server, body members, change func(*http.Request)) *recorded {
	tb.Helper()
	r := newRequest(tb, http.MethodPost, "/v1/verifications", bytes.NewReader(encode(tb, body)))
	change(r)
	return serve(s, r)
}
