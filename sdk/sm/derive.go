package sm

// DeriveKey returns the key that belongs to a name under a secret: always the same one, and without the secret
// nothing is known of it. Its scalar is HMAC-SM3(secret, name || i), big-endian, for the first byte i from 0 on for
// which that is in range, which is the first but for one in 2^32. The secret has at least 16 bytes.
func DeriveKey(secret, name []byte) (*PrivateKey, error) {
	if len(secret) < 16 {
		return nil, fail(CodeBadPrivateKey, "a key is derived from a secret of at least 16 bytes")
	}
	input := append(append(make([]byte, 0, len(name)+1), name...), 0)
	for {
		d := HMAC(secret, input)
		key, err := newPrivateKey(d[:])
		if err == nil {
			return key, nil
		}
		if input[len(name)]++; input[len(name)] == 0 {
			return nil, err
		}
	}
}
