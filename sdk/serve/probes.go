package serve

import (
	"context"
	"encoding/json"
	"net/http"
)

// probes serves /healthz, which says that the process works, and /readyz, which says whether it is to
// be given work; everything else goes to next.
func probes(ready func(context.Context) (bool, any), next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path != "/healthz" && r.URL.Path != "/readyz":
			next.ServeHTTP(w, r)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			w.WriteHeader(http.StatusMethodNotAllowed)
		case r.URL.Path == "/healthz":
			answer(w, http.StatusOK, map[string]bool{"alive": true})
		default:
			yes, state := ready(r.Context())
			status := http.StatusOK
			if !yes {
				status = http.StatusServiceUnavailable
			}
			answer(w, status, state)
		}
	})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client has gone
}
