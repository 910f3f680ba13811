package opener

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/credledger/credledger/sdk/callers"
	"github.com/credledger/credledger/sdk/sm"
)

// A Token is what callers prove themselves with, as SM3 of its text.
type Token sm.Hash

// TokenOf returns the token of a text.
func TokenOf(text string) Token { return Token(callers.TokenDigest(text)) }

// is reports whether a text is the token's.
func (t Token) is(text string) bool {
	got := TokenOf(text)
	return subtle.ConstantTimeCompare(got[:], t[:]) == 1
}

// Bounds of a token, and of its file, in bytes.
const (
	minToken     = 32
	maxTokenFile = 512
)

// KeepToken reads the token in a file that its owner alone can read, and makes one if there is no file.
// The error says what is wrong with the file.
func KeepToken(path string) (Token, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return readToken(path)
	} else if err != nil {
		return Token{}, err
	}
	text := callers.NewToken()
	_, err = f.WriteString(text + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return Token{}, errors.Join(err, os.Remove(path))
	}
	return TokenOf(text), nil
}

func readToken(path string) (Token, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return Token{}, err
	case !info.Mode().IsRegular() || info.Size() > maxTokenFile:
		return Token{}, fmt.Errorf("%s is not the file of a token; remove it, and it is made again", path)
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0: // there the directory's rights are what counts
		return Token{}, fmt.Errorf("%s can be read by others than its owner: chmod 600 %s, or remove it for another token", path, filepath.Base(path))
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return Token{}, err
	}
	text := strings.TrimRight(string(b), "\r\n")
	if len(text) < minToken || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return Token{}, fmt.Errorf("%s holds no token; remove it, and it is made again", path)
	}
	return TokenOf(text), nil
}
