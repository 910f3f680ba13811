package web_test

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/qr"
	"github.com/credledger/credledger/sdk/webpage/webpagetest"
	"github.com/credledger/credledger/verifier/verifiertest"
)

var beijing = time.FixedZone("Beijing", 8*60*60)

// fragment is the part of a code that its address carries.
func fragment(code string) string { return code[strings.Index(code, "/#"):] }

// verdict waits for a verdict and returns its outcome.
func (b *tab) verdict() string {
	b.T.Helper()
	b.Until(webpagetest.Seen(".verdict"))
	return webpagetest.Evaluate[string](b.Tab, `document.querySelector(".verdict").dataset.outcome`)
}

// picture writes a code as a PNG file and returns its path.
func picture(t *testing.T, text string) string {
	t.Helper()
	symbol, err := qr.Encode(text, qr.DefaultLevel(text))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := symbol.PNG(&b, 6); err != nil {
		t.Fatal(err)
	}
	return written(t, "code.png", b.Bytes())
}

func written(t *testing.T, name string, content []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestOutcomes opens the page by the codes of licences that come to each outcome, and reads what
// anybody understands in a second, in both languages.
func TestOutcomes(t *testing.T) {
	w := newTown(t)
	houses := w.Issue("property", 2)
	seized, revoked, disowned := w.Issue("property", 1)[0], w.Issue("marriage", 1)[0], w.Issue("business", 1)[0]
	old, renewed := w.Issue("marriage", 2)[0], w.Issue("marriage", 2)[1]
	seized.Restrict()
	revoked.SetStatus(licence.Revoked)
	old.Supersede(renewed)
	w.Compromise(disowned.Batch.Head.Issuer, disowned)
	for _, c := range []struct {
		name, code, outcome string
		zh, en              string // beginning of the verdict
		note                bool
		says                []string // in the page, in Chinese
		silent              []string // not in the page
	}{
		{"valid", houses[0].Code("rightHolders", "unitNumber"), "valid", "核验通过,现行有效", "Verified: genuine and in force", true,
			[]string{"可以据此办理", "不动产权证书", "颁发机构签名有效", "回执编号", "verifier-1 0"}, nil},
		{"restricted", seized.Code("rightHolders"), "restricted", "核验通过,现行有效,但有限制", "Verified: genuine and in force, but restricted", true,
			[]string{"办理前请向颁发机构了解", "有限制(查封、抵押、异议等)"}, []string{"可以据此办理", "未通过"}},
		{"revoked", revoked.Code("spouse1Name"), "not-current", "证照真实,当前已失效(", "Genuine, but not in force (", true,
			[]string{"请勿据此办理", w.Clock.Now().In(beijing).Format("自 2006年1月2日 起")}, []string{"可以据此办理", "未通过"}},
		{"superseded", old.Code("spouse1Name"), "not-current", "证照真实,当前已失效(", "Genuine, but not in force (", true,
			[]string{"请持证人出示新证"}, []string{"可以据此办理"}},
		{"invalid", disowned.Code("name", "legalRepresentative"), "invalid", "核验不通过,请勿据此办理", "Verification failed: do not rely on it", false,
			[]string{"原因：颁发机构已声明并非其存证", "所以不显示码中所写的内容"}, []string{"营业执照", "可以据此办理", "名称", disowned.Digest.String()}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newTab(t, webpagetest.Browser, w.home)
			b.Open(fragment(c.code))
			if got := b.verdict(); got != c.outcome {
				t.Errorf("outcome %s, want %s", got, c.outcome)
			}
			if got := b.Text(".verdict h1 .line:first-child"); !strings.HasPrefix(c.zh, got) || got == "" {
				t.Errorf("the first line says %q", got)
			}
			if got := b.Text(".verdict h1"); !strings.HasPrefix(got, c.zh) {
				t.Errorf("says %q, want %q", got, c.zh)
			}
			if got := webpagetest.Evaluate[bool](b.Tab, `document.activeElement === document.querySelector(".verdict h1")`); !got {
				t.Error("the focus is not on the verdict")
			}
			if got := b.Visible(".note"); got != c.note {
				t.Errorf("a note: %v", got)
			} else if got && b.Text(".note p") != "未证明本人出示,请核对身份证" {
				t.Errorf("the note says %q", b.Text(".note p"))
			}
			page := b.Text("main")
			for _, word := range c.says {
				if !strings.Contains(page, word) {
					t.Errorf("does not say %q", word)
				}
			}
			for _, word := range c.silent {
				if strings.Contains(page, word) {
					t.Errorf("says %q", word)
				}
			}
			if address := webpagetest.Evaluate[string](b.Tab, "location.href"); address != w.home+"/" {
				t.Errorf("the address is %s", address)
			}
			b.Click("#language")
			if got := b.Text(".verdict h1"); !strings.HasPrefix(got, c.en) {
				t.Errorf("in English it says %q, want %q", got, c.en)
			}
			if got := webpagetest.Evaluate[string](b.Tab, "document.documentElement.lang"); got != "en" {
				t.Errorf("the language is %q", got)
			}
			b.Click("#language")
			if got := b.Text(".verdict h1"); !strings.HasPrefix(got, c.zh) {
				t.Errorf("back in Chinese it says %q", got)
			}
		})
	}
}

