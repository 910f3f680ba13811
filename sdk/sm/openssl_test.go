package sm

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// openssl runs OpenSSL's command in a directory of its own, where files come and
// go by name. It is the independent party of these tests, so it must be there.
type openssl struct {
	t   *testing.T
	dir string
}

func newOpenSSL(t *testing.T) openssl {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Fatal("these tests need the openssl command, version 3.0 or newer, in the PATH: ", err)
	}
	return openssl{t, t.TempDir()}
}

func (o openssl) write(name string, data []byte) {
	o.t.Helper()
	if err := os.WriteFile(filepath.Join(o.dir, name), data, 0o600); err != nil {
		o.t.Fatal(err)
	}
}

func (o openssl) read(name string) []byte {
	o.t.Helper()
	data, err := os.ReadFile(filepath.Join(o.dir, name))
	if err != nil {
		o.t.Fatal(err)
	}
	return data
}

// try reports the command's success.
func (o openssl) try(args ...string) (output []byte, err error) {
	cmd := exec.Command("openssl", args...)
	cmd.Dir = o.dir
	return cmd.CombinedOutput()
}

func (o openssl) run(args ...string) {
	o.t.Helper()
	if output, err := o.try(args...); err != nil {
		o.t.Fatalf("openssl %q: %v\n%s", args, err, output)
	}
}

const distid = "distid:" + DefaultID

func TestOpenSSLVerifiesOurSignatures(t *testing.T) {
	o := newOpenSSL(t)
	k := generate(t)
	msg := []byte("证照存证 head")
	der, err := SignatureToDER(sign(t, k, msg))
	if err != nil {
		t.Fatal(err)
	}
	o.write("pub.pem", k.Public().PEM())
	o.write("msg", msg)
	o.write("changed", append(msg, '.'))
	o.write("sig", der)
	o.run("dgst", "-sm3", "-verify", "pub.pem", "-sigopt", distid, "-signature", "sig", "msg")
	if _, err := o.try("dgst", "-sm3", "-verify", "pub.pem", "-sigopt", distid, "-signature", "sig", "changed"); err == nil {
		t.Error("OpenSSL verifies another message")
	}
	if _, err := o.try("dgst", "-sm3", "-verify", "pub.pem", "-sigopt", "distid:another", "-signature", "sig", "msg"); err == nil {
		t.Error("OpenSSL verifies under another id")
	}
}

func TestWeVerifyOpenSSLsSignatures(t *testing.T) {
	o := newOpenSSL(t)
	o.run("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:SM2", "-out", "key.pem")
	o.run("pkey", "-in", "key.pem", "-pubout", "-out", "pub.pem")
	msg := []byte("head of a batch")
	o.write("msg", msg)
	pub, err := ParsePublicKeyPEM(o.read("pub.pem"))
	if err != nil {
		t.Fatal(err)
	}
	signature := func(id string) []byte {
		o.run("dgst", "-sm3", "-sign", "key.pem", "-sigopt", "distid:"+id, "-out", "sig", "msg")
		sig, err := SignatureFromDER(o.read("sig"))
		if err != nil {
			t.Fatal(err)
		}
		return sig
	}
	sig := signature(DefaultID)
	if !pub.Verify(msg, sig) || !pub.VerifySecondOpinion(msg, sig) {
		t.Error("OpenSSL's signature is refused")
	}
	if pub.Verify(append(msg, '.'), sig) {
		t.Error("OpenSSL's signature passes for another message")
	}
	if sig = signature("ALICE123@YAHOO.COM"); !pub.VerifyWithID("ALICE123@YAHOO.COM", msg, sig) || pub.Verify(msg, sig) {
		t.Error("OpenSSL's signature under another id")
	}
}

