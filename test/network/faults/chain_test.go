//go:build network

package faults

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"iter"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/golang/protobuf/proto"
	"github.com/golang/protobuf/ptypes"
	"github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric-protos-go/msp"
	"github.com/hyperledger/fabric-protos-go/orderer"
	"github.com/hyperledger/fabric-protos-go/peer"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"

	"github.com/credledger/credledger/network/fabric"
	"github.com/credledger/credledger/sdk/fabric/block"
	"github.com/credledger/credledger/sdk/ledger"
)

// A chain is one peer's own copy of the ledger, read from that peer and no other by its Deliver
// service, without any of sdk/fabric.
type chain struct {
	name    string
	address string
	roots   *x509.CertPool
	client  identity
}

// An identity is who asks.
type identity struct {
	creator []byte // msp.SerializedIdentity
	key     *ecdsa.PrivateKey
}

// chains opens every peer of the network, in the name of one organisation's client.
func chains(t *testing.T, config string) []*chain {
	t.Helper()
	var client struct {
		Organisation, Profile, Certificate, Key string
	}
	readYAML(t, config, &client)
	dir := filepath.Dir(config)
	certificate, err := os.ReadFile(filepath.Join(dir, client.Certificate))
	if err != nil {
		t.Fatal(err)
	}
	creator, err := proto.Marshal(&msp.SerializedIdentity{Mspid: client.Organisation, IdBytes: certificate})
	if err != nil {
		t.Fatal(err)
	}
	who := identity{creator, readKey(t, filepath.Join(dir, client.Key))}

	var profile struct {
		Peers yaml.MapSlice
	}
	var servers struct {
		Peers map[string]struct {
			URL        string
			TLSCACerts struct{ PEM string } `yaml:"tlsCACerts"`
		}
	}
	readYAML(t, filepath.Join(dir, client.Profile), &profile)
	readYAML(t, filepath.Join(dir, client.Profile), &servers)
	var out []*chain
	for _, item := range profile.Peers { // in the order of the file
		name := fmt.Sprint(item.Key)
		server := servers.Peers[name]
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM([]byte(server.TLSCACerts.PEM)) {
			t.Fatalf("the profile has no TLS root of %s", name)
		}
		out = append(out, &chain{name: name, address: strings.TrimPrefix(server.URL, "grpcs://"), roots: roots, client: who})
	}
	return out
}

func readYAML(t *testing.T, path string, v any) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err == nil {
		err = yaml.Unmarshal(b, v)
	}
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func readKey(t *testing.T, path string) *ecdsa.PrivateKey {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	p, _ := pem.Decode(b)
	if p == nil {
		t.Fatalf("%s is not PEM", path)
	}
	key, err := x509.ParsePKCS8PrivateKey(p.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key.(*ecdsa.PrivateKey)
}

// dial makes a connection for one question: one that an outage has cut would be waited for.
func (c *chain) dial() (*grpc.ClientConn, error) {
	return grpc.NewClient(c.address,
		grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{RootCAs: c.roots, MinVersion: tls.VersionTLS12})),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Second, Timeout: 2 * time.Second}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(math.MaxInt32)))
}

// Head returns the peer's newest block.
func (c *chain) Head(ctx context.Context) (ledger.Head, error) {
	newest := &orderer.SeekPosition{Type: &orderer.SeekPosition_Newest{Newest: &orderer.SeekNewest{}}}
	for b, err := range c.blocks(ctx, newest, newest) {
		if err != nil {
			return ledger.Head{}, err
		}
		return ledger.Head{Height: b.Header.Number + 1, Hash: block.HeaderHash(b.Header)}, nil
	}
	return ledger.Head{}, fmt.Errorf("%s has no newest block", c.name)
}

// height is the number of the peer's blocks; a peer that does not answer soon has none to show.
func (c *chain) height(ctx context.Context) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	head, err := c.Head(ctx)
	return head.Height, err
}

