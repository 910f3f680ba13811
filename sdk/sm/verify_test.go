package sm

import (
	"bytes"
	"encoding/base64"
	"math/big"
	"strings"
	"sync"
	"testing"

	emmansun "github.com/emmansun/gmsm/sm2"
	tjfoc "github.com/tjfoc/gmsm/sm2"
)

func TestStandardSignature(t *testing.T) {
	v, k := standardSignature(t)
	pub := k.Public()
	msg := []byte(v.Message)
	if !bytes.Equal(pub.Bytes(), v.Public) {
		t.Fatalf("public key %x", pub.Bytes())
	}
	if !bytes.Equal(pub.z[:], v.Z) {
		t.Errorf("Z = %s", pub.z)
	}
	if e := sumParts(pub.z[:], msg); !bytes.Equal(e[:], v.E) {
		t.Errorf("e = %s", e)
	}
	if v.ID != DefaultID || !pub.Verify(msg, v.rs()) || !pub.VerifyWithID(v.ID, msg, v.rs()) || !pub.VerifySecondOpinion(msg, v.rs()) {
		t.Error("the standard's signature is refused")
	}
	der, err := SignatureToDER(v.rs())
	if err != nil || !bytes.Equal(der, v.DER) {
		t.Errorf("SignatureToDER = %x, %v", der, err)
	}
	rs, err := SignatureFromDER(v.DER)
	if err != nil || !bytes.Equal(rs, v.rs()) {
		t.Errorf("SignatureFromDER = %x, %v", rs, err)
	}

	// The engine mixes the key into every nonce, so the standard's k can be
	// forced in the other library only: it reads 40 bytes and adds 1.
	d := &tjfoc.PrivateKey{PublicKey: *tjfocKey(pub), D: new(big.Int).SetBytes(v.D)}
	kMinus1 := new(big.Int).Sub(new(big.Int).SetBytes(v.K), big.NewInt(1)).FillBytes(make([]byte, 40))
	r, s, err := tjfoc.Sm2Sign(d, msg, []byte(DefaultID), bytes.NewReader(kMinus1))
	if err != nil || !bytes.Equal(append(bytes32(r), bytes32(s)...), v.rs()) {
		t.Errorf("with the standard's k: r %x, s %x, %v", r, s, err)
	}
}

func TestPrehashedSignatures(t *testing.T) {
	file := load[struct {
		Vectors []struct {
			Source, PKCS8 string
			SPKI, E, DER  hexBytes
		}
	}](t, "sm2_prehash.json")
	for i, v := range file.Vectors {
		var pub *PublicKey
		var err error
		if v.PKCS8 != "" {
			pub = parsePKCS8(t, v.PKCS8).Public()
		} else if pub, err = ParsePublicKey(v.SPKI); err != nil {
			t.Fatal(err)
		}
		sig, err := SignatureFromDER(v.DER)
		if err != nil {
			t.Fatalf("vector %d: %v", i, err)
		}
		e := Hash(v.E)
		if !pub.verifyPrehashed(&e, sig) {
			t.Errorf("vector %d (%s) is refused", i, v.Source)
		}
		if !secondOpinion(tjfocKey(pub), e[:], sig) {
			t.Errorf("vector %d (%s) is refused by the second opinion", i, v.Source)
		}
		e[31] ^= 1
		if pub.verifyPrehashed(&e, sig) || secondOpinion(tjfocKey(pub), e[:], sig) {
			t.Errorf("vector %d passes with another digest", i)
		}
	}
}

