package masterkey

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// serve serves a key file at a path, until the test ends or stop is called.
func serve(t testing.TB, keys keeper, path string) (stop func()) {
	t.Helper()
	l, err := Listen(path)
	must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, l, keys) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-ended; err != nil {
				t.Errorf("serve: %v", err)
			}
		})
	}
	t.Cleanup(stop)
	return stop
}

func TestRemote(t *testing.T) {
	f, keyFile := newFile(t)
	path := filepath.Join(t.TempDir(), "s")
	stop := serve(t, f, path)
	info, err := os.Lstat(path)
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the socket has mode %v", info.Mode())
	}
	r := Dial(path)
	defer r.Close()
	testKeeper(t, r)

	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			aads, keys := pairs(20)
			for range 5 {
				wrapped, err := r.Wrap(t.Context(), aads, keys)
				if err == nil {
					_, err = f.Unwrap(t.Context(), aads, wrapped)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()

	aads, keys := pairs(1)
	stop()
	_, err = r.Wrap(t.Context(), aads, keys)
	refused(t, err, CodeUnavailable)
	serve(t, f, path) // the socket that was left behind is replaced
	_, err = r.Wrap(t.Context(), aads, keys)
	must(t, err)
	must(t, os.Remove(keyFile))
	_, err = r.Wrap(t.Context(), aads, keys)
	refused(t, err, CodeMissing)

	_, err = Listen(keyFile + "/s")
	refused(t, err, CodeUnavailable)
	must(t, os.WriteFile(keyFile, nil, 0o600))
	_, err = Listen(keyFile)
	refused(t, err, CodeExists)
}

// TestServeStrangers sends what is not of the protocol: the connection ends, or says why, and others are served.
func TestServeStrangers(t *testing.T) {
	f, _ := newFile(t)
	path := filepath.Join(t.TempDir(), "s")
	serve(t, f, path)
	var frame bytes.Buffer
	must(t, writeFrame(&frame, 9, []byte("aad"), []byte("sixteen letters.")))
	unknownKind := bytes.Clone(frame.Bytes())
	frame.Reset()
	must(t, writeFrame(&frame, kindWrap, []byte("aad"), []byte("short")))
	for name, c := range map[string]struct {
		sent    []byte
		refusal bool
	}{
		"no length":    {[]byte{0, 0, 0, 0}, false},
		"too long":     {[]byte{0xff, 0, 0, 0}, false},
		"unknown kind": {unknownKind, true},
		"short key":    {frame.Bytes(), true},
		"odd":          {[]byte{0, 0, 0, 5, kindWrap, 0, 2, 'a', 'b'}, true},
		"cut off":      {[]byte{0, 0, 0, 5, kindWrap, 0, 3, 'a', 'b'}, true},
		"no pairs":     {[]byte{0, 0, 0, 1, kindWrap}, true},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("unix", path)
			must(t, err)
			defer conn.Close()
			_, err = conn.Write(c.sent)
			must(t, err)
			must(t, conn.SetReadDeadline(time.Now().Add(5*time.Second)))
			kind, rest, err := readFrame(conn)
			if (err == nil) != c.refusal || c.refusal && kind != kindRefusal {
				t.Fatalf("answer %d %q, %v", kind, rest, err)
			}
		})
	}
	aads, keys := pairs(1)
	_, err := Dial(path).Wrap(t.Context(), aads, keys)
	must(t, err)
}

// TestStrangeServers has the other side answer what it should not.
func TestStrangeServers(t *testing.T) {
	aads, keys := pairs(2)
	good := bytes.Repeat([]byte{1}, WrappedSize)
	for name, c := range map[string]struct {
		kind   byte
		answer [][]byte
	}{
		"one key":          {kindKeys, [][]byte{good}},
		"three keys":       {kindKeys, [][]byte{good, good, good}},
		"a short key":      {kindKeys, [][]byte{good, good[1:]}},
		"another kind":     {7, [][]byte{good, good}},
		"an unknown code":  {kindRefusal, [][]byte{[]byte("made-up"), []byte("text")}},
		"half a refusal":   {kindRefusal, [][]byte{[]byte(CodeUnknown)}},
		"an empty refusal": {kindRefusal, nil},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "s")
			l, err := Listen(path)
			must(t, err)
			defer l.Close()
			go func() {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				defer conn.Close()
				if _, _, err := readFrame(conn); err == nil {
					_ = writeFrame(conn, c.kind, c.answer...)
				}
			}()
			_, err = Dial(path).Wrap(t.Context(), aads, keys)
			refused(t, err, CodeProtocol)
		})
	}
}

func TestRemoteContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := Listen(path) // which accepts and never answers
	must(t, err)
	defer l.Close()
	aads, keys := pairs(1)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = Dial(path).Wrap(ctx, aads, keys)
	refused(t, err, CodeUnavailable)
}

func FuzzFrame(f *testing.F) {
	var b bytes.Buffer
	must(f, writeFrame(&b, kindWrap, []byte("aad"), []byte("sixteen letters.")))
	f.Add(b.Bytes())
	b.Reset()
	must(f, writeFrame(&b, kindRefusal, []byte(CodeUnknown), []byte("text")))
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, stream []byte) {
		kind, rest, err := readFrame(bytes.NewReader(stream))
		if err != nil {
			return
		}
		if aads, keys, err := parsePairs(rest); err == nil {
			var parts [][]byte
			for i := range aads {
				parts = append(parts, aads[i], keys[i])
			}
			var again bytes.Buffer
			must(t, writeFrame(&again, kind, parts...))
			if !bytes.HasPrefix(stream, again.Bytes()) {
				t.Fatal("two frames for one request")
			}
		}
		if out, err := parseAnswer(kind, rest); err != nil && Code(err) == "" {
			t.Fatalf("%v, %v", out, err)
		}
	})
}

func BenchmarkWrap(b *testing.B) {
	f, _ := newFile(b)
	path := filepath.Join(b.TempDir(), "s")
	serve(b, f, path)
	for name, k := range map[string]keeper{"file": f, "remote": Dial(path)} {
		for _, n := range []int{1, 1000} {
			aads, keys := pairs(n)
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				for b.Loop() {
					if _, err := k.Wrap(b.Context(), aads, keys); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.N*n)/b.Elapsed().Seconds(), "keys/s")
			})
		}
	}
}
