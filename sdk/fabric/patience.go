package fabric

import "time"

// How long this package waits before it turns to somebody else. Tests shorten it.
var (
	leastHedge     = 2 * time.Second         // for an endorser, at least; four times as long as they took of late, at most endorseTimeout
	differPatience = 2 * time.Second         // until endorsers agree that differ though they are at one height
	orderTimeout   = 2500 * time.Millisecond // for an orderer to take a transaction, if that does not take long of late
	quietFor       = 2 * time.Second         // for a block, after an orderer took a transaction
	ownPatience    = 2 * time.Second         // for a peer of the own organisation to show what another one has shown
	queryPatience  = 10 * time.Second        // for any peer to answer a query
	stallPatience  = 3 * time.Second         // for a peer that is followed to show a block that another one has
)
