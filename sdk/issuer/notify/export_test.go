package notify

// What tests call.
var (
	SendDue    = (*Notifier).sendDue
	PauseAfter = pauseAfter
)

const (
	AtOnce      = atOnce
	Patience    = patience
	LongPause   = longPause
	FailsInARow = failsInARow
)
