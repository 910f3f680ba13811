package qr_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/credledger/credledger/sdk/qr"
)

var update = flag.Bool("update", false, "write the golden files")

func drawPNG(t testing.TB, s *qr.Symbol, moduleSize int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := s.PNG(&b, moduleSize); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A drawing is the same bytes for ever: printed codes are compared.
func TestGolden(t *testing.T) {
	symbol := encode(t, "HTTPS://CHECK.EXAMPLE/#7$A*", qr.M)
	for name, draw := range map[string]func(io.Writer) error{
		"symbol.svg": symbol.SVG,
		"symbol.txt": symbol.Terminal,
	} {
		var got bytes.Buffer
		if err := draw(&got); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s differs; if that is meant, run the test with -update", name)
		}
	}
}

func TestPNGIsBilevel(t *testing.T) {
	symbol := encode(t, reference, qr.M)
	for _, size := range []int{1, 3, qr.MaxModuleSize} {
		data := drawPNG(t, symbol, size)
		if depth, colour := data[24], data[25]; depth != 1 || colour != 3 {
			t.Errorf("bit depth %d, colour type %d, want 1 and 3 (palette)", depth, colour)
		}
		img, err := png.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		side := (symbol.Size() + 2*qr.QuietZone) * size
		if b := img.Bounds(); b.Dx() != side || b.Dy() != side {
			t.Fatalf("picture of %v, want %d", b, side)
		}
		for y := range side {
			for x := range side {
				r, _, _, _ := img.At(x, y).RGBA()
				if (r == 0) != symbol.Black(x/size-qr.QuietZone, y/size-qr.QuietZone) {
					t.Fatalf("module size %d: pixel (%d,%d) has the wrong colour", size, x, y)
				}
			}
		}
	}
	for _, size := range []int{-1, 0, qr.MaxModuleSize + 1} {
		wantCode(t, symbol.PNG(io.Discard, size), qr.CodeBadModuleSize)
	}
}

func TestSVGShowsTheModules(t *testing.T) {
	symbol := encode(t, reference, qr.M)
	var b bytes.Buffer
	if err := symbol.SVG(&b); err != nil {
		t.Fatal(err)
	}
	var svg struct {
		XMLName xml.Name `xml:"http://www.w3.org/2000/svg svg"`
		ViewBox string   `xml:"viewBox,attr"`
		Rect    struct {
			Width int    `xml:"width,attr"`
			Fill  string `xml:"fill,attr"`
		} `xml:"rect"`
		Path []struct {
			D    string `xml:"d,attr"`
			Fill string `xml:"fill,attr"`
		} `xml:"path"`
	}
	decoder := xml.NewDecoder(&b)
	if err := decoder.Decode(&svg); err != nil {
		t.Fatal(err)
	}
	if _, err := decoder.Token(); err == nil && strings.TrimSpace(b.String()) != "" {
		t.Errorf("something follows the image")
	}
	side := symbol.Size() + 2*qr.QuietZone
	if want := fmt.Sprintf("0 0 %d %d", side, side); svg.ViewBox != want || svg.Rect.Width != side || svg.Rect.Fill != "#fff" {
		t.Errorf("view box %q, background %+v, want %q and white", svg.ViewBox, svg.Rect, want)
	}
	if len(svg.Path) != 1 || svg.Path[0].Fill != "#000" {
		t.Fatalf("paths: %+v", svg.Path)
	}
	dark := map[[2]int]bool{}
	rest := regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1h-(\d+)z`).ReplaceAllStringFunc(svg.Path[0].D, func(run string) string {
		var x, y, right, left int
		if _, err := fmt.Sscanf(run, "M%d %dh%dv1h-%dz", &x, &y, &right, &left); err != nil || right != left {
			t.Errorf("bad run %q: %v", run, err)
		}
		for i := range right {
			dark[[2]int{x + i - qr.QuietZone, y - qr.QuietZone}] = true
		}
		return ""
	})
	if rest != "" {
		t.Errorf("path has %q besides", rest)
	}
	compare(t, symbol, func(x, y int) bool { return dark[[2]int{x, y}] })
}

func TestTerminalShowsTheModules(t *testing.T) {
	symbol := encode(t, reference, qr.M)
	var b bytes.Buffer
	if err := symbol.Terminal(&b); err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, line := range strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n") {
		inner, opened := strings.CutPrefix(line, "\x1b[38;5;16;48;5;231m")
		inner, closed := strings.CutSuffix(inner, "\x1b[0m")
		if !opened || !closed || strings.Contains(inner, "\x1b") {
			t.Fatalf("line %q does not set and reset its colours", line)
		}
		rows = append(rows, strings.NewReplacer("▀", "X.", "▄", ".X", "█", "XX", " ", "..").Replace(inner))
	}
	side := symbol.Size() + 2*qr.QuietZone
	if len(rows) != (side+1)/2 || len(rows[0]) != 2*side {
		t.Fatalf("%d lines of %d columns, want %d of %d", len(rows), len(rows[0])/2, (side+1)/2, side)
	}
	compare(t, symbol, func(x, y int) bool {
		x, y = x+qr.QuietZone, y+qr.QuietZone
		return rows[y/2][2*x+y%2] == 'X'
	})
}

// compare checks the modules of a drawing, the quiet zone included.
func compare(t *testing.T, s *qr.Symbol, dark func(x, y int) bool) {
	t.Helper()
	for y := -qr.QuietZone; y < s.Size()+qr.QuietZone; y++ {
		for x := -qr.QuietZone; x < s.Size()+qr.QuietZone; x++ {
			if dark(x, y) != s.Black(x, y) {
				t.Fatalf("module (%d,%d) has the wrong colour", x, y)
			}
		}
	}
}

type full struct{}

var errFull = errors.New("disk full")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestWriteErrors(t *testing.T) {
	symbol := encode(t, reference, qr.M)
	for name, err := range map[string]error{
		"PNG": symbol.PNG(full{}, 4), "SVG": symbol.SVG(full{}), "terminal": symbol.Terminal(full{}),
	} {
		if !errors.Is(err, errFull) {
			t.Errorf("%s: %v, want the writer's error", name, err)
		}
	}
}
