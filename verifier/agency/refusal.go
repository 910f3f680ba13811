package agency

import (
	"errors"
	"time"

	"github.com/credledger/credledger/sdk/licence"
)

// Codes of refusals; they never change.
const (
	CodeUnauthenticated = "unauthenticated"   // no token or certificate of an agency; a clerk who is there no more
	CodeAddress         = "address-refused"   // the call comes from elsewhere than the agency's addresses
	CodeRateLimited     = "rate-limited"      // calls come faster than agreed; see RetryAfter
	CodeContext         = "context-missing"   // clerk, unit, matter or, at a shared counter, on whose behalf is not said
	CodeMatter          = "matter-refused"    // the agency may not name this matter
	CodeOnBehalf        = "on-behalf-refused" // the agency does not ask on behalf of this department
	CodeType            = "type-refused"      // the agency may not ask for licences of this type
	CodeOverAsking      = "over-asking"       // it asks for fields that it may not have; see Fields
	CodeDailyCap        = "daily-cap"         // the agency has verified as much as it may on one day; see RetryAfter
	CodeSignIn          = "sign-in-failed"    // agency, name or password is wrong
	CodeSignInLimited   = "sign-in-limited"   // too many attempts; see RetryAfter
)

// A Refusal is why a call is not answered.
type Refusal struct {
	Code       string
	Message    string        // for whoever wrote the calling program: what to do
	Fields     []string      // with CodeOverAsking: the keys asked for without leave
	RetryAfter time.Duration // with CodeRateLimited, CodeDailyCap and CodeSignInLimited
}

func (r *Refusal) Error() string { return r.Code + ": " + r.Message }

func refuse(code, message string) *Refusal { return &Refusal{Code: code, Message: message} }

// Code returns the code of the *Refusal in err's chain, "" if there is none.
func Code(err error) string {
	var r *Refusal
	if errors.As(err, &r) {
		return r.Code
	}
	return ""
}

// Text says it to the clerk.
func (r *Refusal) Text() licence.Text { return texts[r.Code] }

var texts = map[string]licence.Text{
	CodeUnauthenticated: {Zh: "未登录或登录已失效,请重新登录", En: "Not signed in, or no longer: sign in again"},
	CodeAddress:         {Zh: "此网络地址不允许使用,请联系本单位管理员", En: "Not allowed from this network address: ask your administrator"},
	CodeRateLimited:     {Zh: "请求过于频繁,请稍后再试", En: "Too many requests: try again in a moment"},
	CodeContext:         {Zh: "请填写经办人、单位、事项;综合窗口还须填写所代办的部门", En: "Say clerk, unit and matter; at a shared counter also on whose behalf"},
	CodeMatter:          {Zh: "本单位未获准办理此事项", En: "Your agency may not handle this matter"},
	CodeOnBehalf:        {Zh: "本窗口不能代该部门办理", En: "This counter does not act for that department"},
	CodeType:            {Zh: "本单位未获准核验此类证照", En: "Your agency may not ask for licences of this type"},
	CodeOverAsking:      {Zh: "索取的信息超出授权范围", En: "More was asked for than your agency may have"},
	CodeDailyCap:        {Zh: "今日核验次数已达上限", En: "Today's limit of verifications is reached"},
	CodeSignIn:          {Zh: "单位、姓名或密码不正确", En: "Agency, name or password is wrong"},
	CodeSignInLimited:   {Zh: "尝试次数过多,请稍后再试", En: "Too many attempts: try again in a moment"},
}
