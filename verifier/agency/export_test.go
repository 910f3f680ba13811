package agency

// Busy reports whether somebody counts for the daily cap of an agency right now.
func (g *Gate) Busy(agency string) bool {
	return len(g.state.Load().accounts[agency].turn) > 0
}
