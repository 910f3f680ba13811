package accesslog

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"
)

// numbered is the bytes of an item that a test puts: its number, again and again.
func numbered(i, repeats int) []byte { return bytes.Repeat(fmt.Appendf(nil, "%d.", i), repeats) }

// nothing prepares nothing.
func nothing() func(*batch) { return func(*batch) {} }

// Items are visited once each, in the order in which they were put, prepared, with their bytes.
func TestPipelineOrder(t *testing.T) {
	const items = 20_000
	random := rand.New(rand.NewPCG(3, 4))
	next := 0
	err := read(func(p *pipeline) error {
		for i := range items {
			repeats := 1 + random.IntN(20)
			if i%1000 == 0 {
				repeats = 20_000 // by itself nearly a batch
			}
			if err := p.put(item{bytes: numbered(i, repeats), offset: int64(repeats)}); err != nil {
				return err
			}
		}
		return nil
	}, func() func(*batch) {
		return func(b *batch) {
			runtime.Gosched()
			for i := range b.items {
				b.items[i].problem = string(b.items[i].bytes)
			}
		}
	}, func(it *item) error {
		want := string(numbered(next, int(it.offset)))
		if string(it.bytes) != want || it.problem != want {
			t.Fatalf("item %d is %.20q, prepared as %.20q", next, it.bytes, it.problem)
		}
		next++
		return nil
	})
	if err != nil || next != items {
		t.Errorf("%d items are visited: %v", next, err)
	}
}

// After an error of the visitor nothing more is visited, and nobody is at work when read returns.
func TestPipelineStops(t *testing.T) {
	enough := errors.New("enough")
	var atWork atomic.Int32
	for _, last := range []int{0, 1, 255, 256, 1000, 5000} {
		visited := 0
		err := read(func(p *pipeline) error {
			atWork.Add(1)
			defer atWork.Add(-1)
			for i := 0; ; i++ { // without end
				if err := p.put(item{bytes: numbered(i, 10)}); err != nil {
					return err
				}
			}
		}, func() func(*batch) {
			return func(*batch) {
				atWork.Add(1)
				defer atWork.Add(-1)
				runtime.Gosched()
			}
		}, func(*item) error {
			if visited++; visited > last {
				return enough
			}
			return nil
		})
		if !errors.Is(err, enough) || visited != last+1 || atWork.Load() != 0 {
			t.Errorf("after %d: %v, %d visited, %d still at work", last, err, visited, atWork.Load())
		}
	}
}

// What was put before an error of the source is visited.
func TestPipelineSourceFails(t *testing.T) {
	broken := errors.New("broken")
	for _, before := range []int{0, 1, 256, 700} {
		visited := 0
		err := read(func(p *pipeline) error {
			for i := range before {
				if err := p.put(item{bytes: numbered(i, 1)}); err != nil {
					return err
				}
			}
			return broken
		}, nothing, func(*item) error { visited++; return nil })
		if !errors.Is(err, broken) || visited != before {
			t.Errorf("%d of %d are visited: %v", visited, before, err)
		}
	}
}

// The short way to read the line of an entry never takes what the long one does not, nor for something else.
func FuzzEntryLine(f *testing.F) {
	for _, line := range []string{
		`{"entry":"AAAA"}`, `{"entry":""}`, `{"entry":"AA=="}`, `{"entry":"AB=="}`, `{"entry":"A"}`, "{\"entry\":\"AA\rAA\"}", `{"entry":"AA\u0041A"}`,
		`{"entry":"AAAA"}"}`, `{"entry":"AAAA","entry":"BBBB"}`, `{"entry":"AAAA"} `, `{"entry":"-_-_"}`, `{"entries":3}`,
	} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if bytes.IndexByte(b, '\n') >= 0 {
			return // not a line
		}
		short, ok := parseEntryLine(b)
		l, err := parseLine(b)
		isEntry := err == nil && l.kind() == lineEntry
		switch {
		case ok && len(short) > 0 && (!isEntry || !bytes.Equal(short, l.Entry)):
			t.Errorf("%q is taken for the entry %x; %+v, %v", b, short, l, err)
		case ok && len(short) == 0 && err != nil:
			t.Errorf("%q is taken for an entry without bytes; %v", b, err)
		}
	})
}
