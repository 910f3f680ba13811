package tlcp

import (
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/tjfoc/gmsm/gmtls"
)

// A conn is a connection after its handshake. A panic of the engine ends it.
type conn struct {
	engine *gmtls.Conn
	raw    net.Conn
}

func newConn(raw net.Conn, id *Identity) *conn {
	return &conn{engine: gmtls.Server(raw, id.config), raw: raw}
}

// guard runs a call into the engine, and turns a panic into an error and the end of the connection.
func (c *conn) guard(call func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			_ = c.raw.Close()
			// A value that is panicked with can hold what the peer sent; its type cannot.
			err = &Error{Code: CodePanic, Text: fmt.Sprintf("the engine panicked with a %T; the connection was closed", p)}
		}
	}()
	return call()
}

// handshake performs the handshake of a server within a time.
func (c *conn) handshake(within time.Duration) error {
	err := c.raw.SetDeadline(time.Now().Add(within))
	if err == nil {
		err = c.guard(c.engine.Handshake)
	}
	if err == nil {
		err = c.raw.SetDeadline(time.Time{})
	}
	var ours *Error
	switch {
	case err == nil || errors.As(err, &ours):
		return err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &Error{Code: CodeHandshakeTimeout, Text: fmt.Sprintf("no handshake within %v", within)}
	}
	return &Error{Code: CodeHandshakeFailed, Text: "the handshake failed", Err: err}
}

func (c *conn) Read(b []byte) (n int, err error) {
	err = c.guard(func() (err error) { n, err = c.engine.Read(b); return err })
	return max(n, 0), err
}

func (c *conn) Write(b []byte) (n int, err error) {
	err = c.guard(func() (err error) { n, err = c.engine.Write(b); return err })
	return max(n, 0), err
}

// Close tells the peer, and closes the connection. The message to the peer waits for nobody.
func (c *conn) Close() error {
	_ = c.raw.SetWriteDeadline(time.Now().Add(closeTimeout))
	return c.guard(c.engine.Close)
}

// closeTimeout bounds the writing of the last message.
const closeTimeout = time.Second

func (c *conn) LocalAddr() net.Addr                { return c.raw.LocalAddr() }
func (c *conn) RemoteAddr() net.Addr               { return c.raw.RemoteAddr() }
func (c *conn) SetDeadline(t time.Time) error      { return c.raw.SetDeadline(t) }
func (c *conn) SetReadDeadline(t time.Time) error  { return c.raw.SetReadDeadline(t) }
func (c *conn) SetWriteDeadline(t time.Time) error { return c.raw.SetWriteDeadline(t) }

// Quiet turns os.Stdout into the null device, because the engine prints every failed handshake there,
// with what the peer sent. A program calls it once, before it listens, and keeps what os.Stdout was if
// it has something to say itself.
func Quiet() error {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	os.Stdout = null
	return nil
}
