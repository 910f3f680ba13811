package agency

import "github.com/credledger/credledger/sdk/sm"

// Busy reports whether somebody counts for the daily cap of an agency right now.
func (g *Gate) Busy(agency string) bool {
	return len(g.state.Load().accounts[agency].turn) > 0
}

// Place is where a directory looks a token up.
func (d *Directory) Place(token string) sm.Hash { return d.place(TokenDigest(token)) }
