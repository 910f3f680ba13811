package httpapi

import (
	"errors"

	"github.com/credledger/credledger/sdk/envelope"
	"github.com/credledger/credledger/sdk/grant"
	"github.com/credledger/credledger/sdk/rest"
	"github.com/credledger/credledger/sdk/statement"
)

// malformed maps what is wrong with a signed message to problems for whoever made it: what is no such message at all
// has one code.
func malformed(err error, code string) error {
	var s *statement.Error
	var g *grant.Error
	var e *envelope.Error
	switch {
	case errors.As(err, &g):
		if _, known := kinds[g.Code]; known {
			return rest.Refuse(g.Code, g.Message)
		}
		return rest.Refuse(code, g.Message)
	case errors.As(err, &s):
		return rest.Refuse(code, s.Message)
	case errors.As(err, &e):
		return rest.Refuse(codeSubject, e.Message)
	}
	return err
}
