package httpapi_test

import (
	"net/http"
	"testing"
)

// BenchmarkReferenceCode is a whole code: opening the licence, the verifier's challenge, the proof, leaving it there. Both
// databases are durable.
func BenchmarkReferenceCode(b *testing.B) {
	s := newScene(b)
	body := s.code("reference")
	for b.Loop() {
		s.holder.Post("/v1/codes", body).Want(b, http.StatusCreated)
	}
}

// BenchmarkLicences is the first page that everybody sees.
func BenchmarkLicences(b *testing.B) {
	s := newScene(b)
	for b.Loop() {
		s.holder.Get("/v1/licences").Want(b, http.StatusOK)
	}
}

// BenchmarkPrint is a sheet, prepared and fetched.
func BenchmarkPrint(b *testing.B) {
	s := newScene(b)
	for b.Loop() {
		url := s.holder.Post("/v1/prints", s.sheet()).Want(b, http.StatusCreated).Text("url")
		s.holder.Get(url).Want(b, http.StatusOK)
	}
}