// TestStaleView: a verifier that has not heard from the ledger for long says so and blames nobody.
func TestStaleView(t *testing.T) {
	w := newTown(t)
	house := w.Issue("property", 1)[0]
	w.Disconnect()
	w.Clock.Advance(72 * time.Hour)
	b := newTab(t, webpagetest.Browser, w.home)
	b.Open(fragment(house.Code("unitNumber")))
	if got := b.verdict(); got != "undetermined" {
		t.Errorf("outcome %s", got)
	}
	b.Shot("stale")
	page := b.Text("main")
	for _, word := range []string{"暂时无法核验,不代表证照有问题", "原因：本机所知的账本状态过旧", "依据 3 天前的账本", "尚未核实"} {
		if !strings.Contains(page, word) {
			t.Errorf("does not say %q", word)
		}
	}
}

// TestReference: the address of a reference code, opened by a phone's own camera, gives a verdict
// once. Only the check takes it, not the loading of the page.
func TestReference(t *testing.T) {
	w := newTown(t)
	house := w.Issue("property", 1)[0]
	address := w.reference(house.Show("unitNumber"))
	path := address[strings.Index(address, "/R/"):]
	if response, err := http.Get(w.home + path); err != nil || response.StatusCode != http.StatusOK {
		t.Fatal(response, err)
	}
	b := newTab(t, webpagetest.Browser, w.home)
	b.Open(path)
	if got := b.verdict(); got != "valid" {
		t.Errorf("outcome %s", got)
	}
	if got := webpagetest.Evaluate[string](b.Tab, "location.href"); got != w.home+"/" {
		t.Errorf("the address is %s", got)
	}
	b = newTab(t, webpagetest.Browser, w.home)
	b.Allowed = []string{"422"}
	b.Open(path)
	b.Until(webpagetest.Seen("#problem"))
	if got := b.Text("#problem"); !strings.Contains(got, "这次没有核验成") || b.Visible(".verdict") {
		t.Errorf("the second time: %s", got)
	}
}

