package fabric

import (
	"sync"

	"github.com/hyperledger/fabric-sdk-go/pkg/common/logging"
	"github.com/hyperledger/fabric-sdk-go/pkg/core/logging/api"
)

// silenced gives fabric-sdk-go its logger before it takes one that writes to the standard output.
var silenced = sync.OnceFunc(func() { logging.Initialize(silence{}) })

// silence is a logger that says nothing. What goes wrong is in errors.
type silence struct{}

func (silence) GetLogger(string) api.Logger { return silence{} }

func (silence) Fatal(...any)          {}
func (silence) Fatalf(string, ...any) {}
func (silence) Fatalln(...any)        {}
func (silence) Panic(...any)          {}
func (silence) Panicf(string, ...any) {}
func (silence) Panicln(...any)        {}
func (silence) Print(...any)          {}
func (silence) Printf(string, ...any) {}
func (silence) Println(...any)        {}
func (silence) Debug(...any)          {}
func (silence) Debugf(string, ...any) {}
func (silence) Debugln(...any)        {}
func (silence) Info(...any)           {}
func (silence) Infof(string, ...any)  {}
func (silence) Infoln(...any)         {}
func (silence) Warn(...any)           {}
func (silence) Warnf(string, ...any)  {}
func (silence) Warnln(...any)         {}
func (silence) Error(...any)          {}
func (silence) Errorf(string, ...any) {}
func (silence) Errorln(...any)        {}
