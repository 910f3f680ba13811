package service

import (
	"net/http"
	"strings"
	"time"

	"github.com/credledger/credledger/verifier/report/web"
)

// downloadTimeout is what the answer with a snapshot may take, from the end of the request's head.
const downloadTimeout = 15 * time.Minute

// patient gives the download of a snapshot the time that it needs on a slow line.
func patient(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v1/snapshots/") {
			_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(downloadTimeout))
		}
		next.ServeHTTP(w, r)
	})
}

// pages is what is served beside the API: the pages, and the finished reports if there is a directory of
// them.
func (s *Service) pages() http.Handler {
	if s.config.Reports == "" {
		return s.parts.Pages
	}
	mux := http.NewServeMux()
	mux.Handle("/reports/", web.NewShelf(s.config.Reports))
	if s.parts.Pages != nil {
		mux.Handle("/", s.parts.Pages)
	}
	return mux
}