// TestFiles chooses, drops and pastes what a licence comes in.
func TestFiles(t *testing.T) {
	w := newTown(t)
	house := w.Issue("property", 1)[0]
	code := house.Code("rightHolders", "unitNumber")
	for _, c := range []struct {
		name  string
		files []string
		want  string // outcome, or part of what the page says
	}{
		{"picture", []string{picture(t, code)}, "valid"},
		{"credential", []string{written(t, "house.cbor", house.Show("unitNumber").Bytes())}, "valid"},
		{"no code", []string{written(t, "blank.png", blank(t))}, "这次没有核验成"},
		{"no picture", []string{written(t, "broken.jpg", []byte("no JPEG"))}, "JPEG 或 PNG"},
		{"another code", []string{picture(t, "https://example.com/")}, "这次没有核验成"},
		{"no credential", []string{written(t, "notes.txt", []byte("hello"))}, "这次没有核验成"},
		{"file of another licence", []string{written(t, "house.cbor", house.Show().Bytes()), written(t, "scan.pdf", []byte("%PDF-1.7"))}, "这次没有核验成"},
		{"three files", []string{picture(t, code), picture(t, code), picture(t, code)}, "请一次选一张照片或一个文件"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newTab(t, webpagetest.Browser, w.home)
			b.Allowed = []string{"422", "400"}
			b.Open("/")
			b.upload(c.files...)
			b.Until(webpagetest.Seen(".verdict") + " || " + webpagetest.Seen("#problem"))
			if b.Visible(".verdict") {
				if got := b.verdict(); got != c.want {
					t.Errorf("outcome %s, want %s", got, c.want)
				}
			} else if got := b.Text("#problem"); !strings.Contains(got, c.want) {
				t.Errorf("says %q, want %q", got, c.want)
			}
		})
	}
}

// TestTyping types and pastes codes, as they come.
func TestTyping(t *testing.T) {
	w := newTown(t)
	code := w.Issue("property", 1)[0].Code("rightHolders", "unitNumber")
	for _, c := range []struct{ name, text, want string }{
		{"whole", code, "valid"},
		{"full-width", wide(code), "valid"},
		{"letters alone", code[strings.Index(code, "#")+1:], "valid"},
		{"lower case, in lines", strings.ToLower(code[:80] + "\n " + code[80:]), "valid"},
		{"cut off", code[:len(code)-4], "不完整"},
		{"followed by more", code + "AB", "不完整"},
		{"nothing", "", "请先粘贴"},
		{"something else", "https://example.com/", "不是亮证码"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newTab(t, webpagetest.Browser, w.home)
			b.Open("/")
			b.Click("#write")
			if c.text != "" {
				b.Do(chromedp.SetValue(chromedp.CSS("#text"), c.text))
			}
			b.Click("#typing [type=submit]")
			if c.want == "valid" {
				if got := b.verdict(); got != "valid" {
					t.Errorf("outcome %s", got)
				}
				return
			}
			b.Until(`document.querySelector("#text-problem").textContent`)
			if got := b.Text("#text-problem"); !strings.Contains(got, c.want) {
				t.Errorf("says %q, want %q", got, c.want)
			}
		})
	}
	for name, kind := range map[string]string{"paste": "ClipboardEvent", "drop": "DragEvent"} {
		t.Run(name, func(t *testing.T) {
			b := newTab(t, webpagetest.Browser, w.home)
			b.Open("/")
			b.Until(webpagetest.Seen("#scan"))
			webpagetest.Evaluate[bool](b.Tab, `(() => {
				const data = new DataTransfer();
				data.setData("text/plain", "`+code+`");
				return !dispatchEvent(new `+kind+`("`+name+`", {cancelable: true, clipboardData: data, dataTransfer: data}));
			})()`)
			if got := b.verdict(); got != "valid" {
				t.Errorf("outcome %s", got)
			}
		})
	}
}

// wide is a text as a scanner types it through a Chinese input method.
func wide(text string) string {
	return strings.Map(func(r rune) rune {
		if '!' <= r && r <= '~' {
			return r - '!' + '！'
		}
		return r
	}, text)
}

