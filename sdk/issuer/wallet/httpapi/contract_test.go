package httpapi_test

import (
	"testing"

	"github.com/credledger/credledger/sdk/issuer/wallet/httpapi"
	"github.com/credledger/credledger/sdk/rest/resttest"
)

func TestContract(t *testing.T) {
	c, err := resttest.Load(httpapi.Contract, "application/pdf")
	if err != nil {
		t.Fatal(err)
	}
	c.CheckProblems(t, httpapi.Kinds)
	c.CheckRoutes(t, httpapi.Routes())
}
