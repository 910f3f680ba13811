package httpapi

import (
	"errors"
	"net/http"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/qr"
	"github.com/credledger/credledger/verifier/accesslog"
	"github.com/credledger/credledger/verifier/agency"
	"github.com/credledger/credledger/verifier/intake"
	"github.com/credledger/credledger/verifier/store"
)

// kinds has every code that callers see. What other packages find keeps their codes; an error whose
// code is not here is no business of the caller's.
var kinds = map[string]kind{
	codeBodyMalformed:    {http.StatusBadRequest, licence.Text{Zh: "请求正文格式有误", En: "The body is malformed"}},
	codeMemberInvalid:    {http.StatusBadRequest, licence.Text{Zh: "请求内容有误", En: "A member of the body is wrong"}},
	codeParameterInvalid: {http.StatusBadRequest, licence.Text{Zh: "请求参数有误", En: "A parameter is wrong"}},
	agency.CodeContext:   {http.StatusBadRequest, refusal(agency.CodeContext)},

	codeUnauthenticated: {http.StatusUnauthorized, refusal(agency.CodeUnauthenticated)},
	agency.CodeSignIn:   {http.StatusUnauthorized, refusal(agency.CodeSignIn)},

	agency.CodeAddress:         {http.StatusForbidden, refusal(agency.CodeAddress)},
	codeHeaderMissing:          {http.StatusForbidden, licence.Text{Zh: "请求缺少必要的标头", En: "A header is missing"}},
	codeAudienceRefused:        {http.StatusForbidden, licence.Text{Zh: "不能以此名义要求亮证", En: "The caller may not ask in this name"}},
	agency.CodeType:            {http.StatusForbidden, refusal(agency.CodeType)},
	agency.CodeMatter:          {http.StatusForbidden, refusal(agency.CodeMatter)},
	codeOnBehalfRefused:        {http.StatusForbidden, refusal(agency.CodeOnBehalf)},
	agency.CodeOverAsking:      {http.StatusForbidden, refusal(agency.CodeOverAsking)},
	codeHolderNotProven:        {http.StatusForbidden, licence.Text{Zh: "未能证明本人出示", En: "The holder is not proven"}},
	codeIssuerOnly:             {http.StatusForbidden, licence.Text{Zh: "仅颁发机构可以查看", En: "Only the issuer may see this"}},
	codeNotFound:               {http.StatusNotFound, licence.Text{Zh: "没有此页面或接口", En: "There is nothing at this path"}},
	codeMatterUnknown:          {http.StatusNotFound, licence.Text{Zh: "没有此事项", En: "There is no such matter"}},
	codeTypeUnknown:            {http.StatusNotFound, licence.Text{Zh: "没有此证照类型", En: "There is no such licence type"}},
	codeDepartment:             {http.StatusNotFound, licence.Text{Zh: "没有此部门", En: "There is no such department"}},
	codeAnchorUnknown:          {http.StatusNotFound, licence.Text{Zh: "账本上没有此存证", En: "Nothing is anchored under this root"}},
	codeReceiptUnknown:         {http.StatusNotFound, licence.Text{Zh: "没有此核验记录", En: "The access log has no such entry"}},
	codeSnapshotNone:           {http.StatusNotFound, licence.Text{Zh: "尚无快照", En: "There is no snapshot yet"}},
	codeMethod:                 {http.StatusMethodNotAllowed, licence.Text{Zh: "不支持此请求方法", En: "The method is not allowed"}},
	store.CodeChallengeUnknown: {http.StatusConflict, licence.Text{Zh: "亮证请求无效,请重新发起", En: "The challenge is not known: ask again"}},
	store.CodeChallengeUsed:    {http.StatusConflict, licence.Text{Zh: "本次亮证已使用过,请重新出示", En: "The challenge was used before: ask again"}},
	store.CodeChallengeExpired: {http.StatusConflict, licence.Text{Zh: "亮证请求已过期,请重新发起", En: "The challenge has expired: ask again"}},
	codeBodyTooLarge:           {http.StatusRequestEntityTooLarge, licence.Text{Zh: "上传内容过大", En: "The body is too large"}},
	codeMediaType:              {http.StatusUnsupportedMediaType, licence.Text{Zh: "不支持此内容类型", En: "The media type is not supported"}},
	codeOverloaded:             {http.StatusServiceUnavailable, licence.Text{Zh: "系统繁忙,请稍后再试", En: "Busy: try again soon"}},
	codeLogUnavailable:         {http.StatusServiceUnavailable, licence.Text{Zh: "暂时无法记录核验,请稍后再试", En: "Verifications cannot be recorded at present: try again soon"}},
	store.CodeUnavailable:      {http.StatusServiceUnavailable, licence.Text{Zh: "系统暂时不可用,请稍后再试", En: "Not available at present: try again soon"}},
	store.CodeReferencesFull:   {http.StatusServiceUnavailable, licence.Text{Zh: "系统繁忙,请稍后再试", En: "Busy: try again soon"}},
	intake.CodeBusy:            {http.StatusServiceUnavailable, licence.Text{Zh: "系统繁忙,请稍后再试", En: "Busy: try again soon"}},
	codeInternal:               {http.StatusInternalServerError, licence.Text{Zh: "系统出错", En: "Something went wrong"}},
	codeRateLimited:            {http.StatusTooManyRequests, refusal(agency.CodeRateLimited)},
	agency.CodeSignInLimited:   {http.StatusTooManyRequests, refusal(agency.CodeSignInLimited)},
	agency.CodeDailyCap:        {http.StatusTooManyRequests, refusal(agency.CodeDailyCap)},
	codeRefused:                {http.StatusUnprocessableEntity, licence.Text{Zh: "出示的内容有误", En: "It is not a presentation of this ledger"}},
	codeSealedUnknown:          {http.StatusUnprocessableEntity, licence.Text{Zh: "请重新扫描", En: "Scan it again"}},
	store.CodeReferenceUnknown: {http.StatusUnprocessableEntity, licence.Text{Zh: "亮证码无效,请持证人重新出示", En: "The code is not known: have a new one shown"}},
	store.CodeReferenceUsed:    {http.StatusUnprocessableEntity, licence.Text{Zh: "亮证码已使用过,请持证人重新出示", En: "The code was used before: have a new one shown"}},
	store.CodeReferenceExpired: {http.StatusUnprocessableEntity, licence.Text{Zh: "亮证码已过期,请持证人重新出示", En: "The code has expired: have a new one shown"}},

	credential.CodeBadCode:        {http.StatusUnprocessableEntity, licence.Text{Zh: "这不是证照码,请重新扫描", En: "This is not a code: scan it again"}},
	intake.CodeTooLarge:           {http.StatusUnprocessableEntity, licence.Text{Zh: "内容过大", En: "It is too large"}},
	credential.CodeTooLarge:       {http.StatusUnprocessableEntity, licence.Text{Zh: "证照内容过大", En: "The presentation is too large"}},
	intake.CodeUnrecognised:       {http.StatusUnprocessableEntity, licence.Text{Zh: "无法识别的内容", En: "It is nothing that can be verified"}},
	intake.CodeSeveralCredentials: {http.StatusUnprocessableEntity, licence.Text{Zh: "请一次核验一份证照", En: "Verify one licence at a time"}},
	qr.CodeSeveralCodes:           {http.StatusUnprocessableEntity, licence.Text{Zh: "照片中有多个码,请只拍一个", En: "The picture shows several codes: take one at a time"}},
	intake.CodeTooMany:            {http.StatusUnprocessableEntity, licence.Text{Zh: "证照数量过多", En: "There are too many credentials"}},
	intake.CodeDamagedBundle:      {http.StatusUnprocessableEntity, licence.Text{Zh: "文件已损坏", En: "The bundle is damaged"}},
	qr.CodeNotAnImage:             {http.StatusUnprocessableEntity, licence.Text{Zh: "不是可用的图片", En: "It is not a picture that can be read"}},
	qr.CodeImageTooLarge:          {http.StatusUnprocessableEntity, licence.Text{Zh: "图片过大", En: "The picture is too large"}},
	qr.CodeNoCodeFound:            {http.StatusUnprocessableEntity, licence.Text{Zh: "照片中没有找到码,请重新拍摄", En: "No code was found in the picture: take it again"}},
	intake.CodeDamagedFile:        {http.StatusUnprocessableEntity, licence.Text{Zh: "文件已损坏或格式不符", En: "The file is damaged"}},
	intake.CodeEncryptedFile:      {http.StatusUnprocessableEntity, licence.Text{Zh: "文件已加密,无法读取", En: "The file is protected by a password"}},
	intake.CodeBomb:               {http.StatusUnprocessableEntity, licence.Text{Zh: "文件过于复杂,无法读取", En: "The file takes too much to read"}},
	intake.CodeNoCredential:       {http.StatusUnprocessableEntity, licence.Text{Zh: "文件中没有证照凭证", En: "The file carries no credential"}},
	intake.CodeNotOfLicence:       {http.StatusUnprocessableEntity, licence.Text{Zh: "该文件与证照不符", En: "The file does not belong to the licence"}},
	intake.CodeNotDisclosed:       {http.StatusUnprocessableEntity, licence.Text{Zh: "出示的内容未包含文件摘要", En: "The digests of the licence's files are not shown"}},
}

