package service_test

import (
	"net/http"
	"os"
	"strings"
	"testing"
)

// Finished reports are shown beside the pages, and only where a directory of them is named.
func TestReports(t *testing.T) {
	w := newWorld(t)
	w.start()
	if status, body := w.get(w.url("web") + "/reports/"); status != http.StatusNotFound || strings.Contains(body, "指标报告") {
		t.Errorf("without a directory: %d", status)
	}
	w.must(w.end())

	report, err := os.ReadFile("../report/testdata/full.json")
	w.must(err)
	w.config.Reports = "reports"
	w.write("reports/2026-11.json", report)
	w.start()
	for path, want := range map[string]string{
		"/reports/":             `href="/reports/2026-11"`,
		"/reports":              `href="/reports/2026-11"`, // leads there
		"/reports/2026-11":      "明确结论率",
		"/reports/2026-11.json": `"report": 1`,
		"/":                     "<html",
		"/v1/matters":           `"matters"`,
	} {
		if status, body := w.get(w.url("web") + path); status != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d %.200s", path, status, body)
		}
	}
	w.must(w.end())
}