// Follow yields the peer's blocks from a number on.
func (c *chain) Follow(ctx context.Context, from uint64) iter.Seq2[*ledger.Block, error] {
	return func(yield func(*ledger.Block, error) bool) {
		for b, err := range c.blocks(ctx, at(from), at(math.MaxUint64)) {
			var read *ledger.Block
			if err == nil {
				read, err = block.Read(b, fabric.Channel, fabric.ChaincodeName)
			}
			if !yield(read, err) || err != nil {
				return
			}
		}
	}
}

// A kept chain keeps the blocks that it has read, for comparisons again and again.
type kept struct {
	*chain
	blocks []*ledger.Block
}

// Follow yields what was kept, and then what the peer has.
func (k *kept) Follow(ctx context.Context, from uint64) iter.Seq2[*ledger.Block, error] {
	return func(yield func(*ledger.Block, error) bool) {
		for _, b := range k.blocks[min(from, uint64(len(k.blocks))):] {
			if !yield(b, nil) {
				return
			}
		}
		for b, err := range k.chain.Follow(ctx, max(from, uint64(len(k.blocks)))) {
			if err == nil && b.Number == uint64(len(k.blocks)) {
				k.blocks = append(k.blocks, b)
			}
			if !yield(b, err) {
				return
			}
		}
	}
}

func at(number uint64) *orderer.SeekPosition {
	return &orderer.SeekPosition{Type: &orderer.SeekPosition_Specified{Specified: &orderer.SeekSpecified{Number: number}}}
}

// blocks asks the peer for blocks, waiting for those that it does not have yet.
func (c *chain) blocks(ctx context.Context, from, to *orderer.SeekPosition) iter.Seq2[*common.Block, error] {
	return func(yield func(*common.Block, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		envelope, err := c.client.envelope(&orderer.SeekInfo{Start: from, Stop: to, Behavior: orderer.SeekInfo_BLOCK_UNTIL_READY})
		if err != nil {
			yield(nil, err)
			return
		}
		conn, err := c.dial()
		if err != nil {
			yield(nil, err)
			return
		}
		defer conn.Close()
		stream, err := peer.NewDeliverClient(conn).Deliver(ctx)
		if err == nil {
			err = stream.Send(envelope)
		}
		for err == nil {
			var answer *peer.DeliverResponse
			if answer, err = stream.Recv(); err != nil {
				break
			}
			switch a := answer.Type.(type) {
			case *peer.DeliverResponse_Block:
				if !yield(a.Block, nil) {
					return
				}
			case *peer.DeliverResponse_Status:
				if a.Status == common.Status_SUCCESS {
					return
				}
				err = fmt.Errorf("the answer is %s", a.Status)
			}
		}
		yield(nil, fmt.Errorf("read the blocks of %s: %w", c.name, err))
	}
}

// envelope signs a request for blocks.
func (w *identity) envelope(seek *orderer.SeekInfo) (*common.Envelope, error) {
	nonce := make([]byte, 24)
	rand.Read(nonce)
	channel, err := proto.Marshal(&common.ChannelHeader{
		Type: int32(common.HeaderType_DELIVER_SEEK_INFO), ChannelId: fabric.Channel, Timestamp: ptypes.TimestampNow(),
	})
	if err != nil {
		return nil, err
	}
	signature, err := proto.Marshal(&common.SignatureHeader{Creator: w.creator, Nonce: nonce})
	if err != nil {
		return nil, err
	}
	data, err := proto.Marshal(seek)
	if err != nil {
		return nil, err
	}
	payload, err := proto.Marshal(&common.Payload{Header: &common.Header{ChannelHeader: channel, SignatureHeader: signature}, Data: data})
	if err != nil {
		return nil, err
	}
	signed, err := w.sign(payload)
	return &common.Envelope{Payload: payload, Signature: signed}, err
}

// sign signs as Fabric wants it: ECDSA over SHA-256, s in the lower half of the order.
func (w *identity) sign(b []byte) ([]byte, error) {
	digest := sha256.Sum256(b)
	r, s, err := ecdsa.Sign(rand.Reader, w.key, digest[:])
	if err != nil {
		return nil, err
	}
	order := w.key.Params().N
	if s.Cmp(new(big.Int).Rsh(order, 1)) > 0 {
		s.Sub(order, s)
	}
	return asn1.Marshal(struct{ R, S *big.Int }{r, s})
}
