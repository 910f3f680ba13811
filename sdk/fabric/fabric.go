// Package fabric is a ledger.Ledger on Hyperledger Fabric: one organisation's connection to the
// network that the departments run together. It is the only package that uses Fabric's client SDK.
//
// A submission is endorsed by the authority's peer and as many others as make a majority with it,
// its own organisation's among them while that lives; all of them must come to the same result. It
// is then given to an orderer, and to another one, byte for byte the same, until it stands in a block
// of a peer: an orderer's word that it took a transaction is not relied on. The transaction keeps
// its id all the while, so that it is applied once however often it was sent. Only when the peers
// have found it invalid because others were faster is it endorsed again.
//
// Each connection follows, for one process and organisation together, the peers that it uses: so it
// knows who lives, how far each is, and what has become of every transaction. No query is answered,
// and no submission refused, by the word of a peer that has not reached what this process was told of.
//
// What fabric-sdk-go is used for: identities, proposals, endorsers, orderers, streams of blocks, the
// channel's own queries. What is done here instead of by its channel client: which endorsers to ask
// (discovery keeps choosing dead ones), which orderers and for how long (its deadlines are minutes,
// and an idle connection to a restarted one is waited for), retries (under new ids there), commit
// status (a stream for each transaction there), and connections (a cancelled dial there closes a
// connection that others use).
//
// The package signs with the organisation's Fabric identity (ECDSA, Fabric's MSP) and never with a
// key of the ledger's rules (SM2): whoever submits has signed before. It decides nothing that the
// rules decide, and believes its peers: package audit is for those who do not.
package fabric
