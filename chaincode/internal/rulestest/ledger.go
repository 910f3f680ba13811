// Package rulestest has a ledger in memory, a city on it and a story of that city, for tests of the
// rules and of what runs them. Its private keys are known to everybody.
package rulestest

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/statement"
)

// Ledger is a ledger in memory, one transaction after the other. It implements chaincode.Reader.
type Ledger struct {
	state   map[string][]byte
	history map[string][]chaincode.Version
	height  int             // number of transactions that wrote
	touched map[string]bool // keys read since Touched
}

// NewLedger returns an empty ledger.
func NewLedger() *Ledger {
	return &Ledger{state: map[string][]byte{}, history: map[string][]chaincode.Version{}, touched: map[string]bool{}}
}

// Clone returns a copy.
func (l *Ledger) Clone() *Ledger {
	c := NewLedger()
	maps.Copy(c.state, l.state)
	for key, versions := range l.history {
		c.history[key] = slices.Clip(versions)
	}
	c.height = l.height
	return c
}

// Get implements chaincode.State.
func (l *Ledger) Get(key string) ([]byte, error) {
	l.touched[key] = true
	return l.state[key], nil
}

// Scan implements chaincode.Reader.
func (l *Ledger) Scan(prefix, after string, visit func(key string, value []byte) (bool, error)) error {
	for _, key := range l.Keys() {
		if !strings.HasPrefix(key, prefix) || key <= after {
			continue
		}
		if more, err := visit(key, l.state[key]); err != nil || !more {
			return err
		}
	}
	return nil
}

// History implements chaincode.Reader.
func (l *Ledger) History(key string) ([]chaincode.Version, error) { return l.history[key], nil }

// Keys returns the keys of the state in ascending order.
func (l *Ledger) Keys() []string { return slices.Sorted(maps.Keys(l.state)) }

// Submit applies a transaction and writes what it writes, as transaction "1", "2", and so on.
func (l *Ledger) Submit(actor string, tx *chaincode.Transaction) (existing bool, err error) {
	writes, err := chaincode.Apply(l, (*statement.Statement).Verify, actor, tx)
	if err != nil || len(writes) == 0 {
		return err == nil, err
	}
	l.Write(writes)
	return false, nil
}

// Write makes the writes of one transaction.
func (l *Ledger) Write(writes []chaincode.Write) {
	l.height++
	for _, w := range writes {
		l.state[w.Key] = w.Value
		l.history[w.Key] = append(l.history[w.Key], chaincode.Version{TxID: strconv.Itoa(l.height), Value: w.Value})
	}
}

// Touched returns the keys read since it was last called.
func (l *Ledger) Touched() map[string]bool {
	t := l.touched
	l.touched = map[string]bool{}
	return t
}

// Dump returns state and history as text: the same for ledgers that are the same.
func (l *Ledger) Dump() string {
	var b strings.Builder
	for _, key := range l.Keys() {
		b.WriteString(key)
		for _, v := range l.history[key] {
			b.WriteString(" " + v.TxID + ":" + strconv.QuoteToASCII(string(v.Value)))
		}
		b.WriteString(" = " + strconv.QuoteToASCII(string(l.state[key])) + "\n")
	}
	return b.String()
}
