package test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/credential/credentialtest"
	"github.com/credledger/credledger/sdk/qr"
	"github.com/credledger/credledger/sdk/qr/phototest"
)

// A show is one way of showing a licence in a self-contained code.
type show struct {
	name  string
	batch int
	all   bool // all fields, not the two of credentialtest.TwoFields
	prove bool // with a holder part
}

var shows = []show{
	{"2 fields, anchored alone", 1, false, false},
	{"2 fields, batch of 256", 256, false, false},
	{"all fields, batch of 4,096", 4096, true, false},
	{"2 fields, anchored alone, holder-bound", 1, false, true},
	{"2 fields, batch of 256, holder-bound", 256, false, true},
	{"all fields, batch of 4,096, holder-bound", 4096, true, true},
}

// mostCharacters is, for each type in the order of credentialtest.TypeIDs, the greatest number of characters
// that the code of a sample may take with a host of 30: the table of docs/SPEC.md. Signatures are
// random, so that the same licence takes a few characters more or fewer each time.
var mostCharacters = map[string][3]int{
	"2 fields, anchored alone":                 {650, 770, 840},
	"2 fields, batch of 256":                   {1050, 1160, 1240},
	"all fields, batch of 4,096":               {2020, 1780, 2150},
	"2 fields, anchored alone, holder-bound":   {1070, 1180, 1230},
	"2 fields, batch of 256, holder-bound":     {1480, 1590, 1650},
	"all fields, batch of 4,096, holder-bound": {2410, 2160, 2520},
}

// codes returns the codes of the forty samples of a type, shown in one way.
func codes(t *testing.T, typeID string, s show) []string {
	t.Helper()
	const samples = 40
	var batch *credential.Batch
	if s.batch > 1 {
		batch = credentialtest.Batch(t, typeID, s.batch)
	}
	documents := credentialtest.Documents(t, typeID)
	if len(documents) != samples {
		t.Fatalf("%d samples of %s, want %d", len(documents), typeID, samples)
	}
	var out []string
	for i, document := range documents {
		var p *credential.Presentation
		if s.batch == 1 {
			draft := credentialtest.Draft(t, document, fmt.Sprintf("%s %d alone", typeID, i))
			p = credentialtest.Sign(t, []*credential.Draft{draft}, credentialtest.Department(t, typeID)).Credential(0)
		} else {
			p = batch.Credential(i)
		}
		if !s.all {
			p = credentialtest.Disclose(t, p, credentialtest.TwoFields[typeID]...)
		}
		if s.prove {
			p = credentialtest.Prove(t, p)
		}
		text, err := credential.EncodeCode(credentialtest.Host, p)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, text)
	}
	return out
}

// The longest code of each type and way of showing it keeps its bound, and is read from its PNG and
// from a photo of it, by this module and by zbar.
func TestCodes(t *testing.T) {
	zbar, err := exec.LookPath("zbarimg")
	if err != nil {
		t.Fatal("zbarimg is needed to read codes with other software than ours: install zbar (Debian: zbar-tools)")
	}
	if len(credentialtest.Host) != 30 {
		t.Fatalf("the host has %d characters, want 30", len(credentialtest.Host))
	}
	for column, typeID := range credentialtest.TypeIDs {
		for _, s := range shows {
			t.Run(typeID+", "+s.name, func(t *testing.T) {
				t.Parallel()
				longest := ""
				for _, text := range codes(t, typeID, s) {
					if len(text) > len(longest) {
						longest = text
					}
				}
				if most := mostCharacters[s.name][column]; len(longest) > most {
					t.Errorf("%d characters, at most %d are allowed", len(longest), most)
				}
				symbol, err := qr.Encode(longest, qr.DefaultLevel(longest))
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("%d characters, QR version %d, level %v", len(longest), symbol.Version, symbol.Level)
				var png bytes.Buffer
				if err := symbol.PNG(&png, 4); err != nil {
					t.Fatal(err)
				}
				readBack(t, "PNG", png.Bytes(), longest)
				if got := readZbar(t, zbar, png.Bytes()); got != longest {
					t.Errorf("zbar reads %d characters from the PNG, not the %d of the code", len(got), len(longest))
				}
				readBack(t, "photo", phototest.Photo(symbol), longest)
				readPhotos(t, zbar, symbol, longest)
			})
		}
	}
}

// readBack reads a code from a picture with package qr.
func readBack(t *testing.T, name string, picture []byte, want string) {
	t.Helper()
	got, err := qr.Decode(bytes.NewReader(picture))
	if err != nil || got != want {
		t.Errorf("package qr reads %d characters from the %s, not the %d of the code (%v)", len(got), name, len(want), err)
	}
}

// readZbar reads a code from a picture with zbar; "" if it finds none.
func readZbar(t *testing.T, zbar string, picture []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "picture")
	if err := os.WriteFile(path, picture, 0o600); err != nil {
		t.Fatal(err)
	}
	out, _ := exec.Command(zbar, "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", path).Output()
	return strings.TrimSuffix(string(out), "\n")
}

// readPhotos has zbar read the standard photo. For about one code in 300 zbar is unlucky at a given
// distance, as a person notices who moves the camera a little; so does this.
func readPhotos(t *testing.T, zbar string, symbol *qr.Symbol, want string) {
	t.Helper()
	nearer, farther := phototest.Standard, phototest.Standard
	nearer.Side *= 1.02
	farther.Side *= 0.97
	for _, camera := range []phototest.Camera{phototest.Standard, farther, nearer} {
		if readZbar(t, zbar, camera.Photo(symbol)) == want {
			return
		}
		t.Logf("zbar does not read the photo in which the code is %.0f pixels wide", camera.Side)
	}
	t.Error("zbar reads none of the photos")
}

// The bounds that the project promises.
func TestCodesKeepTheirPromise(t *testing.T) {
	marriage := 1
	for _, c := range []struct {
		name   string
		column int
		most   int
	}{
		{"2 fields, anchored alone", marriage, 850},
		{"2 fields, batch of 256", marriage, 1250},
		{"all fields, batch of 4,096", 0, 2331},
		{"all fields, batch of 4,096", 1, 2331},
		{"all fields, batch of 4,096", 2, 2331},
	} {
		if got := mostCharacters[c.name][c.column]; got > c.most {
			t.Errorf("%s, %s: %d characters are allowed, %d were promised", credentialtest.TypeIDs[c.column], c.name, got, c.most)
		}
	}
}

// The table of SPEC is the one of this file.
func TestCodesInSpecification(t *testing.T) {
	b, err := os.ReadFile("../docs/SPEC.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range shows {
		row := "| " + s.name
		for column := range credentialtest.TypeIDs {
			row += " | " + thousands(mostCharacters[s.name][column])
		}
		if row += " |\n"; !strings.Contains(string(b), row) {
			t.Errorf("docs/SPEC.md does not have the row %s", row)
		}
	}
}

func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%d,%03d", n/1000, n%1000)
}
