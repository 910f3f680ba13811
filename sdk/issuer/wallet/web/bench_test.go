package web_test

import (
	"context"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/credledger/credledger/sdk/webpage/webpagetest"
)

// The slow line and the slow phone: 700 kbit/s down and 300 kbit/s up, with 300 ms from each request to its answer, and a processor a
// quarter as fast as the one that runs this.
const (
	download = 700_000 / 8 // bytes a second
	upload   = 300_000 / 8
	latency  = 300 // milliseconds
	slowness = 4
)

// usable records when a page's first screen is there to be used, in milliseconds since one went to it.
const usable = `
	globalThis.usable = 0;
	const look = () => {
		if (usable === 0 && document.querySelector("#sign-in, #licences a") && ["#sign-in", "#licences a"].some(css => document.querySelector(css)?.checkVisibility())) usable = performance.now();
		if (usable === 0) requestAnimationFrame(look);
	};
	look();
`

// BenchmarkSlowLine: how long it takes on a slow line until somebody who was never there can sign in, until they see their licences
// when they come back from that, and when they come again another day.
func BenchmarkSlowLine(b *testing.B) {
	for _, protocol := range []string{"HTTP/2", "HTTP/1.1"} {
		b.Run(strings.ReplaceAll(protocol, "/", ""), func(b *testing.B) { benchmarkSlowLine(b, protocol == "HTTP/2") })
	}
}

func benchmarkSlowLine(b *testing.B, http2 bool) {
	w := newWorld(b, "marriage")
	for n := range 3 {
		w.Issue(n * samples)
	}
	server := httptest.NewUnstartedServer(w.API)
	server.EnableHTTP2 = http2
	server.StartTLS()
	defer server.Close()
	browser, stop, err := webpagetest.Launch(chromedp.Flag("ignore-certificate-errors", true))
	must(b, err)
	defer stop()
	cookie := strings.SplitN(w.SignIn(w.Holder(0)).Header("Cookie"), "=", 2)
	var first, list, again []float64
	for b.Loop() {
		ctx, end := slowTab(b, browser)
		first = append(first, until(b, ctx, server.URL+"/"))
		_, err := chromedp.Call(ctx, network.SetCookie, network.SetCookieParams{Name: cookie[0], Value: cookie[1], URL: server.URL, Path: "/v1", Secure: new(true), HTTPOnly: new(true)})
		must(b, err)
		list = append(list, until(b, ctx, server.URL+"/?signed-in"))
		again = append(again, until(b, ctx, server.URL+"/?again"))
		end()
	}
	for name, all := range map[string][]float64{"first-ms": first, "licences-ms": list, "again-ms": again} {
		slices.Sort(all)
		b.ReportMetric(all[len(all)/2], name)
	}
	b.ReportMetric(0, "ns/op")
}

// slowTab opens a tab, with nothing kept from before, behind the slow line.
func slowTab(b *testing.B, browser context.Context) (context.Context, func()) {
	b.Helper()
	ctx, end := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	must(b, chromedp.Do(ctx, chromedp.EmulateViewport(390, 844)))
	for _, err := range []error{
		second(chromedp.Call(ctx, network.Enable, network.EnableParams{})),
		second(chromedp.Call(ctx, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
			MatchedNetworkConditions: []*network.Conditions{{Latency: latency, DownloadThroughput: download, UploadThroughput: upload}},
		})),
		second(chromedp.Call(ctx, emulation.SetCPUThrottlingRate, emulation.SetCPUThrottlingRateParams{Rate: slowness})),
		second(chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: usable})),
	} {
		must(b, err)
	}
	return ctx, end
}

func second[T any](_ T, err error) error { return err }

// until goes to an address and returns how long it took until its first screen could be used.
func until(b *testing.B, tab context.Context, address string) float64 {
	b.Helper()
	ctx, cancel := context.WithTimeout(tab, time.Minute)
	defer cancel()
	must(b, chromedp.Do(ctx, chromedp.Navigate(address)))
	for {
		took, err := chromedp.Run(ctx, chromedp.Evaluate[float64]("usable"))
		if err == nil && took > 0 {
			return took
		}
		must(b, ctx.Err())
		time.Sleep(20 * time.Millisecond)
	}
}
