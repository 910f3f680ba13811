package certificate

// Codes of [Error]. They are stable; callers branch on them.
const (
	CodeMalformed   = "certificate-malformed"   // not a file of certificates, or not one encoding of them
	CodeUnsupported = "certificate-unsupported" // not SM2 with SM3 throughout, or a critical extension that is not known
	CodeUsage       = "certificate-usage"       // the key is not for signing, or an authority may not issue what it did
	CodeDates       = "certificate-dates"       // not valid at the time in question
	CodeUntrusted   = "certificate-untrusted"   // no authority that is trusted stands at the end of the chain
)

// Error is every error of this package.
type Error struct {
	Code string // one of the Code constants
	Text string // what was wrong and what is expected; nothing that a certificate says
	Err  error  // the cause, may be nil
}

func (e *Error) Error() string {
	if e.Err != nil {
		return "certificate: " + e.Text + ": " + e.Err.Error()
	}
	return "certificate: " + e.Text
}

func (e *Error) Unwrap() error { return e.Err }
