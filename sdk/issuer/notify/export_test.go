package notify

// What tests call.
var (
	SendDue    = (*Notifier).sendDue
	PauseAfter = pauseAfter
	May        = (*Subscriber).may
)

const (
	AtOnce      = atOnce
	Patience    = patience
	LongPause   = longPause
	FailsInARow = failsInARow
)
