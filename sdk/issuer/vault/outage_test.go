package vault

import (
	"syscall"
	"testing"

	"github.com/credledger/credledger/sdk/sqldb"
	"github.com/credledger/credledger/sdk/sqldb/sqldbtest"
)

// testOutage stops the server under a vault, in order and by force, and starts it again.
func testOutage(t *testing.T, p *place, server *sqldbtest.Server) {
	v := p.create(t)
	b := p.add(t, v, p.deposits(2))
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT} {
		server.Stop(t, signal)
		refused(t, v.Write(t.Context(), clerk, func(tx *Tx) error { return tx.TakeNumber(b.First) }), sqldb.CodeUnavailable)
		_, err := v.Licence(t.Context(), b.First)
		refused(t, err, sqldb.CodeUnavailable)
		refused(t, v.Ping(t.Context()), sqldb.CodeUnavailable)
		_, err = Open(t.Context(), p.address, p.keys(t), p.time)
		refused(t, err, sqldb.CodeUnavailable)
		server.Start(t)
		must(t, v.Ping(t.Context()))
		_, err = v.OpenBatch(t.Context(), clerk, b.ID)
		must(t, err)
		p.add(t, v, p.deposits(1))
	}
}
