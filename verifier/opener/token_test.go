package opener_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/credledger/credledger/verifier/opener"
)

func TestKeepToken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	made, err := opener.KeepToken(path)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.TrimSpace(string(b))
	if made != opener.TokenOf(text) || !strings.HasPrefix(text, "credledger_") {
		t.Errorf("the file has %d characters", len(text))
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if again, err := opener.KeepToken(path); err != nil || again != made {
		t.Errorf("another token: %v", err)
	}
	if err := os.WriteFile(path, []byte(token+"\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if own, err := opener.KeepToken(path); err != nil || own != opener.TokenOf(token) {
		t.Errorf("a token of the operator's: %v", err)
	}
}

func TestKeepTokenRefuses(t *testing.T) {
	for what, content := range map[string]string{
		"nothing": "", "something short": "secret\n", "two lines": token + "\n" + token + "\n", "a space": token + " " + token,
		"another alphabet": strings.Repeat("令牌", 20), "too much": strings.Repeat("a", 1000),
	} {
		path := filepath.Join(t.TempDir(), "token")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := opener.KeepToken(path); err == nil || content != "" && strings.Contains(err.Error(), strings.TrimSpace(content)) {
			t.Errorf("%s: %v", what, err)
		}
	}
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte(token), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := opener.KeepToken(path); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a file that others can read: %v", err)
	}
	if _, err := opener.KeepToken(filepath.Dir(path)); err == nil {
		t.Error("a directory is a token")
	}
	if _, err := opener.KeepToken(filepath.Join(path, "none")); err == nil {
		t.Error("a token in no directory")
	}
}
