package paper_test

import (
	"bytes"
	"flag"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"
)

var update = flag.Bool("update", false, "make the pictures of the pages anew")

// run runs another program, which has to succeed.
func run(t testing.TB, name string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is needed as an independent reader: install it (%v)", name, err)
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v %s", name, err, stderr.String())
	}
	if name != "zbarimg" && stderr.Len() > 0 { // zbarimg complains where there is no message bus
		t.Fatalf("%s complains: %s", name, stderr.String())
	}
	return string(out)
}

func written(t testing.TB, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sheet.pdf")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// validPages has pdfcpu check the file, and strictly what it was before the presentation was attached (pdfcpu
// does not know dates that end in Z), and count its pages.
func validPages(t testing.TB, file []byte) int {
	t.Helper()
	api.DisableConfigDir()
	c := model.NewDefaultConfiguration()
	c.Offline = true
	if err := api.Validate(bytes.NewReader(file), c); err != nil {
		t.Fatalf("pdfcpu: not valid: %v", err)
	}
	n, err := api.PageCount(bytes.NewReader(file), c)
	if err != nil {
		t.Fatalf("pdfcpu: %v", err)
	}
	const end = "%%EOF\n"
	plain, _, _ := bytes.Cut(file, []byte(end))
	c.ValidationMode = model.ValidationStrict
	if err := api.Validate(bytes.NewReader(append(bytes.Clone(plain), end...)), c); err != nil {
		t.Fatalf("pdfcpu: not valid: %v", err)
	}
	return n
}

// allEmbedded makes sure that the file has its faces with it.
func allEmbedded(t testing.TB, path string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(run(t, "pdffonts", path)), "\n")
	if len(lines) != 4 {
		t.Errorf("%d fonts, want 2", len(lines)-2)
	}
	for _, l := range lines[2:] {
		columns := strings.Fields(l)
		if strings.Join(columns[1:5], " ") != "CID TrueType Identity-H yes" || columns[6] != "yes" {
			t.Errorf("font %s", l)
		}
	}
}

// textOf returns the text of the file without white space.
func textOf(t testing.TB, path string) string {
	t.Helper()
	return squeezed(run(t, "pdftotext", "-raw", path, "-"))
}

func squeezed(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
}

// attachment returns the one file that is attached.
func attachment(t testing.TB, path string) []byte {
	t.Helper()
	dir := t.TempDir()
	run(t, "pdfdetach", "-saveall", "-o", dir, path)
	b, err := os.ReadFile(filepath.Join(dir, "licence.cred"))
	if err != nil {
		t.Fatal(err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Fatalf("%d attachments, %v", len(files), err)
	}
	return b
}

// rendered returns the path of a picture of the first page.
func rendered(t testing.TB, path string, dotsPerInch int) string {
	t.Helper()
	stem := strings.TrimSuffix(path, ".pdf")
	run(t, "pdftoppm", "-r", strconv.Itoa(dotsPerInch), "-f", "1", "-l", "1", "-gray", "-png", "-singlefile", path, stem)
	return stem + ".png"
}

// looksLike compares a picture with the one that is kept: in no square of 8 dots may the mean differ much.
func looksLike(t testing.TB, path, kept string) {
	t.Helper()
	if *update {
		b, err := os.ReadFile(path)
		if err == nil {
			err = os.WriteFile(kept, b, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	got, want := picture(t, path), picture(t, kept)
	if got.Bounds() != want.Bounds() {
		t.Fatalf("%v, want %v", got.Bounds(), want.Bounds())
	}
	const side, tolerance = 8, 12
	for y := 0; y < want.Bounds().Dy(); y += side {
		for x := 0; x < want.Bounds().Dx(); x += side {
			if a, b := mean(got, x, y, side), mean(want, x, y, side); max(a-b, b-a) > tolerance {
				t.Fatalf("at %d, %d it looks different: %d, was %d (see %s; -update keeps the new picture)", x, y, a, b, kept)
			}
		}
	}
}

func picture(t testing.TB, path string) image.Image {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// mean is the mean of the grey values of a square, 0 to 255.
func mean(m image.Image, x, y, side int) int {
	sum := 0
	for dy := range side {
		for dx := range side {
			sum += int(color.GrayModel.Convert(m.At(x+dx, y+dy)).(color.Gray).Y)
		}
	}
	return sum / (side * side)
}
