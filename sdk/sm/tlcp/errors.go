package tlcp

// Codes of [Error]; they are stable.
const (
	CodeBadCertificate   = "bad-certificate"   // not the certificates and keys that a server needs
	CodeHandshakeFailed  = "handshake-failed"  // the peer speaks something else, or gave up
	CodeHandshakeTimeout = "handshake-timeout" // the peer took too long
	CodeHandshakesFull   = "handshakes-full"   // too many handshakes were under way
	CodePanic            = "engine-panic"      // the protocol engine failed on what the peer sent
)

// Error is every error of this package but those of the network.
type Error struct {
	Code string // one of the codes above
	Text string // what was wrong; never key material, nor what a peer sent
	Err  error  // the cause, may be nil
}

func (e *Error) Error() string {
	if e.Err != nil {
		return "tlcp: " + e.Text + ": " + e.Err.Error()
	}
	return "tlcp: " + e.Text
}

func (e *Error) Unwrap() error { return e.Err }
