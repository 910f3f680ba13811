package accesslog

import "context"

// rehearsalSize is the room that one entry takes at most, with the head of its group.
const rehearsalSize = groupHead + maxRecord

// Check reports whether entries can be recorded at present. It has the writer do with the disk, in turn
// with the groups, what recording an entry does: room for one is written behind the newest entry,
// synced, and cut off again. A process that ends meanwhile leaves zeros there, which are cut off like a
// group that was not written to its end when the log is opened.
//
// The error is an *Error, CodeStorage or CodeClosed, or that of ctx: the disk may hang.
func (l *Log) Check(ctx context.Context) error {
	answer := make(chan error, 1)
	select {
	case l.checks <- answer:
	case <-l.ended:
		return errClosed()
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// rehearse is Check, for the writer.
func (l *Log) rehearse() error {
	if err := l.put(make([]byte, rehearsalSize)); err != nil {
		return err
	}
	l.dirty = true
	return l.repair()
}
