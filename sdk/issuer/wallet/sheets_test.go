package wallet

import (
	"context"
	"testing"

	"github.com/credledger/credledger/sdk/paper"
)

// TestPrintPlaces: however many want sheets at once, only so many are printed at a time; who waits can leave.
func TestPrintPlaces(t *testing.T) {
	var s sheets
	s.init()
	for range printedAtOnce {
		s.places <- struct{}{}
	}
	ctx, leave := context.WithCancel(t.Context())
	leave()
	if _, err := s.print(ctx, paper.Sheet{}); Code(err) != CodeBusy {
		t.Errorf("without a place: %v", err)
	}
	<-s.places
	for range 2 { // the place is given back, though nothing could be printed
		if _, err := s.print(t.Context(), paper.Sheet{}); paper.Code(err) != "bad-sheet" {
			t.Errorf("with one: %v", err)
		}
	}
}
