package release

// EndAfter ends what is being done, with the error that end returns, after the steps that have names.
func (d *Desk) EndAfter(end func(step string) error) { d.step = end }

// Steps after which something can be ended: of an answer, and of a grant and its withdrawal.
var (
	AnswerSteps = []string{stepOpened, stepAnswered, stepLogged}
	GrantSteps  = []string{stepKept, stepSubmitted}
	BackSteps   = []string{stepWithdrawn, stepSubmitted}
)
