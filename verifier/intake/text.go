package intake

import (
	"regexp"
	"strings"

	"github.com/credledger/credledger/sdk/credential"
)

// maxReference bounds the text of a reference in bytes, full-width letters taking three.
const maxReference = 1 << 10

// reference is the form of a reference: a URL whose path is /r/ and a token.
var reference = regexp.MustCompile(`^(?i:https?)://[^/?#@\s]{1,253}/[Rr]/([A-Za-z2-7]{32})/?(?:\?[^#]*)?$`)

// ReferenceURL returns the text of a reference code: the URL at which a phone's camera opens the
// check page of the host (and port) that keeps the presentation. It has capitals only, for which a QR
// symbol needs the least room, and so does its path: /R/.
func ReferenceURL(host, token string) string {
	return "HTTPS://" + strings.ToUpper(host) + "/R/" + strings.ToUpper(token)
}

// referenceToken returns the token, in capitals, of a text that is a reference, "" of any other. The
// host is not looked at: nobody asks it anything.
func referenceToken(text string) string {
	if len(text) > maxReference || strings.Contains(text, "#") { // a code has one, a reference none
		return ""
	}
	found := reference.FindStringSubmatch(strings.TrimSpace(narrow(text)))
	if found == nil {
		return ""
	}
	return strings.ToUpper(found[1])
}

// narrow undoes what a Chinese input method makes of what a scanner types: full-width forms (U+FF01 to
// U+FF5E), the ideographic space, and the punctuation that it has in place of point and slash.
func narrow(text string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case '！' <= c && c <= '～':
			return c - '！' + '!'
		case c == '　':
			return ' '
		case c == '。':
			return '.'
		case c == '、':
			return '/'
		}
		return c
	}, text)
}

// readText reads the text of a reference, of a self-contained code, or of a credential in base64.
func readText(text string, source Source) (*Result, error) {
	if len(text) > MaxCode {
		return nil, errTooLarge("text of the code", MaxCode)
	}
	if token := referenceToken(text); token != "" {
		return &Result{Reference: token}, nil
	}
	if strings.HasPrefix(strings.TrimSpace(text), startBase64) {
		if b, ok := decodeBase64(text); ok {
			return split(b, source)
		}
	}
	b, err := credential.Inflate(text)
	if err != nil {
		return nil, err
	}
	return one(b, source), nil
}
