// Package sm is the platform's GM (Chinese national) cryptography: SM2
// signatures and encryption, SM3, HMAC-SM3, SM4-GCM, and SM2 key files.
//
// It is the only package that imports a GM crypto library. The engine is
// github.com/emmansun/gmsm; github.com/tjfoc/gmsm is reachable through
// [PublicKey.VerifySecondOpinion] alone, as an independent check.
//
// One encoding for each thing, and nothing else is accepted:
//
//	hash        32 bytes; as text 64 lower-case hexadecimal digits
//	signature   64 bytes r||s, both big-endian; DER only at the edges
//	public key  91 bytes DER SubjectPublicKeyInfo, or 64 bytes x||y
//	key id      SM3 of the DER SubjectPublicKeyInfo
//	key file    PEM: "PUBLIC KEY", "PRIVATE KEY" or "ENCRYPTED PRIVATE KEY"
//	ciphertext  SM2: DER SEQUENCE {x, y, C3, C2}; SM4-GCM: ciphertext||tag
//
// The package never panics on outside bytes, never accepts a point that is not
// on the curve or a scalar out of range, never prints a private key, and does
// no I/O but reading randomness.
//
// Standards: GB/T 32918 (SM2), GB/T 32905 (SM3), GB/T 32907 (SM4),
// GM/T 0009 (use of SM2, the default signer's ID), GB/T 35276 (encodings),
// RFC 5208, RFC 5480 and RFC 5915 (keys), RFC 8018 (encrypted keys),
// RFC 8998 (SM4-GCM).
package sm
