package index

// Flush writes to the disk what is only in memory so far, which happens by itself only now and then and
// on Close: an index that is opened after a crash goes on from its newest flush, and reads what came
// later from the ledger again. Whoever has to answer while the ledger cannot be reached flushes often.
// It is for any goroutine, but not after Close has begun. The error is an *Error with CodeStorage.
func (x *Index) Flush() error {
	if err := x.store.flush(); err != nil {
		return &Error{CodeStorage, "write the index to the disk", err}
	}
	return nil
}
