package httpapi_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/issuer/httpapi/httpapitest"
	"github.com/credledger/credledger/sdk/issuer/staff"
	"github.com/credledger/credledger/sdk/licence/samples"
	"github.com/credledger/credledger/sdk/qr"
	"github.com/credledger/credledger/sdk/rest/resttest"
)

// members is a JSON object.
type members = map[string]any

// serve makes a call that is not held against the contract.
func serve(s *httpapitest.Server, method, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.API.ServeHTTP(w, httptest.NewRequest(method, path, nil))
	return w
}

// bytesOf returns what a member of an answer holds.
func bytesOf(tb testing.TB, a resttest.Answer, member string) []byte {
	tb.Helper()
	b, err := base64.StdEncoding.DecodeString(a.Text(member))
	if err != nil || len(b) == 0 {
		tb.Fatalf("%s: %v: %s", member, err, a.Body)
	}
	return b
}

// work does what callers have begun, until a condition holds.
func work(tb testing.TB, s *httpapitest.Server, until func() bool) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), time.Minute)
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.API.Run(ctx, func(err error) { tb.Logf("work: %v", err) })
	}()
	for !until() {
		if ctx.Err() != nil {
			tb.Error("it is not done in time")
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	cancel()
	<-done
}

// jobDone returns the job of an answer once it is done or has failed.
func jobDone(tb testing.TB, s *httpapitest.Server, by httpapitest.Client, path string) resttest.Answer {
	tb.Helper()
	var a resttest.Answer
	work(tb, s, func() bool {
		a = by.Get(path).Want(tb, 200)
		return a.Text("state") == "done" || a.Text("state") == "failed"
	})
	return a
}

// newGray is a white picture.
func newGray(size int) *image.Gray {
	g := image.NewGray(image.Rect(0, 0, size, size))
	for i := range g.Pix {
		g.Pix[i] = 0xff
	}
	return g
}

// decode reads the code in a picture.
func decode(tb testing.TB, picture image.Image) string {
	tb.Helper()
	var file bytes.Buffer
	if err := png.Encode(&file, picture); err != nil {
		tb.Fatal(err)
	}
	text, err := qr.Decode(&file)
	if err != nil {
		tb.Fatal(err)
	}
	return text
}

// plainPDF is a page without anything on it.
func plainPDF() []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.4\n")
	var offsets []int
	for i, object := range []string{
		"<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>", "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>",
	} {
		offsets = append(offsets, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, object)
	}
	start := b.Len()
	b.WriteString("xref\n0 4\n0000000000 65535 f \n")
	for _, at := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", at)
	}
	fmt.Fprintf(&b, "trailer\n<</Size 4/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", start)
	return b.Bytes()
}

// sample is a record of the town's type as it stands among the samples.
func sample(tb testing.TB, s *httpapitest.Server, n int) members {
	tb.Helper()
	file, err := samples.Files.ReadFile(s.Type.ID + ".jsonl")
	if err != nil {
		tb.Fatal(err)
	}
	var out members
	if err := json.Unmarshal(bytes.Split(file, []byte("\n"))[n], &out); err != nil {
		tb.Fatal(err)
	}
	return out
}

// reload gives the department another staff file.
func reload(tb testing.TB, s *httpapitest.Server, text string) {
	tb.Helper()
	d, err := staff.Parse([]byte(text))
	if err != nil {
		tb.Fatal(err)
	}
	s.Staff.Reload(d)
}
