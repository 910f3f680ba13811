package serve

import (
	"os"
	"runtime"
)

// sparePlaces is how many goroutines more than there are processors may run at a time. One that waits for
// the disk in a system call keeps its place until the runtime takes it back, and needs another to go on: a
// service that syncs what it writes hundreds of times a second would leave processors idle meanwhile.
const sparePlaces = 2

// addPlaces makes room for them, once; but not where the environment says how many there are to be, or where
// the process may use less than all processors: there it would be stopped for what it used too soon.
func addPlaces() {
	if n := runtime.NumCPU(); runtime.GOMAXPROCS(0) == n && os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(n + sparePlaces)
	}
}
