package httpapitest

import (
	"net/http"

	"github.com/credledger/credledger/sdk/rest/resttest"
)

// From is the address that clients call from, unless told otherwise.
const From = resttest.From

// An Answer is what the API answered.
type Answer = resttest.Answer

// A Client calls the API as somebody.
type Client struct{ resttest.Client }

// Agency returns a client with an agency's token.
func (c Client) Agency(token string) Client { return Client{c.Token(token)} }

// With returns a client that sends a header.
func (c Client) With(name, value string) Client { return Client{c.Client.With(name, value)} }

// At returns a client that calls from another address and port.
func (c Client) At(address string) Client { return Client{c.Client.At(address)} }

// SignIn signs the clerk of the shared counter in and returns a client in the session.
func (c Client) SignIn() Client { c.TB.Helper(); return c.SignInAt(CounterID) }

// SignInAt is SignIn for the clerk of another agency: CounterID or AskerID.
func (c Client) SignInAt(agency string) Client {
	c.TB.Helper()
	c = c.With("CredLedger-Counter", "1")
	a := c.Post("/v1/sessions", map[string]any{"agency": agency, "clerk": Clerk, "password": Password}).Want(c.TB, http.StatusCreated)
	cookies := (&http.Response{Header: a.Header}).Cookies()
	if len(cookies) != 1 {
		c.TB.Fatalf("%d cookies", len(cookies))
	}
	return c.With("Cookie", cookies[0].Name+"="+cookies[0].Value)
}

// Cookie returns what the client sends as its cookies.
func (c Client) Cookie() string { return c.Header("Cookie") }
