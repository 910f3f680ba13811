package tlcp

import (
	"bytes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/emmansun/gmsm/sm3"
	"github.com/emmansun/gmsm/sm4"
	"github.com/emmansun/gmsm/smx509"

	"github.com/credledger/credledger/sdk/sm"
)

// A plainClient is a client of TLCP written from GB/T 38636 alone, over package sm and the engine of
// that, so that client and server of these tests share no code. It speaks ECC_SM4_CBC_SM3 and checks
// all that a client must but the chain of certificates.
type plainClient struct {
	net.Conn
	transcript bytes.Buffer // of handshake messages
	incoming   []byte       // handshake bytes not yet read
	data       []byte       // of the application, not yet read
	in, out    *protection  // nil before change cipher spec

	// spoil, if not nil, may change a handshake message before it is sent.
	spoil func(typ byte, body []byte) []byte
}

const (
	recordChange, recordAlert, recordHandshake, recordData = 20, 21, 22, 23

	helloClient, helloServer, certificates, serverKey, helloDone, clientKey, finished = 1, 2, 11, 12, 14, 16, 20
)

// A protection is one direction's keys: SM4-CBC with an explicit IV, after HMAC-SM3.
type protection struct {
	mac   []byte
	block cipher.Block
	seq   uint64
}

func newProtection(mac, key []byte) (*protection, error) {
	b, err := sm4.NewCipher(key)
	return &protection{mac: mac, block: b}, err
}

