package httpapi

import (
	"fmt"
	"strings"

	"github.com/credledger/credledger/sdk/qr"
)

// path returns the dark modules of a symbol as SVG path data: a rectangle for each run in a row, one unit to a
// module, with the margin around.
func path(s *qr.Symbol) string {
	var b strings.Builder
	for y := range s.Size() {
		for x := 0; x < s.Size(); x++ {
			if !s.Black(x, y) {
				continue
			}
			run := 1
			for s.Black(x+run, y) {
				run++
			}
			fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", x+qr.QuietZone, y+qr.QuietZone, run, run)
			x += run
		}
	}
	return b.String()
}