// TestServerTrouble: without an answer nothing is said against a licence, and it can be tried again.
func TestServerTrouble(t *testing.T) {
	w := newTown(t)
	code := w.Issue("property", 1)[0].Code("unitNumber")
	for _, c := range []struct {
		name  string
		front func(http.ResponseWriter, *http.Request) bool
		says  string
	}{
		{"gone", webpagetest.Cut, "连不上核验服务"},
		{"overloaded", webpagetest.Refusal(503, "overloaded", "核验较多，请稍后。", "Busy.", "Retry-After", "7"), "请等 7 秒再试"},
		{"limited", webpagetest.Refusal(429, "rate-limited", "请求过于频繁。", "Too many.", "Retry-After", "3"), "请等 3 秒再试"},
		{"a proxy's page", webpagetest.Saying(http.StatusBadGateway, "<html>Bad gateway</html>"), "暂时不能应答"},
		{"no JSON", webpagetest.Saying(http.StatusOK, "<html>"), "暂时不能应答"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newTab(t, webpagetest.Browser, w.home)
			b.Allowed = []string{"status of", "net::"}
			w.Answer(c.front)
			b.Open(fragment(code))
			if got := b.verdict(); got != "undetermined" {
				t.Errorf("outcome %s", got)
			}
			if got := b.Text(".verdict h1"); got != "暂时无法核验,不代表证照有问题" {
				t.Errorf("says %q", got)
			}
			if got := b.Text(".verdict"); !strings.Contains(got, c.says) {
				t.Errorf("says %q, want %q", got, c.says)
			}
			b.Accessible()
			w.Answer(nil)
			b.Click(".verdict ~ .buttons .button:not(.second)")
			b.Until(`document.querySelector(".verdict")?.dataset.outcome === "valid"`)
		})
	}
	t.Run("refused", func(t *testing.T) {
		b := newTab(t, webpagetest.Browser, w.home)
		b.Allowed = []string{"status of"}
		w.Answer(webpagetest.Refusal(422, "code-malformed", "这不是码。", "Not a code."))
		defer w.Answer(nil)
		b.Open(fragment(code))
		b.Until(webpagetest.Seen("#problem"))
		if got := b.Text("#problem p"); got != "这不是码。" || b.Visible(".verdict") {
			t.Errorf("says %q", got)
		}
	})
}

// TestBack: the browser's Back leads from a result to the start, and nothing of a licence is left in
// the browser's storage or history.
func TestBack(t *testing.T) {
	w := newTown(t)
	house := w.Issue("property", 1)[0]
	b := newTab(t, webpagetest.Browser, w.home)
	b.Open(fragment(house.Code("rightHolders")))
	b.verdict()
	b.Run("history.back()")
	b.Until(webpagetest.Seen("#scan"))
	entries, err := chromedp.Run(b.Ctx, chromedp.NavigationEntries())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries.Entries {
		if strings.Contains(e.URL, "#") {
			t.Errorf("the history has %s", e.URL)
		}
	}
	if got := webpagetest.Evaluate[string](b.Tab, "JSON.stringify([Object.keys(localStorage), Object.keys(sessionStorage), document.cookie])"); got != `[[],[],""]` {
		t.Errorf("the browser keeps %s", got)
	}
	b.Open(fragment(house.Code("rightHolders")))
	b.verdict()
	b.Click("[data-part=verdict] .standard-only .button")
	b.Until(webpagetest.Seen("#scan"))
}

// TestMasking: what is sensitive shows when asked for.
func TestMasking(t *testing.T) {
	w := newTown(t)
	couple := w.Issue("marriage", 1)[0]
	id := value(t, couple, "spouse1Id")
	b := newTab(t, webpagetest.Browser, w.home)
	b.Open(fragment(couple.Code("spouse1Name", "spouse1Id")))
	b.verdict()
	if got := b.Text("[data-key=spouse1Id]"); got == id || !strings.Contains(got, "*") {
		t.Errorf("at first: %s", got)
	}
	b.Click(".reveal button")
	if got := b.Text("[data-key=spouse1Id]"); got != id {
		t.Errorf("after: %s", got)
	}
	b.Click(".reveal button")
	if got := b.Text("[data-key=spouse1Id]"); got == id {
		t.Error("hidden again, it shows")
	}
}

// values returns the texts of a field of a licence.
func values(t *testing.T, l *verifiertest.Licence, key string) []string {
	t.Helper()
	for i, entry := range l.Type.Fields {
		for _, f := range l.Credential.Fields {
			switch {
			case entry.Key != key || f.Index != i:
			case f.Value.IsList():
				return f.Value.Strings()
			default:
				return []string{f.Value.String()}
			}
		}
	}
	t.Fatalf("there is no field %s", key)
	return nil
}

func value(t *testing.T, l *verifiertest.Licence, key string) string {
	t.Helper()
	return values(t, l, key)[0]
}
