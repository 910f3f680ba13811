package servetest

import (
	"math/rand/v2"
	"net"
	"strconv"
)

// FreeAddress returns an address of this machine at which nobody listens, below the ports that systems give by
// themselves to whoever asks for any: so a service can listen there, end, and listen there again, while others come and go.
func FreeAddress() (string, error) {
	const first, end, tries = 20000, 30000, 100
	for try := 1; ; try++ {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(first+rand.IntN(end-first)))
		l, err := net.Listen("tcp", address)
		if err == nil {
			return address, l.Close()
		}
		if try == tries {
			return "", err
		}
	}
}
