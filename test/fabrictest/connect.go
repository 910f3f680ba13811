package fabrictest

import (
	"context"

	sdk "github.com/credledger/credledger/sdk/fabric"
	"github.com/credledger/credledger/sdk/ledger"
)

// Connect opens a connection of an organisation's to the ledger; the test's cleanup closes it.
func (n *Network) Connect(org string) ledger.Ledger {
	n.tb.Helper()
	return n.Open(org)
}

// Open is Connect for tests that need what only a connection to Fabric has.
func (n *Network) Open(org string) *sdk.Connection {
	n.tb.Helper()
	config, err := sdk.LoadConfig(n.Config(org))
	if err != nil {
		n.tb.Fatal(err)
	}
	connection, err := sdk.Open(context.Background(), config)
	if err != nil {
		n.tb.Fatal(err)
	}
	n.tb.Cleanup(func() { connection.Close() })
	return connection
}