func TestOpenSSLReadsOurKeys(t *testing.T) {
	o := newOpenSSL(t)
	k := generate(t)
	encrypted, err := k.EncryptedPEM([]byte("geheim"))
	if err != nil {
		t.Fatal(err)
	}
	o.write("plain.pem", k.PEM())
	o.write("encrypted.pem", encrypted)
	o.write("pub.pem", k.Public().PEM())
	o.run("pkey", "-in", "plain.pem", "-check", "-pubout", "-outform", "DER", "-out", "from-plain")
	o.run("pkey", "-in", "encrypted.pem", "-passin", "pass:geheim", "-check", "-pubout", "-outform", "DER", "-out", "from-encrypted")
	o.run("pkey", "-pubin", "-in", "pub.pem", "-pubcheck", "-pubout", "-outform", "DER", "-out", "from-public")
	for _, name := range []string{"from-plain", "from-encrypted", "from-public"} {
		if !bytes.HasSuffix(o.read(name), k.Public().SPKI()) { // -check prints a line before it
			t.Errorf("%s is another public key", name)
		}
	}
	o.run("pkcs8", "-topk8", "-nocrypt", "-in", "encrypted.pem", "-passin", "pass:geheim", "-outform", "DER", "-out", "pkcs8")
	if !bytes.Equal(o.read("pkcs8"), k.PKCS8()) {
		t.Error("OpenSSL's PKCS#8 of our key is another")
	}
	if _, err := o.try("pkey", "-in", "encrypted.pem", "-passin", "pass:wrong", "-noout"); err == nil {
		t.Error("OpenSSL decrypts our key with another password")
	}
}

func TestWeReadOpenSSLsKeys(t *testing.T) {
	o := newOpenSSL(t)
	o.run("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:SM2", "-out", "plain.pem")
	o.run("pkcs8", "-topk8", "-nocrypt", "-in", "plain.pem", "-outform", "DER", "-out", "pkcs8")
	o.run("pkey", "-in", "plain.pem", "-pubout", "-out", "pub.pem")
	o.run("pkey", "-in", "plain.pem", "-pubout", "-outform", "DER", "-out", "spki")
	k, err := ParsePrivateKeyPEM(o.read("plain.pem"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(k.PKCS8(), o.read("pkcs8")) || !bytes.Equal(k.PEM(), o.read("plain.pem")) || !bytes.Equal(k.Public().PEM(), o.read("pub.pem")) {
		t.Error("what we write of OpenSSL's key is not what OpenSSL writes")
	}
	if pub, err := ParsePublicKey(o.read("spki")); err != nil || !pub.Equal(k.Public()) {
		t.Errorf("OpenSSL's public key: %v", err)
	}
	for _, scheme := range []string{"sm4-cbc", "aes-128-cbc", "aes-256-cbc"} {
		o.run("pkcs8", "-topk8", "-in", "plain.pem", "-v2", scheme, "-passout", "pass:geheim", "-out", "encrypted.pem")
		if back, err := ParsePrivateKeyPEM(o.read("encrypted.pem"), []byte("geheim")); err != nil || !back.Public().Equal(k.Public()) {
			t.Errorf("%s: %v", scheme, err)
		}
		_, err := ParsePrivateKeyPEM(o.read("encrypted.pem"), []byte("wrong"))
		wantCode(t, err, CodeWrongPassword)
	}
	o.run("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "nist.pem")
	_, err = ParsePrivateKeyPEM(o.read("nist.pem"), nil)
	wantCode(t, err, CodeBadPrivateKey)
	o.run("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:SM2", "-pkeyopt", "ec_param_enc:explicit", "-out", "explicit.pem")
	_, err = ParsePrivateKeyPEM(o.read("explicit.pem"), nil)
	wantCode(t, err, CodeBadPrivateKey)
}

func TestEncryptionWithOpenSSL(t *testing.T) {
	o := newOpenSSL(t)
	k := generate(t)
	msg := []byte("an SM4 key")
	o.write("key.pem", k.PEM())
	o.write("pub.pem", k.Public().PEM())
	o.write("msg", msg)
	o.run("pkeyutl", "-encrypt", "-pubin", "-inkey", "pub.pem", "-in", "msg", "-out", "theirs")
	if plain, err := k.Decrypt(o.read("theirs")); err != nil || !bytes.Equal(plain, msg) {
		t.Errorf("OpenSSL's ciphertext: %q, %v", plain, err)
	}
	ours, err := k.Public().Encrypt(nil, msg)
	if err != nil {
		t.Fatal(err)
	}
	o.write("ours", ours)
	o.run("pkeyutl", "-decrypt", "-inkey", "key.pem", "-in", "ours", "-out", "plain")
	if !bytes.Equal(o.read("plain"), msg) {
		t.Errorf("OpenSSL decrypts ours to %q", o.read("plain"))
	}
}
