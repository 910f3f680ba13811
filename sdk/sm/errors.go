package sm

// Codes of [Error]. They are stable; callers branch on them.
const (
	CodeBadHash           = "bad-hash"           // not 64 lower-case hexadecimal digits
	CodeBadPublicKey      = "bad-public-key"     // encoding, curve, or point refused
	CodeBadPrivateKey     = "bad-private-key"    // encoding, curve, scalar, or key pair refused
	CodePasswordNeeded    = "password-needed"    // the key file is encrypted and no password was given
	CodeWrongPassword     = "wrong-password"     // the key file does not decrypt with this password
	CodeUnsupportedCipher = "unsupported-cipher" // the key file's encryption is none that this package reads
	CodeBadSignature      = "bad-signature"      // encoding of a signature, or r or s out of range
	CodeBadInput          = "bad-input"          // a key, nonce, password or plaintext of a length that is not allowed
	CodeDecryptionFailed  = "decryption-failed"  // wrong key, or the ciphertext was changed
	CodeNoRandomness      = "no-randomness"      // the source of random bytes failed
)

// Error is every error of this package.
type Error struct {
	Code string // one of the Code constants
	Text string // what was wrong and what is expected; never key material
	Err  error  // the cause, may be nil
}

func (e *Error) Error() string {
	if e.Err != nil {
		return "sm: " + e.Text + ": " + e.Err.Error()
	}
	return "sm: " + e.Text
}

func (e *Error) Unwrap() error { return e.Err }

func fail(code, text string) *Error { return &Error{Code: code, Text: text} }
