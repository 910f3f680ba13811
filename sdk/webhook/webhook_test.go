package webhook

import (
	"bytes"
	"encoding/base64"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/sm"
)

var (
	old    = Secret{1, 2, 3}
	secret = Secret{4, 5, 6}
	sent   = time.Unix(1795330800, 0)
	body   = []byte(`{"type":"licence.status","at":"2026-11-22T07:00:00Z","ledger":"` + strings.Repeat("0", 64) + `","department":"civil-affairs",` +
		`"licence":{"id":7,"type":"marriage","root":"` + strings.Repeat("1", 64) + `","index":3,"digest":"` + strings.Repeat("2", 64) + `"},` +
		`"status":{"from":"active","to":"revoked","effective":"2026-11-22","sequence":1,"block":9}}`)
	messageID = ID{0xa, 0xb}
)

func message(secrets ...Secret) http.Header {
	h := http.Header{}
	Sign(h, secrets, messageID, sent, body)
	return h
}

func TestVerify(t *testing.T) {
	for name, test := range map[string]struct {
		signed, known []Secret
	}{
		"one secret":                   {[]Secret{secret}, []Secret{secret}},
		"the sender has another too":   {[]Secret{old, secret}, []Secret{secret}},
		"the receiver has another too": {[]Secret{old}, []Secret{secret, old}},
	} {
		id, event, err := Verify(test.known, message(test.signed...), body, sent.Add(time.Minute), NewMemory(time.Now))
		if err != nil || id != messageID || event.Type != LicenceStatus || event.Status.Sequence != 1 || event.Licence.ID != 7 || event.Licence.Digest[0] != 0x22 {
			t.Errorf("%s: %v, %+v, %v", name, id, event, err)
		}
	}
}

func TestVerifyRefuses(t *testing.T) {
	header := func(change func(http.Header)) http.Header {
		h := message(secret)
		change(h)
		return h
	}
	set := func(name, value string) http.Header { return header(func(h http.Header) { h.Set(name, value) }) }
	signature := message(secret).Get(HeaderSignature)
	mac := sm.HMAC(secret[:], nil)
	for name, test := range map[string]struct {
		code    string
		secrets []Secret
		header  http.Header
		body    []byte
		now     time.Time
	}{
		"another secret":     {code: CodeSignature, secrets: []Secret{old}},
		"no secret":          {code: CodeSignature, secrets: []Secret{}},
		"another body":       {code: CodeSignature, body: append([]byte(" "), body...)},
		"another id":         {code: CodeSignature, header: set(HeaderID, strings.Repeat("0", 32))},
		"another time":       {code: CodeSignature, header: set(HeaderTimestamp, "1795330801")},
		"another scheme":     {code: CodeSignature, header: set(HeaderSignature, "v1,"+strings.TrimPrefix(signature, scheme))},
		"another MAC":        {code: CodeSignature, header: set(HeaderSignature, scheme+base64.StdEncoding.EncodeToString(mac[:]))},
		"half a MAC":         {code: CodeSignature, header: set(HeaderSignature, signature[:len(scheme)+20])},
		"too many":           {code: CodeSignature, header: set(HeaderSignature, strings.Repeat("x ", maxSignatures)+signature)},
		"no id":              {code: CodeMalformed, header: header(func(h http.Header) { h.Del(HeaderID) })},
		"two ids":            {code: CodeMalformed, header: header(func(h http.Header) { h.Add(HeaderID, messageID.String()) })},
		"no signature":       {code: CodeMalformed, header: header(func(h http.Header) { h.Del(HeaderSignature) })},
		"an id in capitals":  {code: CodeMalformed, header: set(HeaderID, strings.ToUpper(messageID.String()))},
		"a time with a sign": {code: CodeMalformed, header: set(HeaderTimestamp, "+1795330800")},
		"a long body":        {code: CodeMalformed, body: make([]byte, MaxBody+1)},
		"an old one":         {code: CodeTime, now: sent.Add(Tolerance + time.Second)},
		"one to come":        {code: CodeTime, now: sent.Add(-Tolerance - time.Second)},
	} {
		if test.secrets == nil {
			test.secrets = []Secret{secret}
		}
		if test.header == nil {
			test.header = message(secret)
		}
		if test.body == nil {
			test.body = body
		}
		if test.now.IsZero() {
			test.now = sent
		}
		if _, event, err := Verify(test.secrets, test.header, test.body, test.now, NewMemory(time.Now)); Code(err) != test.code || event != nil {
			t.Errorf("%s: %v, %v", name, err, event)
		}
	}
}

// Every bit of a message counts.
func TestVerifyMangled(t *testing.T) {
	for i := range body {
		changed := bytes.Clone(body)
		changed[i] ^= 1
		if _, _, err := Verify([]Secret{secret}, message(secret), changed, sent, NewMemory(time.Now)); Code(err) != CodeSignature {
			t.Errorf("byte %d: %v", i, err)
		}
	}
}

