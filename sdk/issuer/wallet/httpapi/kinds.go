package httpapi

import (
	"errors"
	"net/http"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/issuer/release"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/issuer/wallet"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/paper"
	"github.com/credledger/credledger/sdk/qr"
	"github.com/credledger/credledger/sdk/rest"
	"github.com/credledger/credledger/sdk/sqldb"
)

// Codes of the problems to which this package gives one name; the others have the codes of the packages that found
// them. Codes are part of the interface and never change.
const (
	codeTooMuch = "code-too-large"
	codeGlyph   = "glyph-missing"
	codeLedger  = "ledger-unavailable"
	codeVault   = "vault-unavailable"
)

// kinds has every code that callers see. An error whose code is not here is no business of the caller's.
var kinds = rest.NewKinds(rest.Kinds{
	wallet.CodeEnded:         {Status: http.StatusForbidden, Text: licence.Text{Zh: "您已不能再为此人代办", En: "You may no longer act for this person"}},
	wallet.CodeLimits:        {Status: http.StatusForbidden, Text: licence.Text{Zh: "委托代办的事项不包括此项操作", En: "What you were asked to help with does not include this"}},
	wallet.CodeFresh:         {Status: http.StatusForbidden, Text: licence.Text{Zh: "为保护您的信息,请重新登录确认身份", En: "Prove once more who you are: sign in again"}},
	wallet.CodeNotThere:      {Status: http.StatusNotFound, Text: licence.Text{Zh: "您名下没有此项内容", En: "There is no such thing among yours"}},
	vault.CodeRated:          {Status: http.StatusConflict, Text: licence.Text{Zh: "已经评价过,或已过评价期限", En: "You have rated this already, or it is too long ago"}},
	wallet.CodeBeyond:        {Status: http.StatusConflict, Text: licence.Text{Zh: "超出办理此事项所需,请确认是否仍要出示", En: "This is more than the matter needs: confirm that you want it"}},
	vault.CodeNoContent:      {Status: http.StatusConflict, Text: licence.Text{Zh: "颁发机构暂时无法读取此证照,请到窗口咨询", En: "The department cannot read this licence at present: ask at the counter"}},
	issuer.CodeNotAnchored:   {Status: http.StatusConflict, Text: licence.Text{Zh: "证照正在上链存证,请稍后再试", En: "The licence is on its way to the ledger: try again in a moment"}},
	wallet.CodeOpen:          {Status: http.StatusConflict, Text: licence.Text{Zh: "您对此证照的异议尚未答复,请等待答复", En: "Your objections to this licence have not been answered yet"}},
	wallet.CodeTooMany:       {Status: http.StatusConflict, Text: licence.Text{Zh: "数量过多,请先结束一部分", En: "There are too many already: end some first"}},
	vault.CodeErased:         {Status: http.StatusGone, Text: licence.Text{Zh: "证照内容已依法销毁", En: "What the licence said was erased for good"}},
	wallet.CodeAgency:        {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "没有此用证机构", En: "There is no such agency"}},
	codeTooMuch:              {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "所选内容过多,一个码放不下,请减少一些", En: "The fields take more than a code can hold: choose fewer"}},
	wallet.CodeField:         {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "此证照没有该字段", En: "The licence has no such field"}},
	codeGlyph:                {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "证照中有无法打印的字,请到窗口办理", En: "The licence has a character that cannot be printed: ask at the counter"}},
	wallet.CodeHelper:        {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "身份证号码有误,或是您本人的号码", En: "This is not an identity number, or it is your own"}},
	vault.CodeClaimReused:    {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "同一幂等键用于了不同的请求", En: "The idempotency key was used for something else"}},
	wallet.CodeMatter:        {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "没有此事项,或此事项不需要该证照", En: "There is no such matter, or it does not need this licence"}},
	codeLedger:               {Status: http.StatusServiceUnavailable, Text: licence.Text{Zh: "账本暂时不可用,请稍后再试", En: "The ledger is not available at present: try again soon"}},
	issuer.CodeSignerMissing: {Status: http.StatusServiceUnavailable, Text: licence.Text{Zh: "颁发机构暂时无法签名,请稍后再试", En: "The department cannot sign this at present: try again later"}},
	codeVault:                {Status: http.StatusServiceUnavailable, Text: licence.Text{Zh: "颁发机构的证照库暂时不可用,请稍后再试", En: "The department's records are not available at present: try again soon"}},
	wallet.CodeVerifier:      {Status: http.StatusServiceUnavailable, Text: licence.Text{Zh: "暂时无法生成一次性亮证码,请改用离线码", En: "No one-time code at present: use the self-contained code"}},
})