func parsePKCS8(t *testing.T, b64 string) *PrivateKey {
	t.Helper()
	der, err := base64.StdEncoding.DecodeString(b64)
	if err != nil {
		t.Fatal(err)
	}
	k, err := ParsePrivateKey(der)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

type negativeFile struct {
	Source     string
	Signatures []struct {
		Name       string
		DER        hexBytes
		WellFormed bool     `json:"well_formed"` // right in form, wrong in value
		RS         hexBytes // low 32 bytes of each; absent where only the DER is wrong
	}
	Forgery struct {
		Comment     string
		Public, DER hexBytes
	}
}

func TestNegativeSignatures(t *testing.T) {
	v, k := standardSignature(t)
	pub, msg := k.Public(), []byte(v.Message)
	file := load[negativeFile](t, "sm2_negative.json")
	if len(file.Signatures) != 15 {
		t.Fatalf("%d negative signatures", len(file.Signatures))
	}
	for _, n := range file.Signatures {
		sig, err := SignatureFromDER(n.DER)
		if n.WellFormed {
			if err != nil || !bytes.Equal(sig, n.RS) {
				t.Errorf("%s: SignatureFromDER = %x, %v", n.Name, sig, err)
			}
		} else {
			wantCode(t, err, CodeBadSignature)
		}
		if n.RS == nil {
			continue
		}
		if pub.Verify(msg, n.RS) || pub.VerifyWithID(DefaultID, msg, n.RS) {
			t.Errorf("%s: r||s passes", n.Name)
		}
		if pub.VerifySecondOpinion(msg, n.RS) {
			t.Errorf("%s: r||s passes the second opinion", n.Name)
		}
	}
	_, err := NewPublicKey(file.Forgery.Public)
	wantCode(t, err, CodeBadPublicKey)
	_, err = ParsePublicKey(append(bytes.Clone(spkiPrefix), file.Forgery.Public...))
	wantCode(t, err, CodeBadPublicKey)
}

// One bit changed anywhere in signature, message or key, and each other length
// of signature, is refused.
func TestEveryBitOfASignatureCounts(t *testing.T) {
	k, other := generate(t), generate(t)
	pub, msg := k.Public(), []byte("head of a batch")
	sig := sign(t, k, msg)
	if !pub.Verify(msg, sig) {
		t.Fatal("a fresh signature is refused")
	}
	for i := range 8 * len(sig) {
		if pub.Verify(msg, withChange(sig, i/8, 1<<(i%8))) {
			t.Errorf("passes with bit %d of the signature changed", i)
		}
	}
	for i := range 8 * len(msg) {
		if pub.Verify(withChange(msg, i/8, 1<<(i%8)), sig) {
			t.Errorf("passes with bit %d of the message changed", i)
		}
	}
	for n := range 2 * len(sig) {
		if n != len(sig) && pub.Verify(msg, append(bytes.Clone(sig), sig...)[:n]) {
			t.Errorf("passes with %d bytes of signature", n)
		}
	}
	der, err := SignatureToDER(sig)
	if err != nil {
		t.Fatal(err)
	}
	if pub.Verify(msg, der) || pub.Verify(msg, nil) || pub.Verify(nil, sig) || other.Public().Verify(msg, sig) {
		t.Error("passes in DER, without signature, without message, or under another key")
	}
	if new(PublicKey).Verify(msg, sig) || (*PublicKey)(nil).Verify(msg, sig) || new(PublicKey).VerifyWithID(DefaultID, msg, sig) || new(PublicKey).VerifySecondOpinion(msg, sig) {
		t.Error("the zero key verifies")
	}
}

func TestVerifyWithID(t *testing.T) {
	k := generate(t)
	msg := []byte("message digest")
	longest := strings.Repeat("x", MaxIDSize)
	for _, id := range []string{"a", "ALICE123@YAHOO.COM", "证照", DefaultID, longest} {
		der, err := k.engine.SignWithSM2(randomness(nil), []byte(id), msg)
		if err != nil {
			t.Fatal(err)
		}
		sig, err := SignatureFromDER(der)
		if err != nil {
			t.Fatal(err)
		}
		if !k.Public().VerifyWithID(id, msg, sig) {
			t.Errorf("refused under its id of %d bytes", len(id))
		}
		if k.Public().VerifyWithID(id+"x", msg, sig) || k.Public().VerifyWithID("", msg, sig) {
			t.Errorf("passes under another id than that of %d bytes", len(id))
		}
		if k.Public().Verify(msg, sig) != (id == DefaultID) {
			t.Errorf("Verify of a signature under an id of %d bytes", len(id))
		}
	}
}

// Each library verifies what the other signed and refuses what it refuses.
func TestLibrariesAgree(t *testing.T) {
	for i := range 12 {
		k := generate(t)
		pub := k.Public()
		msg := bytes.Repeat([]byte{byte(i)}, 7*i)
		ours := sign(t, k, msg)
		d := &tjfoc.PrivateKey{PublicKey: *tjfocKey(pub), D: k.engine.D}
		r, s, err := tjfoc.Sm2Sign(d, msg, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		theirs := append(bytes32(r), bytes32(s)...)
		for name, sig := range map[string][]byte{"ours": ours, "theirs": theirs} {
			if !pub.Verify(msg, sig) || !pub.VerifySecondOpinion(msg, sig) {
				t.Errorf("%s is refused: key %x message %x signature %x", name, pub.Bytes(), msg, sig)
			}
			bad := withChange(sig, i, 1<<(i%8))
			if pub.Verify(msg, bad) || pub.VerifySecondOpinion(msg, bad) {
				t.Errorf("%s passes with a changed bit", name)
			}
		}
	}
}

// construct makes a signature (r, s) of a digest e that is valid for given
// scalars s and t = r+s, by choosing e last: R = sG + tP, r = t-s, e = r - x(R).
// It reports false where there is none.
func construct(pub *PublicKey, s, t *big.Int) (e Hash, sig []byte, ok bool) {
	c := emmansun.P256()
	r := new(big.Int).Sub(t, s)
	r.Mod(r, curveN)
	if r.Sign() == 0 || s.Sign() == 0 || t.Sign() == 0 {
		return Hash{}, nil, false
	}
	x1, y1 := c.ScalarBaseMult(bytes32(s))
	x2, y2 := c.ScalarMult(pub.engine.X, pub.engine.Y, bytes32(t))
	x, y := c.Add(x1, y1, x2, y2)
	if x.Sign() == 0 && y.Sign() == 0 {
		return Hash{}, nil, false
	}
	digest := new(big.Int).Sub(r, x)
	digest.Mod(digest, curveN)
	return Hash(bytes32(digest)), append(bytes32(r), bytes32(s)...), true
}

// Scalars at the edges of what the libraries' windows and reductions handle.
func TestEdgeScalars(t *testing.T) {
	pub := generate(t).Public()
	edges := []*big.Int{}
	for _, small := range []int64{1, 2, 3, 7, 8, 15, 16, 17, 31, 32, 33, 255, 256} {
		edges = append(edges, big.NewInt(small), new(big.Int).Sub(curveN, big.NewInt(small)))
	}
	for _, bit := range []uint{31, 32, 63, 64, 127, 128, 191, 192, 224, 255} {
		v := new(big.Int).Lsh(big.NewInt(1), bit)
		edges = append(edges, v, new(big.Int).Sub(v, big.NewInt(1)))
	}
	middle := number("0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF")
	check := func(s, tt *big.Int) {
		e, sig, ok := construct(pub, s, tt)
		if !ok {
			return
		}
		if !pub.verifyPrehashed(&e, sig) {
			t.Errorf("refused: key %x e %s signature %x", pub.xy, e, sig)
		}
		if !secondOpinion(tjfocKey(pub), e[:], sig) {
			t.Errorf("refused by the second opinion: key %x e %s signature %x", pub.xy, e, sig)
		}
	}
	for i, v := range edges {
		check(v, middle)
		check(middle, v)
		check(v, edges[(i+5)%len(edges)])
	}
}

// sG = tP is a doubling, which formulas for the sum of two different points get
// wrong. Only a key holder can bring it about, and only with a chosen digest.
func TestVerifyDoubling(t *testing.T) {
	k := generate(t)
	scalar := number("1234567890ABCDEF1234567890ABCDEF1234567890ABCDEF1234567890ABCDEF")
	s := new(big.Int).Mul(scalar, k.engine.D)
	s.Mod(s, curveN)
	e, sig, ok := construct(k.Public(), s, scalar)
	if !ok || !k.Public().verifyPrehashed(&e, sig) {
		t.Errorf("refused: d %x e %s signature %x", k.engine.D, e, sig)
	}
}

func TestConcurrentUse(t *testing.T) {
	k := generate(t)
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			msg := []byte{byte(i)}
			sig, err := k.Sign(msg)
			if err != nil || !k.Public().Verify(msg, sig) || !k.Public().VerifySecondOpinion(msg, sig) {
				t.Errorf("goroutine %d: %v", i, err)
			}
		})
	}
	group.Wait()
}
