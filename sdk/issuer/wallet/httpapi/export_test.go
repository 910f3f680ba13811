package httpapi

import "github.com/credledger/credledger/sdk/rest"

// Kinds are the problems.
var Kinds = kinds

// Routes are the routes.
func Routes() []rest.Route { return new(API).routes() }
