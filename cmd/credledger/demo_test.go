package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/cmd/credledger/commandtest"
)

// The story ends as it says, in both languages, and leaves nothing outside its directory.
func TestDemo(t *testing.T) {
	for _, lang := range []struct {
		name     string
		chapters []string
		verdicts []string // in their order
		audit    string
	}{
		{"en", []string{
			"== 1. The data bureau founds the ledger", "== 2. Three departments issue", "== 3. A citizen shows a code",
			"== 4. One department asks another", "== 5. One changed bit", "== 6. Genuine, and still not", "== 7. The audit trusts nobody",
		}, []string{
			"  Verified: genuine and in force\n",
			"  Released\n",
			"  Verified: genuine and in force\n",
			"  Refused\n",
			"  The evidence is good",
			"  Verification failed: do not rely on it\n",
			"  Verification failed: do not rely on it\n",
			"  Genuine, but not in force (revoked)\n",
			"  Genuine, but not in force (suspended)\n",
			"  Genuine, but not in force (expired)\n",
			"  Genuine, but not in force (superseded by a newer licence)\n",
			"  Verified: genuine and in force, but restricted\n",
		}, "  nothing is wrong\n"},
		{"zh", []string{
			"== 1. 数据局建账本", "== 2. 三个部门制发证照", "== 3. 亮证与核验", "== 4. 部门之间直接取用", "== 5. 改一个比特", "== 6. 真实但不可用", "== 7. 审计",
		}, []string{
			"  核验通过,现行有效\n",
			"  已共享\n",
			"  核验通过,现行有效\n",
			"  拒绝共享\n",
			"  凭据",
			"  核验不通过,请勿据此办理\n",
			"  核验不通过,请勿据此办理\n",
			"  证照真实,当前已失效(已作废)\n",
			"  证照真实,当前已失效(已暂停效力)\n",
			"  证照真实,当前已失效(已过有效期)\n",
			"  证照真实,当前已失效(已由新证替代)\n",
			"  核验通过,现行有效,但有限制\n",
		}, "  未发现任何问题\n"},
	} {
		t.Run(lang.name, func(t *testing.T) {
			t.Parallel()
			p := newProcess(t)
			p.dir = t.TempDir()
			began := time.Now()
			out, _ := p.run(exitDone, "demo", "--lang", lang.name)
			t.Logf("the demo took %v", time.Since(began))
			rest := out
			for _, line := range append(lang.chapters[:3:3], append(lang.verdicts, lang.audit)...) {
				_, after, found := strings.Cut(rest, line)
				if !found {
					t.Fatalf("%q is missing, or out of turn, in:\n%s", line, out)
				}
				rest = after
			}
			for _, line := range lang.chapters {
				if !strings.Contains(out, line) {
					t.Errorf("no chapter %q", line)
				}
			}
			if !strings.Contains(out, "█▀▀▀▀▀█") {
				t.Error("no QR symbol is drawn")
			}
			dir := onlyEntry(t, p.dir)
			if !strings.HasPrefix(filepath.Base(dir), "credledger-demo-") || strings.Count(out, dir) != 2 {
				t.Errorf("the directory %s is not named where it ends", dir)
			}
			p.home = filepath.Join(dir, "home")
			p.run(exitDone, "verify", filepath.Join(dir, "code.png"))
			p.run(exitDone, "audit")
		})
	}
}

func TestDemoJSON(t *testing.T) {
	t.Parallel()
	p := newProcess(t)
	p.dir = t.TempDir()
	out, _ := p.run(exitDone, "demo", "--json")
	values, err := commandtest.Values(out)
	if err != nil || len(values) != 1 {
		t.Fatalf("not one JSON value: %v\n%s", err, out)
	}
	if got := commandtest.At(values[0], "directory"); got != onlyEntry(t, p.dir) {
		t.Errorf("the directory is %s", got)
	}
	exits := map[string]int{}
	for _, c := range values[0].(map[string]any)["commands"].([]any) {
		exits[commandtest.At(c, "exit")]++
	}
	if exits["1"] != 3 || exits["3"] != 4 || exits["5"] != 1 || exits["0"] < 10 || len(exits) != 4 {
		t.Errorf("exit codes %v", exits)
	}
	p.run(exitUsage, "demo", "surplus")
	p.run(exitUsage, "demo", "--home", "mine")
}

func onlyEntry(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Fatalf("%s does not hold one entry: %v %v", dir, entries, err)
	}
	return filepath.Join(dir, entries[0].Name())
}