func hmacSM3(key []byte, parts ...[]byte) []byte {
	h := hmac.New(sm3.New, key)
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

// prf is P_SM3(secret, label + seed) (6.5.2 of GB/T 38636).
func prf(secret []byte, label string, seed []byte, n int) (out []byte) {
	seed = append([]byte(label), seed...)
	for a := hmacSM3(secret, seed); len(out) < n; a = hmacSM3(secret, a) {
		out = append(out, hmacSM3(secret, a, seed)...)
	}
	return out[:n]
}

func (p *protection) sum(typ byte, plain []byte) []byte {
	var header [13]byte
	binary.BigEndian.PutUint64(header[:], p.seq)
	header[8], header[9], header[10] = typ, 1, 1
	binary.BigEndian.PutUint16(header[11:], uint16(len(plain)))
	p.seq++
	return hmacSM3(p.mac, header[:], plain)
}

func (p *protection) seal(typ byte, plain []byte) []byte {
	b := append(bytes.Clone(plain), p.sum(typ, plain)...)
	pad := 16 - len(b)%16
	b = append(b, bytes.Repeat([]byte{byte(pad - 1)}, pad)...)
	out := make([]byte, 16+len(b))
	rand.Read(out[:16])
	cipher.NewCBCEncrypter(p.block, out[:16]).CryptBlocks(out[16:], b)
	return out
}

func (p *protection) open(typ byte, record []byte) ([]byte, error) {
	if len(record) < 64 || len(record)%16 != 0 {
		return nil, errors.New("a record of a wrong length")
	}
	b := make([]byte, len(record)-16)
	cipher.NewCBCDecrypter(p.block, record[:16]).CryptBlocks(b, record[16:])
	pad := int(b[len(b)-1]) + 1
	if len(b) < pad+32 || !bytes.Equal(b[len(b)-pad:], bytes.Repeat([]byte{byte(pad - 1)}, pad)) {
		return nil, errors.New("wrong padding")
	}
	plain := b[:len(b)-pad-32]
	if !hmac.Equal(p.sum(typ, plain), b[len(b)-pad-32:len(b)-pad]) {
		return nil, errors.New("wrong MAC")
	}
	return plain, nil
}

func (c *plainClient) writeRecord(typ byte, body []byte) error {
	if c.out != nil {
		body = c.out.seal(typ, body)
	}
	_, err := c.Conn.Write(append([]byte{typ, 1, 1, byte(len(body) >> 8), byte(len(body))}, body...))
	return err
}

func (c *plainClient) readRecord() (byte, []byte, error) {
	var header [5]byte
	if _, err := io.ReadFull(c.Conn, header[:]); err != nil {
		return 0, nil, err
	}
	if header[1] != 1 || header[2] != 1 {
		return 0, nil, fmt.Errorf("a record of version %x", header[1:3])
	}
	body := make([]byte, binary.BigEndian.Uint16(header[3:]))
	if _, err := io.ReadFull(c.Conn, body); err != nil {
		return 0, nil, err
	}
	if c.in != nil {
		var err error
		if body, err = c.in.open(header[0], body); err != nil {
			return 0, nil, err
		}
	}
	if header[0] == recordAlert {
		return 0, nil, fmt.Errorf("alert %v", body)
	}
	return header[0], body, nil
}

func (c *plainClient) send(typ byte, body []byte) error {
	if c.spoil != nil {
		body = c.spoil(typ, body)
	}
	m := append([]byte{typ, byte(len(body) >> 16), byte(len(body) >> 8), byte(len(body))}, body...)
	c.transcript.Write(m)
	return c.writeRecord(recordHandshake, m)
}

// receive reads the next handshake message, which is to be of a type.
func (c *plainClient) receive(want byte) ([]byte, error) {
	for len(c.incoming) < 4 || len(c.incoming) < 4+int(binary.BigEndian.Uint32(c.incoming)&0xFFFFFF) {
		typ, body, err := c.readRecord()
		if err != nil {
			return nil, err
		}
		if typ != recordHandshake {
			return nil, fmt.Errorf("a record of type %d in the handshake", typ)
		}
		c.incoming = append(c.incoming, body...)
	}
	n := 4 + int(binary.BigEndian.Uint32(c.incoming)&0xFFFFFF)
	m := c.incoming[:n]
	c.incoming = c.incoming[n:]
	if m[0] != want {
		return nil, fmt.Errorf("handshake message %d, want %d", m[0], want)
	}
	c.transcript.Write(m)
	return m[4:], nil
}

// publicKey is the SM2 key of a certificate.
func publicKey(der []byte) (*sm.PublicKey, error) {
	cert, err := smx509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	k, ok := cert.PublicKey.(*ecdsa.PublicKey)
	if !ok {
		return nil, errors.New("not an SM2 key")
	}
	var xy [64]byte
	k.X.FillBytes(xy[:32])
	k.Y.FillBytes(xy[32:])
	return sm.NewPublicKey(xy[:])
}

// clientHello is the body of a hello with a suite.
func clientHello(random []byte, suite uint16) []byte {
	b := append([]byte{1, 1}, random...)
	return append(b, 0, 0, 2, byte(suite>>8), byte(suite), 1, 0)
}

// handshake performs a whole handshake and returns the certificates that the server showed.
func (c *plainClient) handshake(suite uint16) (chain [][]byte, err error) {
	random := make([]byte, 32)
	rand.Read(random)
	if err := c.send(helloClient, clientHello(random, suite)); err != nil {
		return nil, err
	}
	hello, err := c.receive(helloServer)
	if err != nil {
		return nil, err
	}
	if len(hello) < 38 || hello[0] != 1 || hello[1] != 1 || binary.BigEndian.Uint16(hello[35+int(hello[34]):]) != suite {
		return nil, errors.New("the server chose another version or suite")
	}
	serverRandom := hello[2:34]
	list, err := c.receive(certificates)
	if err != nil {
		return nil, err
	}
	for list = list[3:]; len(list) > 0; {
		n := int(list[0])<<16 | int(list[1])<<8 | int(list[2])
		chain, list = append(chain, list[3:3+n]), list[3+n:]
	}
	if len(chain) < 2 {
		return nil, errors.New("less than two certificates")
	}
	signing, err := publicKey(chain[0])
	if err != nil {
		return nil, err
	}
	encryption, err := publicKey(chain[1])
	if err != nil {
		return nil, err
	}
	key, err := c.receive(serverKey)
	if err != nil {
		return nil, err
	}
	signature, err := sm.SignatureFromDER(key[2:])
	if err != nil {
		return nil, err
	}
	n := len(chain[1])
	signed := bytes.Join([][]byte{random, serverRandom, {byte(n >> 16), byte(n >> 8), byte(n)}, chain[1]}, nil)
	if !signing.Verify(signed, signature) {
		return nil, errors.New("the server's signature is wrong")
	}
	if _, err := c.receive(helloDone); err != nil {
		return nil, err
	}
	return chain, c.finish(encryption, random, serverRandom)
}

// finish performs the second half of the handshake.
func (c *plainClient) finish(encryption *sm.PublicKey, random, serverRandom []byte) error {
	premaster := make([]byte, 48)
	rand.Read(premaster)
	premaster[0], premaster[1] = 1, 1
	sealed, err := encryption.Encrypt(nil, premaster)
	if err != nil {
		return err
	}
	if err := c.send(clientKey, append([]byte{byte(len(sealed) >> 8), byte(len(sealed))}, sealed...)); err != nil {
		return err
	}
	master := prf(premaster, "master secret", append(bytes.Clone(random), serverRandom...), 48)
	keys := prf(master, "key expansion", append(bytes.Clone(serverRandom), random...), 2*(32+16+16))
	out, err := newProtection(keys[:32], keys[64:80])
	if err != nil {
		return err
	}
	in, err := newProtection(keys[32:64], keys[80:96])
	if err != nil {
		return err
	}
	if err := c.writeRecord(recordChange, []byte{1}); err != nil {
		return err
	}
	c.out = out
	hash := sm3.Sum(c.transcript.Bytes())
	if err := c.send(finished, prf(master, "client finished", hash[:], 12)); err != nil {
		return err
	}
	if typ, _, err := c.readRecord(); err != nil || typ != recordChange {
		return fmt.Errorf("no change of cipher spec: type %d, %w", typ, err)
	}
	c.in = in
	hash = sm3.Sum(c.transcript.Bytes())
	verify, err := c.receive(finished)
	if err == nil && !bytes.Equal(verify, prf(master, "server finished", hash[:], 12)) {
		err = errors.New("the server's finished message is wrong")
	}
	return err
}

func (c *plainClient) Write(b []byte) (int, error) { return len(b), c.writeRecord(recordData, b) }

func (c *plainClient) Read(b []byte) (int, error) {
	if len(c.data) == 0 {
		typ, body, err := c.readRecord()
		if err != nil {
			return 0, err
		}
		if typ != recordData {
			return 0, fmt.Errorf("a record of type %d", typ)
		}
		c.data = body
	}
	n := copy(b, c.data)
	c.data = c.data[n:]
	return n, nil
}
