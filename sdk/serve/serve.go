// Package serve is the outer half of a service: what listens, bounds, sheds, counts, answers probes and ends in
// order, whatever the service does.
//
//	metrics := serve.NewMetrics("verifier")
//	doors, err := serve.Open(&config, metrics, serve.Handler{API: api, Refuse: api.Refuse, Ready: s.ready})
//	err = doors.Run(ctx, log, chores, s.Close)
//
// Callers come by HTTP or HTTPS, or by TLCP (GB/T 38636); operators by plain HTTP on loopback. On the way of a
// request stand, in this order: the limit on connections, the probes, the client's address through proxies,
// and the gate, which sheds what is too much before it costs anything. Then it is the API's.
//
// The package logs no address of a client and nothing that a request holds, and labels no metric with
// anything that a caller chose.
package serve

import "errors"

// Codes of [Error]; they are stable.
const (
	CodeConfig = "config-malformed" // a configuration, or a file that it names, is not usable
	CodeListen = "listen-failed"    // an address cannot be listened on
	CodeStart  = "start-failed"     // a part of a service cannot be opened
	CodeEnded  = "part-ended"       // a part of a service ended that must not
)

// Error is an error of a service: of this package, or with codes of its own.
type Error struct {
	Code    string // one of the codes above, or of the service
	Message string // what was attempted and what to do
	Err     error  // the cause, may be nil
}

func (e *Error) Error() string {
	if e.Err != nil {
		return e.Message + ": " + e.Err.Error()
	}
	return e.Message
}

func (e *Error) Unwrap() error { return e.Err }

// Code returns the code of the outermost *Error in err's chain, "" if there is none.
func Code(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}
