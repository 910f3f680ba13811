// Package service runs an issuing department: it serves httpapi and the desk over HTTPS and TLCP, issues, keeps
// the vault and the ledger together, and tells subscribers.
//
// Beside its configuration it is given the department's vault, its connection to the ledger, and its keys. No
// process but one that runs this package, or a command of the department, has the master keys of the vault: a
// verifier never does.
//
// It begins and ends in order. To begin: the department, its types and its keys are asked of the ledger, for
// which it waits; then the listeners open. Nothing is issued before the vault has been compared with the
// ledger and what an earlier process left is settled (docs/ISSUANCE.md); until then, and whenever the ledger
// cannot be reached, /readyz says no, while licences can still be looked up. To end: it is no longer ready, the
// listeners close and requests under way are finished; what is being issued comes to its end; jobs stop where
// they are, and go on with the next start.
//
// Beside that it erases what was kept long enough, at night; deletes idempotency keys and proposals that have
// expired; and looks for new keys of the department, so that these can be rotated while it runs.
//
// With releases, it also answers the requests of other departments (sdk/issuer/release): by a view of the ledger that it
// follows and checks itself, and only while that is of the present; with an access log whose checkpoints it anchors; by the
// policy in a file, which it takes whenever it changes. The ledger may be out of reach meanwhile: what is granted then is
// brought there later, and what is withdrawn holds at once.
//
// The package decides nothing about licences, and logs nobody's name and no value of a licence.
package service