func TestReplay(t *testing.T) {
	now := sent
	memory := NewMemory(func() time.Time { return now })
	verify := func() error {
		id, event, err := Verify([]Secret{secret}, message(secret), body, now, memory)
		if Code(err) == CodeReplayed && (id != messageID || event != nil) {
			t.Errorf("%v, %v", id, event)
		}
		return err
	}
	if err := verify(); err != nil {
		t.Error(err)
	}
	for _, later := range []time.Duration{0, time.Minute, Tolerance} {
		now = sent.Add(later)
		if err := verify(); Code(err) != CodeReplayed {
			t.Errorf("after %v: %v", later, err)
		}
	}
	now = sent.Add(Tolerance + time.Second)
	if err := verify(); Code(err) != CodeTime {
		t.Errorf("after that: %v", err)
	}
	// What need not be remembered is forgotten.
	for i := range 1000 {
		now = now.Add(time.Minute)
		if before, err := memory.Seen(ID{byte(i), byte(i >> 8), 1}, now.Add(Tolerance)); before || err != nil {
			t.Fatal(before, err)
		}
	}
	if len(memory.until) > 20 {
		t.Errorf("%d are remembered", len(memory.until))
	}
	failing := seenFunc(func() (bool, error) { return false, errors.New("no table") })
	if _, event, err := Verify([]Secret{secret}, message(secret), body, sent, failing); err == nil || Code(err) != "" || event != nil {
		t.Errorf("a memory that fails: %v, %v", err, event)
	}
}

type seenFunc func() (bool, error)

func (f seenFunc) Seen(ID, time.Time) (bool, error) { return f() }

// Another implementation makes the same MAC.
func TestOpenSSL(t *testing.T) {
	file := filepath.Join(t.TempDir(), "signed")
	signed := messageID.String() + "." + timestamp(sent) + "." + string(body)
	if err := os.WriteFile(file, []byte(signed), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("openssl", "mac", "-digest", "SM3", "-macopt", "hexkey:"+secret.Text(), "-in", file, "HMAC").Output()
	if err != nil {
		t.Fatalf("this test needs openssl with SM3: %v", err)
	}
	mac := secret.mac(messageID.String(), timestamp(sent), body)
	if got := strings.ToLower(strings.TrimSpace(string(out))); got != mac.String() {
		t.Errorf("openssl makes %s, this package %s", got, mac)
	}
}

func TestSecrets(t *testing.T) {
	a, b := NewSecret(), NewSecret()
	if a == b {
		t.Error("two secrets are the same")
	}
	got, err := ParseSecrets([]byte(a.Text() + "\r\n\n " + strings.ToUpper(b.Text())))
	if err != nil || len(got) != 2 || got[0] != a || got[1] != b {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{"", "\n", "abc", a.Text()[2:], a.Text() + a.Text(), strings.Repeat(a.Text()+"\n", 3), a.Text() + "\nabc"} {
		if got, err := ParseSecrets([]byte(bad)); Code(err) != CodeSecret || got != nil {
			t.Errorf("%.20q: %v, %v", bad, got, err)
		} else if strings.Contains(err.Error(), a.Text()) {
			t.Error("the error has the secret")
		}
	}
}

func TestEvents(t *testing.T) {
	licence := &Licence{ID: 1, Type: "marriage", Root: sm.Hash{1}, Index: 2}
	at := time.Unix(1795330800, 0).UTC()
	for _, e := range []Event{
		{Type: LicenceStatus, Licence: licence, Status: &Status{From: "active", To: "suspended", Effective: "2026-11-22", Sequence: 1, Block: 2}},
		{Type: LicenceRestriction, Licence: licence, Restriction: &Restriction{ID: strings.Repeat("0", 32), Lifted: true, Effective: "2026-11-22", Sequence: 2}},
		{Type: LicenceExpiring, Licence: licence, Expiring: &Expiring{ValidUntil: "2026-12-31"}},
		{Type: JobDone, Job: &Job{ID: 4, Kind: "issue", Records: 3, Accepted: 2, Rejected: 1}},
		{Type: "what.is.to.come"},
	} {
		e.At, e.Department = at, "civil-affairs"
		b, err := e.JSON()
		if err != nil || len(b) > MaxBody {
			t.Fatal(err)
		}
		got, err := ParseEvent(b)
		if err != nil {
			t.Errorf("%s: %v", b, err)
			continue
		}
		if again, _ := got.JSON(); !bytes.Equal(again, b) {
			t.Errorf("%s is read as %s", b, again)
		}
	}
	for _, bad := range []string{``, `null`, `{}`, `[]`, `{"type":"licence.status"}`, strings.Replace(string(body), `"status":{`, `"other":{`, 1),
		strings.Replace(string(body), `"licence":{`, `"other":{`, 1), string(body) + "{}", strings.Replace(string(body), `"index":3`, `"index":-3`, 1)} {
		if _, err := ParseEvent([]byte(bad)); Code(err) != CodeMalformed {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func FuzzParseEvent(f *testing.F) {
	f.Add(body)
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := ParseEvent(b)
		if err != nil {
			return
		}
		text, err := e.JSON()
		if err != nil {
			return // a year that RFC 3339 does not have
		}
		again, err := ParseEvent(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if twice, _ := again.JSON(); !bytes.Equal(twice, text) {
			t.Errorf("%s, then %s", text, twice)
		}
	})
}
