package qr

import (
	"math/rand/v2"
	"strings"
	"testing"

	"rsc.io/qr/coding"
)

// bitsOf returns the length of segments as the library writes them.
func bitsOf(segments []coding.Encoding, class int) int {
	bits := 0
	for _, s := range segments {
		bits += s.Bits(coding.Version(sizeClasses[class]))
	}
	return bits
}

// shortest tries every division of a text into segments.
func shortest(text string, class int) int {
	if text == "" {
		return 0
	}
	best := never
	for end := 1; end <= len(text); end++ {
		for m := range modes {
			if s := segment(m, text[:end]); s.Check() == nil {
				best = min(best, bitsOf([]coding.Encoding{s}, class)+shortest(text[end:], class))
			}
		}
	}
	return best
}

func TestSegmentsAreShortest(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 1))
	for range 60 {
		text := ""
		for len(text) < 8 { // runs, because single characters are seldom worth a change of mode
			alphabet := []string{"0123456789", "ABC$:", "a#"}[random.IntN(3)]
			for range 1 + random.IntN(5) {
				text += string(alphabet[random.IntN(len(alphabet))])
			}
		}
		text = text[:8]
		for class := range sizeClasses {
			p := newPlan(text, class)
			if want := shortest(text, class); p.length() != want {
				t.Errorf("%q, class %d: %d bits, want %d", text, class, p.length(), want)
			}
		}
	}
}

func TestSegmentsHoldTheText(t *testing.T) {
	for _, text := range []string{
		"7", "A", "#", "HTTPS://CHECK.EXAMPLE/#A1$*+-./:", "0123456789012345678901234567890#abc证照123456789ABCDEFGHIJKLM",
		strings.Repeat("12345678901234567890abcdefghijklmnop", 20),
	} {
		for class := range sizeClasses {
			p := newPlan(text, class)
			got := ""
			for _, s := range p.segments() {
				if err := s.Check(); err != nil {
					t.Errorf("%q: %v", text, err)
				}
				switch s := s.(type) {
				case coding.Num:
					got += string(s)
				case coding.Alpha:
					got += string(s)
				case coding.String:
					got += string(s)
				}
			}
			if got != text {
				t.Errorf("segments hold %q, want %q", got, text)
			}
			if bits := bitsOf(p.segments(), class); bits != p.length() {
				t.Errorf("%q, class %d: planned %d bits, written %d", text, class, p.length(), bits)
			}
		}
	}
}

// A self-contained code costs one byte-mode segment for its '#', not byte mode throughout.
func TestOneByteSegmentForTheHash(t *testing.T) {
	text := "HTTPS://CHECK.EXAMPLE/#" + strings.Repeat("$A*", 300)
	segments := newPlan(text, 2).segments()
	if len(segments) != 3 || segments[1] != coding.String("#") {
		t.Errorf("segments are %v", segments)
	}
}

func TestLinePenalty(t *testing.T) {
	for line, want := range map[string]int{
		"X.X.X.X.X.X":      0,
		"XXXX.X":           0,
		"XXXXX.X":          3,
		".XXXXXXX":         5,
		"XXXXX.....":       6,
		"X.XXX.X....":      40,
		"....X.XXX.X":      40,
		"X....X.XXX.X....": 80,
		"X.XXX.X...X":      0,
	} {
		if got := linePenalty(len(line), func(i int) bool { return line[i] == 'X' }); got != want {
			t.Errorf("%s: %d, want %d", line, got, want)
		}
	}
}
