// Package service runs a verifier: it follows a ledger, serves httpapi and the pages over HTTPS and
// TLCP, keeps the access log and anchors it, and says how it is.
//
// What it is made of lies in a directory of its own:
//
//	index/         the verifier's index of the ledger; may be deleted, is made again
//	access-log/    the access log and its anchored checkpoints; never delete it
//	store.db       challenges, references, sessions and daily counts, unless a database holds them
//	snapshot       the newest snapshot, if this service makes it or somebody puts it there
//
// No request waits for the ledger. While that cannot be reached the service answers from its index,
// the verdicts say how old that is, and turn undetermined once it is too old for the type.
//
// It begins and ends in order. To begin: the index, which must know its ledger; the store and the
// access log; then the listeners. To end: it is no longer ready, the listeners close and requests under
// way are finished; the anchoring stops; the access log, the store and the index are closed. An answer
// is given only after its entry in the access log is durable, so that a process which is killed has
// answered nothing that the log does not have.
//
// The package holds no logic of verdicts, logs nobody's name, address, licence or field, and reads no
// private key but those that it is given.
package service
