package httpapi

import (
	"crypto/rand"
	"fmt"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/rest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/intake"
)

// What a clerk scans is needed again for the whole case, minutes later, when a reference code was
// taken and a challenge redeemed. It goes to the page and comes back, sealed with SM4-GCM under a key
// that follows from the session's token, which the page cannot read: so it can be opened by this
// verifier, in this session, and by nobody else, and nothing needs to be kept.
//
//	sealed   nonce (12 bytes) || ciphertext || tag
//	content  length of the challenge's nonce (1 byte), nonce, length of its audience (1 byte), audience, presentation

const maxSealed = sm.SealNonceSize + 2 + 64 + maxAudience + credential.MaxSize + sm.SealOverhead

func sealKey(session string) []byte {
	key := sm.HMAC([]byte(session), []byte("credledger sealed presentation"))
	return key[:16]
}

// seal seals what was shown for a session. Its challenge was redeemed, or is not there.
func seal(session string, i *item) ([]byte, error) {
	content := append([]byte{byte(len(i.nonce))}, i.nonce...)
	content = append(append(content, byte(len(i.audience))), i.audience...)
	content = append(content, i.Bytes...)
	out := make([]byte, sm.SealNonceSize)
	if _, err := rand.Read(out); err != nil {
		return nil, fmt.Errorf("seal a presentation: %w", err)
	}
	sealed, err := sm.Seal(sealKey(session), out, content, nil)
	if err != nil {
		return nil, fmt.Errorf("seal a presentation: %w", err)
	}
	return append(out, sealed...), nil
}

// unseal is the inverse of seal.
func unseal(session string, sealed []byte) (*item, error) {
	unknown := rest.Refuse(codeSealedUnknown, "what was sealed is not of this session; have it shown again")
	if session == "" || len(sealed) < sm.SealNonceSize {
		return nil, unknown
	}
	content, err := sm.Open(sealKey(session), sealed[:sm.SealNonceSize], sealed[sm.SealNonceSize:], nil)
	if err != nil || len(content) < 2 {
		return nil, unknown
	}
	i := new(item)
	n := int(content[0])
	i.nonce, content = content[1:1+n], content[1+n:] // sealed by us: the lengths are right
	n = int(content[0])
	i.audience, content = string(content[1:1+n]), content[1+n:]
	if len(i.nonce) == 0 {
		i.nonce = nil
	}
	i.Item = intake.Stored(content)
	return i, nil
}
