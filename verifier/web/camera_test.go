package web_test

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/credledger/credledger/sdk/qr"
	"github.com/credledger/credledger/sdk/qr/phototest"
	"github.com/credledger/credledger/sdk/webpage/webpagetest"
)

// withCamera starts a browser whose camera shows a code, and which may use it or not.
func withCamera(t *testing.T, text string, allowed bool) context.Context {
	t.Helper()
	flags := []chromedp.ExecAllocatorOption{
		chromedp.Flag("use-fake-device-for-media-stream", true),
		chromedp.Flag("use-file-for-fake-video-capture", video(t, text)),
	}
	answer := "deny-permission-prompts"
	if allowed {
		answer = "use-fake-ui-for-media-stream"
	}
	ctx, stop, err := webpagetest.Launch(append(flags, chromedp.Flag(answer, true))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return ctx
}

// TestCamera reads a self-contained code with the camera, by the bundled reader, and lets go of the
// camera then. What the page loads for that fits a slow line.
func TestCamera(t *testing.T) {
	w := newTown(t)
	code := w.Issue("property", 1)[0].Code("rightHolders", "unitNumber")
	b := newTab(t, withCamera(t, code, true), w.home, webpagetest.Before(`
		const open = MediaDevices.prototype.getUserMedia;
		MediaDevices.prototype.getUserMedia = async function (asked) { return (globalThis.stream = await open.call(this, asked)); };
	`))
	b.Open("/")
	b.Until(webpagetest.Seen("#scan"))
	loaded := `performance.getEntriesByType("resource").filter(e => e.name.includes("/vendor/")).length`
	if got := webpagetest.Evaluate[float64](b.Tab, loaded); got != 0 {
		t.Errorf("%v parts of the reader are loaded before they are needed", got)
	}
	b.Click("#scan")
	if got := b.verdict(); got != "valid" {
		t.Errorf("outcome %s", got)
	}
	if got := webpagetest.Evaluate[float64](b.Tab, loaded); got != 2 {
		t.Errorf("%v parts of the reader are loaded", got)
	}
	if got := webpagetest.Evaluate[float64](b.Tab, `[...performance.getEntriesByType("resource"), performance.getEntriesByType("navigation")[0]].reduce((sum, e) => sum + e.transferSize, 0)`); got > budget || got < 10_000 {
		t.Errorf("%v bytes came over the line", got)
	}
	if got := webpagetest.Evaluate[string](b.Tab, `stream.getTracks().map(t => t.readyState).join()`); got != "ended" {
		t.Errorf("the camera is %s", got)
	}
}

// TestCameraAtCounter: the camera of the counter goes on scanning, and takes each code once.
func TestCameraAtCounter(t *testing.T) {
	w := newTown(t)
	code := w.Issue("property", 1)[0].Code("rightHolders")
	b := newTab(t, withCamera(t, code, true), w.home)
	b.signIn()
	b.transfer("5")
	b.Click("#camera")
	if got := b.shown(1); got != "valid" {
		t.Errorf("scanned: %s", got)
	}
	b.Until(`document.querySelector("#video").currentTime > 1`) // meanwhile it was read again
	b.Accessible()
	b.Shot("counter-camera")
	if got := b.shown(1); got != "valid" || !b.Visible("#viewfinder") {
		t.Errorf("a second later: %s", got)
	}
	b.Click("#camera")
	if b.Visible("#viewfinder") || webpagetest.Evaluate[bool](b.Tab, `document.querySelector("#video").srcObject !== null`) {
		t.Error("the camera goes on")
	}
}

// TestPhotoReaders: a photograph is read by the browser's own reader if it has one, by the bundled
// one, or, if neither can, by the verifier, to which the picture is sent.
func TestPhotoReaders(t *testing.T) {
	w := newTown(t)
	code := w.Issue("property", 1)[0].Code("rightHolders", "unitNumber")
	symbol, err := qr.Encode(code, qr.DefaultLevel(code))
	if err != nil {
		t.Fatal(err)
	}
	photo := written(t, "photo.jpg", phototest.Photo(symbol))
	const sent = `
		const fetched = globalThis.fetch;
		globalThis.sent = "";
		globalThis.fetch = (path, init) => { sent = Object.keys(JSON.parse(init.body)).join(); return fetched(path, init); };
	`
	for _, c := range []struct{ name, script, vendor, sent string }{
		{"the browser's", `globalThis.BarcodeDetector = class {
			static async getSupportedFormats() { return ["qr_code"]; }
			async detect() { return [{rawValue: "` + code + `"}]; }
		};`, "0", "code"},
		{"bundled", "", "2", "code"},
		{"the verifier's", `CanvasRenderingContext2D.prototype.getImageData = (x, y, w, h) => new ImageData(w, h);`, "2", "image"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newTab(t, webpagetest.Browser, w.home, webpagetest.Before(sent+c.script))
			b.Open("/")
			b.upload(photo)
			if got := b.verdict(); got != "valid" {
				t.Errorf("outcome %s", got)
			}
			if got := webpagetest.Evaluate[string](b.Tab, "sent"); got != c.sent {
				t.Errorf("sent: %s", got)
			}
			if got := webpagetest.Evaluate[string](b.Tab, `String(performance.getEntriesByType("resource").filter(e => e.name.includes("/vendor/")).length)`); got != c.vendor {
				t.Errorf("%s parts of the bundled reader are loaded", got)
			}
		})
	}
}

// TestCameraShowsSomethingElse: a code that is none of ours is said to be none, and scanning goes on
// until it is stopped.
func TestCameraShowsSomethingElse(t *testing.T) {
	w := newTown(t)
	b := newTab(t, withCamera(t, "https://example.com/menu", true), w.home)
	b.Open("/")
	b.Click("#scan")
	b.Says("#camera-hint", "不是亮证码")
	b.Until(`document.querySelector("#video").videoWidth === 1280`)
	b.Accessible()
	b.Shot("camera")
	b.Click("[data-step=camera] [data-go=start]")
	b.Until(webpagetest.Seen("#scan"))
	if webpagetest.Evaluate[bool](b.Tab, `document.querySelector("#video").srcObject !== null`) {
		t.Error("the camera goes on")
	}
}

// TestCameraRefused: without leave or without a camera the other ways are named.
func TestCameraRefused(t *testing.T) {
	w := newTown(t)
	for name, c := range map[string]struct {
		in   context.Context
		says string
	}{
		"no leave":  {withCamera(t, "https://example.com/", false), "没有得到使用相机的许可"},
		"no camera": {webpagetest.Browser, "没有相机"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newTab(t, c.in, w.home)
			b.Open("/")
			b.Click("#scan")
			b.Until(webpagetest.Seen("#problem"))
			if got := b.Text("#problem p"); !strings.Contains(got, c.says) {
				t.Errorf("says %q", got)
			}
		})
	}
}
