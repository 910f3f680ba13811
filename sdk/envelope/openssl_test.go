package envelope_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/credledger/credledger/sdk/envelope"
	"github.com/credledger/credledger/sdk/internal/dcbor"
	"github.com/credledger/credledger/sdk/sm"
)

// openssl is an implementation of its own of SM2 and SM4: it decrypts and encrypts what it is told to.
// Of GCM its command line has nothing, so that is put together here from SM4 in counter mode.
type openssl struct {
	*testing.T
	dir string
}

func newOpenSSL(t *testing.T) openssl {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Fatal("this test needs the openssl command, version 3.0 or newer, in the PATH: ", err)
	}
	o := openssl{t, t.TempDir()}
	o.write("key.pem", recipient.PEM())
	o.write("pub.pem", recipient.Public().PEM())
	return o
}

func (o openssl) write(name string, b []byte) {
	o.Helper()
	if err := os.WriteFile(filepath.Join(o.dir, name), b, 0o600); err != nil {
		o.Fatal(err)
	}
}

// run passes bytes through a command.
func (o openssl) run(in []byte, args ...string) []byte {
	o.Helper()
	o.write("in", in)
	command := exec.Command("openssl", append(args, "-in", "in", "-out", "out")...)
	command.Dir = o.dir
	if text, err := command.CombinedOutput(); err != nil {
		o.Fatalf("openssl %q: %v\n%s", args, err, text)
	}
	out, err := os.ReadFile(filepath.Join(o.dir, "out"))
	if err != nil {
		o.Fatal(err)
	}
	return out
}

func (o openssl) block(secret, in []byte) []byte {
	return o.run(in, "enc", "-sm4-ecb", "-nopad", "-K", hex.EncodeToString(secret[:16]))
}

// counter encrypts, which is decrypting too, from the second block of GCM on (NIST SP 800-38D, 7.1).
func (o openssl) counter(secret, in []byte) []byte {
	iv := binary.BigEndian.AppendUint32(bytes.Clone(secret[16:]), 2)
	return o.run(in, "enc", "-sm4-ctr", "-nopad", "-K", hex.EncodeToString(secret[:16]), "-iv", hex.EncodeToString(iv))
}

// tag is that of GCM over a ciphertext.
func (o openssl) tag(secret, ciphertext, aad []byte) []byte {
	h := o.block(secret, make([]byte, 16))
	out := o.block(secret, binary.BigEndian.AppendUint32(bytes.Clone(secret[16:]), 1))
	blocks := append(padded(aad), padded(ciphertext)...)
	blocks = binary.BigEndian.AppendUint64(blocks, uint64(len(aad))*8)
	blocks = binary.BigEndian.AppendUint64(blocks, uint64(len(ciphertext))*8)
	y := make([]byte, 16)
	for ; len(blocks) > 0; blocks = blocks[16:] {
		for i := range y {
			y[i] ^= blocks[i]
		}
		y = product(y, h)
	}
	for i := range out {
		out[i] ^= y[i]
	}
	return out
}

func padded(b []byte) []byte { return append(bytes.Clone(b), make([]byte, (16-len(b)%16)%16)...) }

// product multiplies in the field of GCM, bit by bit (NIST SP 800-38D, 6.3).
func product(x, y []byte) []byte {
	hi, lo := binary.BigEndian.Uint64(y), binary.BigEndian.Uint64(y[8:])
	var zh, zl uint64
	for i := range 128 {
		if x[i/8]>>(7-i%8)&1 == 1 {
			zh, zl = zh^hi, zl^lo
		}
		carry := lo & 1
		hi, lo = hi>>1, lo>>1|hi<<63
		hi ^= carry * 0xe1 << 56
	}
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, zh), zl)
}

func TestOpenSSLOpensOurs(t *testing.T) {
	o := newOpenSSL(t)
	want := bytes.Repeat([]byte("证照 "), 30)
	sealed := seal(t, want)
	p := take(t, sealed)
	secret := o.run(p.key, "pkeyutl", "-decrypt", "-inkey", "key.pem")
	if len(secret) != 28 {
		t.Fatalf("the secret has %d bytes", len(secret))
	}
	ciphertext, tag := p.contents[:len(p.contents)-16], p.contents[len(p.contents)-16:]
	if got := o.counter(secret, ciphertext); !bytes.Equal(got, want) {
		t.Errorf("OpenSSL reads %q", got)
	}
	header := sealed[:len(sealed)-len(dcbor.AppendBytes(nil, p.contents))]
	if got := o.tag(secret, ciphertext, header); !bytes.Equal(got, tag) {
		t.Errorf("the tag is %x, by OpenSSL %x", tag, got)
	}
}

func TestWeOpenOpenSSLs(t *testing.T) {
	o := newOpenSSL(t)
	want, secret := []byte("made with OpenSSL alone"), []byte("sixteen bytes ky12 bytes iv.")
	id := recipient.Public().ID()
	p := parts{version: 1, recipient: id[:], kind: "text/plain", key: o.run(secret, "pkeyutl", "-encrypt", "-pubin", "-inkey", "pub.pem")}
	p.contents = nil
	header := bytes.TrimSuffix(p.bytes(), []byte{0x40}) // the contents' head, of a length that is not known yet
	ciphertext := o.counter(secret, want)
	p.contents = append(ciphertext, o.tag(secret, ciphertext, header)...)
	if got, err := open(p.bytes(), recipient); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%q, %v", got, err)
	}
}

// A key in a hardware module is as good as one in memory.
func TestAnyDecrypterOpens(t *testing.T) {
	module := &counting{key: recipient}
	if got, err := open(seal(t, []byte("x")), module); err != nil || string(got) != "x" || module.calls != 1 {
		t.Errorf("%q, %v, after %d calls", got, err, module.calls)
	}
	if _, err := open(seal(t, []byte("x")), &counting{key: recipient, broken: true}); envelope.Code(err) != envelope.CodeAltered {
		t.Errorf("%v", err)
	}
}

type counting struct {
	key    *sm.PrivateKey
	calls  int
	broken bool
}

func (c *counting) Public() *sm.PublicKey { return c.key.Public() }

func (c *counting) Decrypt(b []byte) ([]byte, error) {
	if c.calls++; c.broken {
		return nil, &sm.Error{Code: sm.CodeDecryptionFailed}
	}
	return c.key.Decrypt(b)
}
