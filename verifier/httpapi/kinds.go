package httpapi

import (
	"errors"
	"net/http"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/rest"
	"github.com/credledger/credledger/verifier/accesslog"
	"github.com/credledger/credledger/verifier/agency"
	"github.com/credledger/credledger/verifier/intake"
	"github.com/credledger/credledger/verifier/request"
	"github.com/credledger/credledger/verifier/store"
)

// kinds has every code that callers see. What other packages find keeps their codes; an error whose
// code is not here is no business of the caller's.
var kinds = rest.NewKinds(rest.Kinds{
	agency.CodeContext: {Status: http.StatusBadRequest, Text: refusal(agency.CodeContext)},

	agency.CodeSignIn: {Status: http.StatusUnauthorized, Text: refusal(agency.CodeSignIn)},

	agency.CodeAddress:         {Status: http.StatusForbidden, Text: refusal(agency.CodeAddress)},
	codeAudienceRefused:        {Status: http.StatusForbidden, Text: licence.Text{Zh: "不能以此名义要求亮证", En: "The caller may not ask in this name"}},
	agency.CodeType:            {Status: http.StatusForbidden, Text: refusal(agency.CodeType)},
	agency.CodeMatter:          {Status: http.StatusForbidden, Text: refusal(agency.CodeMatter)},
	codeOnBehalfRefused:        {Status: http.StatusForbidden, Text: refusal(agency.CodeOnBehalf)},
	agency.CodeOverAsking:      {Status: http.StatusForbidden, Text: refusal(agency.CodeOverAsking)},
	codeHolderNotProven:        {Status: http.StatusForbidden, Text: licence.Text{Zh: "未能证明本人出示", En: "The holder is not proven"}},
	codeIssuerOnly:             {Status: http.StatusForbidden, Text: licence.Text{Zh: "仅颁发机构可以查看", En: "Only the issuer may see this"}},
	codeMatterUnknown:          {Status: http.StatusNotFound, Text: licence.Text{Zh: "没有此事项", En: "There is no such matter"}},
	codeTypeUnknown:            {Status: http.StatusNotFound, Text: licence.Text{Zh: "没有此证照类型", En: "There is no such licence type"}},
	codeDepartment:             {Status: http.StatusNotFound, Text: licence.Text{Zh: "没有此部门", En: "There is no such department"}},
	codeAnchorUnknown:          {Status: http.StatusNotFound, Text: licence.Text{Zh: "账本上没有此存证", En: "Nothing is anchored under this root"}},
	codeReceiptUnknown:         {Status: http.StatusNotFound, Text: licence.Text{Zh: "没有此核验记录", En: "The access log has no such entry"}},
	codeSnapshotNone:           {Status: http.StatusNotFound, Text: licence.Text{Zh: "尚无快照", En: "There is no snapshot yet"}},
	store.CodeChallengeUnknown: {Status: http.StatusConflict, Text: licence.Text{Zh: "亮证请求无效,请重新发起", En: "The challenge is not known: ask again"}},
	store.CodeChallengeUsed:    {Status: http.StatusConflict, Text: licence.Text{Zh: "本次亮证已使用过,请重新出示", En: "The challenge was used before: ask again"}},
	store.CodeChallengeExpired: {Status: http.StatusConflict, Text: licence.Text{Zh: "亮证请求已过期,请重新发起", En: "The challenge has expired: ask again"}},
	codeLogUnavailable:         {Status: http.StatusServiceUnavailable, Text: licence.Text{Zh: "暂时无法记录核验,请稍后再试", En: "Verifications cannot be recorded at present: try again soon"}},
	store.CodeUnavailable:      {Status: http.StatusServiceUnavailable, Text: licence.Text{Zh: "系统暂时不可用,请稍后再试", En: "Not available at present: try again soon"}},
	store.CodeReferencesFull:   {Status: http.StatusServiceUnavailable, Text: licence.Text{Zh: "系统繁忙,请稍后再试", En: "Busy: try again soon"}},
	agency.CodeSignInLimited:   {Status: http.StatusTooManyRequests, Text: refusal(agency.CodeSignInLimited)},
	agency.CodeDailyCap:        {Status: http.StatusTooManyRequests, Text: refusal(agency.CodeDailyCap)},
	codeRefused:                {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "出示的内容有误", En: "It is not a presentation of this ledger"}},
	codeSealedUnknown:          {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "请重新扫描", En: "Scan it again"}},
	store.CodeReferenceUnknown: {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "亮证码无效,请持证人重新出示", En: "The code is not known: have a new one shown"}},
	store.CodeReferenceUsed:    {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "亮证码已使用过,请持证人重新出示", En: "The code was used before: have a new one shown"}},
	store.CodeReferenceExpired: {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "亮证码已过期,请持证人重新出示", En: "The code has expired: have a new one shown"}},
})

func init() { // with what package intake refuses
	for code, text := range intake.Texts() {
		status := http.StatusUnprocessableEntity
		if code == intake.CodeBusy {
			status = http.StatusServiceUnavailable
		}
		kinds[code] = rest.Kind{Status: status, Text: text}
	}
}

// refusal is what package agency tells people with a code.
func refusal(code string) licence.Text { return (&agency.Refusal{Code: code}).Text() }

// fromPackages maps the typed errors of other packages; nil for any other.
func fromPackages(err error) *rest.Problem {
	var refused *agency.Refusal
	var asked *request.Error
	var stored *store.Error
	var logged *accesslog.Error
	switch {
	case errors.As(err, &refused):
		p := &rest.Problem{Code: refused.Code, Detail: refused.Message, RetryAfter: refused.RetryAfter}
		if refused.Fields != nil {
			p.More = &rest.More{Name: "fields", Value: refused.Fields}
		}
		return p
	case errors.As(err, &asked):
		return fromRequest(asked)
	case errors.As(err, &stored):
		return &rest.Problem{Code: stored.Code, Detail: stored.Message, Cause: stored.Err}
	case errors.As(err, &logged):
		return &rest.Problem{Code: codeLogUnavailable, Detail: "the access log cannot be written or read, so nothing is answered", Cause: err}
	}
	if code, message, ok := intake.Refusal(err); ok {
		return rest.Refuse(code, message)
	}
	return nil
}
