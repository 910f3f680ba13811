package opener

import (
	"errors"
	"net/http"

	"github.com/credledger/credledger/sdk/envelope"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/rest"
	"github.com/credledger/credledger/sdk/webhook"
	"github.com/credledger/credledger/verifier/intake"
)

// Codes of the problems that this package finds itself. Codes are part of the interface and never change.
const (
	codeAddress   = "address-refused"
	codeHost      = "host-refused"
	codeBrowser   = "browser-refused"
	codeReference = "reference-elsewhere"
)

// kinds has every code that callers see.
func kinds() rest.Kinds {
	own := rest.Kinds{
		rest.CodeUnauthenticated: {Status: http.StatusUnauthorized, Text: licence.Text{Zh: "令牌缺失或有误", En: "The token is missing or wrong"}},

		codeAddress: {Status: http.StatusForbidden, Text: licence.Text{Zh: "仅限本机调用", En: "Only this machine is answered"}},
		codeHost:    {Status: http.StatusForbidden, Text: licence.Text{Zh: "请以 localhost 或本机地址调用", En: "Call the endpoint by localhost or a loopback address"}},
		codeBrowser: {Status: http.StatusForbidden, Text: licence.Text{Zh: "仅限程序调用,不接受浏览器", En: "Only programs are answered, no browsers"}},
	}
	for code, text := range map[string]licence.Text{
		codeReference:          {Zh: "此类亮证码须到其所示的核验平台核验", En: "A code of this kind is verified at the verifier that it names"},
		envelope.CodeMalformed: {Zh: "不是加密信封", En: "It is no envelope"},
		envelope.CodeOtherKey:  {Zh: "信封的收件密钥不在本机", En: "It is sealed to another key"},
		envelope.CodeAltered:   {Zh: "信封已被改动或系伪造", En: "The envelope was changed, or made up"},
		webhook.CodeMalformed:  {Zh: "不是颁发机构的通知", En: "It is no message of an issuer"},
		webhook.CodeSignature:  {Zh: "通知并非颁发机构所发,或已被改动", En: "The message is not the issuer's, or was changed"},
		webhook.CodeTime:       {Zh: "通知并非刚刚发出", En: "The message was not sent just now"},
	} {
		own[code] = rest.Kind{Status: http.StatusUnprocessableEntity, Text: text}
	}
	for code, text := range intake.Texts() {
		own[code] = rest.Kind{Status: http.StatusUnprocessableEntity, Text: text}
	}
	own[intake.CodeBusy] = rest.Kind{Status: http.StatusServiceUnavailable, Text: own[intake.CodeBusy].Text}
	all := rest.NewKinds(own)
	delete(all, rest.CodeHeaderMissing) // which do not occur here
	delete(all, rest.CodeRateLimited)
	return all
}

// asProblem maps the typed errors of other packages; nil for any other.
func asProblem(err error) *rest.Problem {
	var sealed *envelope.Error
	var message *webhook.Error
	switch {
	case errors.As(err, &sealed):
		return rest.Refuse(sealed.Code, sealed.Message)
	case errors.As(err, &message):
		return rest.Refuse(message.Code, message.Message)
	}
	if code, text, ok := intake.Refusal(err); ok {
		return rest.Refuse(code, text)
	}
	return nil
}
