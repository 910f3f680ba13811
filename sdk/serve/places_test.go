package serve

import (
	"os"
	"runtime"
	"testing"
)

func TestPlaces(t *testing.T) {
	n := runtime.NumCPU()
	before := runtime.GOMAXPROCS(n)
	defer runtime.GOMAXPROCS(before)
	t.Setenv("GOMAXPROCS", "")
	addPlaces()
	addPlaces()
	if got := runtime.GOMAXPROCS(n); got != n+sparePlaces {
		t.Errorf("%d places on %d processors", got, n)
	}
	runtime.GOMAXPROCS(n + 1) // as where a container has less than the machine
	addPlaces()
	if got := runtime.GOMAXPROCS(n); got != n+1 {
		t.Errorf("%d places where %d are allowed", got, n+1)
	}
	if err := os.Setenv("GOMAXPROCS", "1"); err != nil {
		t.Fatal(err)
	}
	addPlaces()
	if got := runtime.GOMAXPROCS(0); got != n {
		t.Errorf("%d places where the environment wants others", got)
	}
}
