package chaincode

import (
	"encoding/hex"
	"encoding/json"
	"strconv"

	"github.com/credledger/credledger/sdk/sm"
)

// A Reader is what queries need beside State.
type Reader interface {
	State
	// Scan visits the keys with a prefix that come after a key ("" for all of them), in ascending
	// order, until visit says that it has enough.
	Scan(prefix, after string, visit func(key string, value []byte) (more bool, err error)) error
	// History returns every value that a key ever had, oldest first.
	History(key string) ([]Version, error)
}

// A Version is a value that a key had.
type Version struct {
	TxID  string // of the transaction that wrote it
	Value []byte
}

// A Query asks for a part of the state. Hashes are arguments in lower-case hex.
//
//	ledger                                  its id, name, authority and genesis
//	heartbeat                               the newest
//	departments | department ID             with profile and state
//	keys DEPARTMENT | key KID               with purposes, dates and state
//	types | type ID [VERSION]               versions; a definition, by default the newest
//	anchor ISSUER ROOT                      the signed head
//	anchors ISSUER [AFTER-ROOT]             the next 100 of an issuer's, in the order of their roots
//	status ISSUER DIGEST [TYPE]             of a licence, with its history
//	root-status ISSUER ROOT                 of all licences under a root, with its history
//	restrictions ISSUER DIGEST [TYPE]       those laid and not lifted
//	checkpoint DEPARTMENT LOG [SIZE]        of an access log: the newest, or the one at a size
//	consent DEPARTMENT DIGEST               of a grant, or of a withdrawn binding
//	verify ISSUER ROOT INDEX DIGEST PATH    whether a licence is anchored there, and what holds of it
//
// TYPE is needed only if an issuer changed the status of one digest, or restricted it, under heads
// of several types. A status that was never changed is active, with sequence number 0, whether there
// is such a licence or not: verify tells.
type Query struct {
	Name string
	Args []string
}

// pageSize is the number of anchors in one answer.
const pageSize = 100

// queries maps a name to the form of its arguments, how many of them may be left out, and its answer.
var queries = map[string]struct {
	form     []parameter
	optional int
	answer   func(Reader, []argument) (any, error)
}{
	"ledger":       {nil, 0, queryLedger},
	"heartbeat":    {nil, 0, queryHeartbeat},
	"departments":  {nil, 0, queryDepartments},
	"department":   {[]parameter{idParameter}, 0, queryDepartment},
	"keys":         {[]parameter{idParameter}, 0, queryKeys},
	"key":          {[]parameter{hashParameter}, 0, queryKey},
	"types":        {nil, 0, queryTypes},
	"type":         {[]parameter{idParameter, numberParameter}, 1, queryType},
	"anchor":       {[]parameter{idParameter, hashParameter}, 0, queryAnchor},
	"anchors":      {[]parameter{idParameter, hashParameter}, 1, queryAnchors},
	"status":       {[]parameter{idParameter, hashParameter, idParameter}, 1, queryStatus},
	"root-status":  {[]parameter{idParameter, hashParameter}, 0, queryRootStatus},
	"restrictions": {[]parameter{idParameter, hashParameter, idParameter}, 1, queryRestrictions},
	"checkpoint":   {[]parameter{idParameter, idParameter, sizeParameter}, 1, queryCheckpoint},
	"consent":      {[]parameter{idParameter, hashParameter}, 0, queryConsent},
	"verify":       {[]parameter{idParameter, hashParameter, numberParameter, hashParameter, pathParameter}, 0, queryVerify},
}

// Evaluate answers a query in JSON; a definition is answered as it was published, byte for byte. A
// query that is not of its form is an *Error with CodeQuery, an answer that is not there one with
// CodeNotFound.
func Evaluate(r Reader, q Query) ([]byte, error) {
	entry, ok := queries[q.Name]
	if !ok {
		return nil, errorf(CodeQuery, "there is no such query")
	}
	if most := len(entry.form); len(q.Args) < most-entry.optional || len(q.Args) > most {
		return nil, errorf(CodeQuery, "the query %s takes %d to %d arguments, not %d", q.Name, most-entry.optional, most, len(q.Args))
	}
	args := make([]argument, len(q.Args))
	for i, text := range q.Args {
		if !entry.form[i].read(text, &args[i]) {
			return nil, errorf(CodeQuery, "argument %d of the query %s is not %s", i+1, q.Name, entry.form[i].what)
		}
	}
	answer, err := entry.answer(r, args)
	if err != nil {
		return nil, err
	}
	if asItIs, ok := answer.(json.RawMessage); ok {
		return asItIs, nil
	}
	return json.Marshal(answer)
}

// An argument is one of a query, read.
type argument struct {
	id     string
	hash   sm.Hash
	number uint32
	size   uint64
	path   []byte
}

// A parameter is the form of an argument.
type parameter struct {
	what string
	read func(string, *argument) bool
}

var (
	idParameter = parameter{"1 to 32 characters of a-z, 0-9 and -", func(s string, a *argument) bool {
		a.id = s
		ok := 1 <= len(s) && len(s) <= 32
		for i := 0; ok && i < len(s); i++ {
			c := s[i]
			ok = 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-'
		}
		return ok
	}}
	hashParameter = parameter{"64 lower-case hexadecimal digits", func(s string, a *argument) (ok bool) {
		var err error
		a.hash, err = sm.ParseHash(s)
		return err == nil
	}}
	numberParameter = parameter{"a decimal number below 2^32", func(s string, a *argument) bool {
		n, err := strconv.ParseUint(s, 10, 32)
		a.number = uint32(n)
		return err == nil && strconv.FormatUint(n, 10) == s
	}}
	sizeParameter = parameter{"a decimal number below 2^40", func(s string, a *argument) (ok bool) {
		var err error
		a.size, err = strconv.ParseUint(s, 10, 40)
		return err == nil && strconv.FormatUint(a.size, 10) == s
	}}
	pathParameter = parameter{"at most 12 hashes in lower-case hexadecimal digits", func(s string, a *argument) bool {
		if len(s) > 2*maxPath {
			return false
		}
		var err error
		a.path, err = hex.DecodeString(s)
		return err == nil && hex.EncodeToString(a.path) == s
	}}
)

// maxPath is the length in bytes of the longest inclusion path in a batch.
const maxPath = 12 * sm.HashSize
