package sm

import (
	"math/big"

	tjfoc "github.com/tjfoc/gmsm/sm2"
)

// VerifySecondOpinion is [PublicKey.Verify] done by the other library,
// tjfoc/gmsm, with the same strict checks of key and signature in front. It is
// for audits and tests: some twenty times slower, and the two must always
// agree.
//
// Where sG = ±tP that library gets the sum wrong and takes its x for 0, so that
// r = e mod n passes, which a signer can bring about on purpose. Such an r is
// refused here. No true signature has it: nobody knows a point of the curve
// with x mod n = 0 as a multiple of G.
func (k *PublicKey) VerifySecondOpinion(msg, sig []byte) bool {
	if k == nil || k.engine == nil || !wellFormed(sig) {
		return false
	}
	pub := &tjfoc.PublicKey{Curve: tjfoc.P256Sm2(), X: new(big.Int).SetBytes(k.xy[:coordinateSize]), Y: new(big.Int).SetBytes(k.xy[coordinateSize:])}
	e, err := pub.Sm3Digest(msg, []byte(DefaultID))
	if err != nil {
		return false
	}
	return secondOpinion(pub, e, sig)
}

// secondOpinion verifies with e given; sig is well formed.
func secondOpinion(pub *tjfoc.PublicKey, e, sig []byte) bool {
	r, s := new(big.Int).SetBytes(sig[:scalarSize]), new(big.Int).SetBytes(sig[scalarSize:])
	if em := new(big.Int).SetBytes(e); em.Mod(em, pub.Params().N).Cmp(r) == 0 {
		return false
	}
	return tjfoc.Verify(pub, e, r, s)
}