// fromPackages maps the typed errors of other packages; nil for any other.
func fromPackages(err error) *rest.Problem {
	var own *wallet.Error
	if errors.As(err, &own) {
		return fromWallet(own)
	}
	var printed *paper.Error
	var symbol *qr.Error
	var shown *credential.Error
	switch {
	case errors.As(err, &printed):
		return fromPaper(printed)
	case errors.As(err, &shown):
		return fromCredential(shown)
	case errors.As(err, &symbol) && symbol.Code == qr.CodeTooLong:
		return &rest.Problem{Code: codeTooMuch, Detail: "the fields do not fit into one code: choose fewer", Cause: err}
	}
	code := release.Code(err)
	if code == "" {
		code = issuer.Code(err)
	}
	if code == "" {
		code = ledger.Code(err)
	}
	switch code {
	case "":
		return nil
	case release.CodeContention:
		return &rest.Problem{Code: rest.CodeOverloaded, Detail: "others use the same at this moment; try again", Cause: err}
	case vault.CodeRated, vault.CodeClaimReused, vault.CodeErased, vault.CodeNoContent, issuer.CodeNotAnchored, issuer.CodeSignerMissing, wallet.CodeEnded, wallet.CodeLimits:
		return &rest.Problem{Code: code, Detail: "see the text: it says what to do", Cause: err}
	case ledger.CodeNotSubmitted, ledger.CodeOutcomeUnknown, ledger.CodeClosed, issuer.CodeClosed:
		return &rest.Problem{Code: codeLedger, Detail: "the ledger did not answer; try again soon", Cause: err}
	case vault.CodeUnchecked, vault.CodeLedgerOther, vault.CodeRolledBack, vault.CodeKeys, vault.CodeUnavailable, vault.CodeKeyRetired, vault.CodeDamaged,
		issuer.CodeStorage, issuer.CodeContent, sqldb.CodeBusy, sqldb.CodeUnavailable, sqldb.CodeDamaged:
		return &rest.Problem{Code: codeVault, Detail: "the vault cannot be used at present; try again soon, and tell the operator if that does not help", Cause: err}
	case vault.CodeArgument, release.CodeArguments:
		return &rest.Problem{Code: rest.CodeMemberInvalid, Detail: "a member is not of its form", Cause: err}
	}
	return nil
}

func fromWallet(err *wallet.Error) *rest.Problem {
	p := &rest.Problem{Code: err.Code, Detail: err.Message, Cause: err}
	switch err.Code {
	case wallet.CodeArguments:
		p.Code = rest.CodeMemberInvalid
	case wallet.CodeBeyond:
		p.More = &rest.More{Name: "beyond", Value: append([]string{}, err.Fields...)}
	}
	return p
}

func fromPaper(err *paper.Error) *rest.Problem {
	switch err.Code {
	case paper.CodeTooMuch:
		return &rest.Problem{Code: codeTooMuch, Detail: "the fields do not fit into one code: choose fewer", Cause: err}
	case paper.CodeNoCharacter:
		return &rest.Problem{Code: codeGlyph, Detail: "a field has a character that no typeface of the sheet draws", Cause: err}
	}
	return nil
}

func fromCredential(err *credential.Error) *rest.Problem {
	switch err.Code {
	case credential.CodeTooLarge:
		return &rest.Problem{Code: codeTooMuch, Detail: "the fields do not fit into one code: choose fewer", Cause: err}
	case credential.CodeNoSuchField:
		return &rest.Problem{Code: wallet.CodeField, Detail: "the licence has no field of this name", Cause: err}
	}
	return nil
}
