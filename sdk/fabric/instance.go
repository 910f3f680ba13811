package fabric

import (
	"sync"

	"github.com/hyperledger/fabric-sdk-go/pkg/common/providers/core"
	"github.com/hyperledger/fabric-sdk-go/pkg/common/providers/fab"
	"github.com/hyperledger/fabric-sdk-go/pkg/common/providers/msp"
	sdkconfig "github.com/hyperledger/fabric-sdk-go/pkg/core/config"
	"github.com/hyperledger/fabric-sdk-go/pkg/core/cryptosuite/bccsp/sw"
	sdkorderer "github.com/hyperledger/fabric-sdk-go/pkg/fab/orderer"
	sdkpeer "github.com/hyperledger/fabric-sdk-go/pkg/fab/peer"
	"github.com/hyperledger/fabric-sdk-go/pkg/fabsdk"
	"github.com/hyperledger/fabric-sdk-go/pkg/fabsdk/factory/defcore"
	mspimpl "github.com/hyperledger/fabric-sdk-go/pkg/msp"
)

// An instance is the process's one instance of fabric-sdk-go, and its gRPC connections, for a
// connection profile.
type instance struct {
	fingerprint string // of the profile
	sdk         *fabsdk.FabricSDK
	dialer      *dialer
	suite       core.CryptoSuite
	networks    map[networkKey]*network
	told        map[string]*mark // by channel
	uses        int              // networks that are open or being closed
}

// A networkKey tells apart what connections cannot share.
type networkKey struct{ channel, chaincode, authority, identity string }

// instances holds what is open in this process, by fingerprint.
var (
	instancesMu sync.Mutex
	instances   = map[string]*instance{}
)

// acquire returns the network of a configuration; release gives it back.
func acquire(c *Config) (*network, error) {
	instancesMu.Lock()
	defer instancesMu.Unlock()
	encoded, fingerprint := c.profile.encode()
	in := instances[fingerprint]
	if in == nil {
		var err error
		if in, err = newInstance(c.profile, encoded); err != nil {
			return nil, err
		}
		in.fingerprint = fingerprint
		instances[fingerprint] = in
	}
	key := networkKey{c.Channel, c.Chaincode, c.Authority, c.identity.fingerprint()}
	n := in.networks[key]
	if n == nil {
		if in.told[c.Channel] == nil {
			in.told[c.Channel] = new(mark)
		}
		var err error
		if n, err = newNetwork(in, c); err != nil {
			in.drop()
			return nil, err
		}
		n.key = key
		in.networks[key] = n
		in.uses++
	}
	n.uses++
	return n, nil
}

// release ends one use of a network, and with the last one the network.
func release(n *network) {
	instancesMu.Lock()
	n.uses--
	last := n.uses == 0
	if last {
		delete(n.instance.networks, n.key)
	}
	instancesMu.Unlock()
	if !last {
		return
	}
	n.close()
	instancesMu.Lock()
	defer instancesMu.Unlock()
	n.instance.uses--
	n.instance.drop()
}

// drop ends an instance that has no uses; instancesMu is held.
func (in *instance) drop() {
	if in.uses == 0 {
		delete(instances, in.fingerprint)
		in.sdk.Close()
	}
}

func newInstance(p *profile, encoded []byte) (*instance, error) {
	silenced()
	in := &instance{dialer: newDialer(p), networks: map[networkKey]*network{}, told: map[string]*mark{}}
	var err error
	if in.suite, err = sw.GetSuiteWithDefaultEphemeral(); err != nil {
		return nil, fail(CodeConfig, "start fabric-sdk-go", err)
	}
	in.sdk, err = fabsdk.New(sdkconfig.FromRaw(encoded, "json"),
		fabsdk.WithCorePkg(&coreFactory{defcore.NewProviderFactory(), in}), fabsdk.WithMSPPkg(mspFactory{}))
	if err != nil {
		return nil, fail(CodeConfig, "start fabric-sdk-go", err)
	}
	return in, nil
}

// coreFactory makes fabric-sdk-go use the instance's dialer, and keep no keys in files.
type coreFactory struct {
	*defcore.ProviderFactory
	in *instance
}

func (f *coreFactory) CreateCryptoSuiteProvider(core.CryptoSuiteConfig) (core.CryptoSuite, error) {
	return f.in.suite, nil
}

func (f *coreFactory) CreateInfraProvider(config fab.EndpointConfig) (fab.InfraProvider, error) {
	return &infrastructure{config, f.in.dialer}, nil
}

// infrastructure implements fab.InfraProvider.
type infrastructure struct {
	config fab.EndpointConfig
	dialer *dialer
}

func (i *infrastructure) CommManager() fab.CommManager { return i.dialer }
func (i *infrastructure) Close()                       { i.dialer.close() }

func (i *infrastructure) CreatePeerFromConfig(c *fab.NetworkPeer) (fab.Peer, error) {
	return sdkpeer.New(i.config, sdkpeer.FromPeerConfig(c))
}

func (i *infrastructure) CreateOrdererFromConfig(c *fab.OrdererConfig) (fab.Orderer, error) {
	return sdkorderer.New(i.config, sdkorderer.FromOrdererConfig(c))
}

// mspFactory makes fabric-sdk-go look for no users: each connection brings its identity.
type mspFactory struct{}

func (mspFactory) CreateUserStore(msp.IdentityConfig) (msp.UserStore, error) {
	return mspimpl.NewMemoryUserStore(), nil
}

func (mspFactory) CreateIdentityManagerProvider(fab.EndpointConfig, core.CryptoSuite, msp.UserStore) (msp.IdentityManagerProvider, error) {
	return noManagers{}, nil
}

type noManagers struct{}

func (noManagers) IdentityManager(string) (msp.IdentityManager, bool) { return nil, false }