// refusal is what package agency tells people with a code.
func refusal(code string) licence.Text { return (&agency.Refusal{Code: code}).Text() }

// fromPackages maps the typed errors of other packages; nil for any other.
func fromPackages(err error) *problem {
	var refused *agency.Refusal
	var stored *store.Error
	var read *intake.Error
	var coded *credential.Error
	var picture *qr.Error
	var logged *accesslog.Error
	switch {
	case errors.As(err, &refused):
		return &problem{code: refused.Code, detail: refused.Message, fields: refused.Fields, retryAfter: refused.RetryAfter}
	case errors.As(err, &stored):
		return &problem{code: stored.Code, detail: stored.Message, cause: stored.Err}
	case errors.As(err, &read):
		return unread(read.Code, read.Message)
	case errors.As(err, &coded):
		return unread(coded.Code, coded.Message)
	case errors.As(err, &picture):
		return unread(picture.Code, picture.Message)
	case errors.As(err, &logged):
		return &problem{code: codeLogUnavailable, detail: "the access log cannot be written or read, so nothing is answered", cause: err}
	}
	return nil
}

// unread says why what was shown could not be read: always the fault of what was shown.
func unread(code, message string) *problem {
	if _, known := kinds[code]; !known {
		code = intake.CodeUnrecognised
	}
	return refuse(code, message)
}
