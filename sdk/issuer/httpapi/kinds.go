package httpapi

import (
	"errors"
	"net/http"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/attach"
	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/grant"
	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/issuer/release"
	"github.com/credledger/credledger/sdk/issuer/staff"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/rest"
	"github.com/credledger/credledger/sdk/sqldb"
	"github.com/credledger/credledger/verifier/accesslog"
)

// Codes of the problems that this package finds itself, or gives one name to what others find; the others
// have the codes of the packages that found them. Codes are part of the interface and never change.
const (
	codeRight          = "right-missing"
	codeUnknown        = vault.CodeUnknown
	codeTypeUnknown    = issuer.CodeTypeUnknown
	codeChanged        = "changed-meanwhile"
	codeJobNotDone     = "job-not-done"
	codeElsewhere      = "job-elsewhere"
	codeLedgerRefused  = "ledger-refused"
	codeExportTooLarge = "export-too-large"
	codeInput          = "input-malformed"
	codeRecord         = "record-refused"
	codeSuccessor      = issuer.CodeSuccessor
	codeLedger         = "ledger-unavailable"
	codeWaiting        = "too-many-waiting"
	codeVault          = "vault-unavailable"

	codeNoRelease = "releases-not-offered"
	codeRequest   = "request-malformed"
	codeSubject   = "subject-malformed"
	codeGrant     = "grant-malformed"
	codeLog       = "access-log-unavailable"
	codeOutdated  = "view-outdated"
	codeSuspended = "department-suspended"
)

// kinds has every code that callers see. An error whose code is not here is no business of the caller's.
var kinds = rest.NewKinds(rest.Kinds{
	staff.CodeSignIn:             {Status: http.StatusUnauthorized, Text: licence.Text{Zh: "姓名或密码不正确", En: "Name or password is wrong"}},
	staff.CodeAddress:            {Status: http.StatusForbidden, Text: licence.Text{Zh: "此网络地址不允许使用,请联系管理员", En: "Not allowed from this network address: ask your administrator"}},
	codeRight:                    {Status: http.StatusForbidden, Text: licence.Text{Zh: "您没有此项权限", En: "You do not have the right to do this"}},
	codeSuspended:                {Status: http.StatusForbidden, Text: licence.Text{Zh: "申请部门已被暂停准入", En: "The department that asks is suspended"}},
	vault.CodeSamePerson:         {Status: http.StatusForbidden, Text: licence.Text{Zh: "不能审批本人提出的申请,请由他人审批", En: "Nobody approves what they have proposed: ask somebody else"}},
	codeUnknown:                  {Status: http.StatusNotFound, Text: licence.Text{Zh: "没有找到", En: "There is no such thing here"}},
	codeNoRelease:                {Status: http.StatusNotFound, Text: licence.Text{Zh: "此系统未开通部门间共享", En: "Requests of other departments are not answered here"}},
	release.CodeGrantUnknown:     {Status: http.StatusNotFound, Text: licence.Text{Zh: "没有此项授权", En: "There is no such grant"}},
	release.CodeRequestUnknown:   {Status: http.StatusNotFound, Text: licence.Text{Zh: "没有此项申请", En: "There is no such request"}},
	vault.CodeObjectionUnknown:   {Status: http.StatusNotFound, Text: licence.Text{Zh: "没有此项异议", En: "There is no such objection"}},
	codeTypeUnknown:              {Status: http.StatusNotFound, Text: licence.Text{Zh: "没有此证照类型", En: "There is no such licence type"}},
	codeChanged:                  {Status: http.StatusConflict, Text: licence.Text{Zh: "证照状态刚刚被他人变更,请重新查看", En: "Somebody else has just changed the licence: look again"}},
	vault.CodeNoContent:          {Status: http.StatusConflict, Text: licence.Text{Zh: "证照库由旧备份恢复,缺少此证照的内容", En: "The vault has lost what this licence says"}},
	vault.CodeContentsLost:       {Status: http.StatusConflict, Text: licence.Text{Zh: "证照库由旧备份恢复,须先补全才能制发此类证照", En: "The vault has lost licences of this type: they must be brought back before more are issued"}},
	codeElsewhere:                {Status: http.StatusConflict, Text: licence.Text{Zh: "该任务由本部门另一台服务办理", En: "Another service of this department does the job"}},
	codeJobNotDone:               {Status: http.StatusConflict, Text: licence.Text{Zh: "任务尚未完成", En: "The job is not done yet"}},
	codeLedgerRefused:            {Status: http.StatusConflict, Text: licence.Text{Zh: "账本规则不允许", En: "The ledger refuses it"}},
	issuer.CodeNotAnchored:       {Status: http.StatusConflict, Text: licence.Text{Zh: "证照尚未上链", En: "The licence is not on the ledger yet"}},
	vault.CodeNumberTaken:        {Status: http.StatusConflict, Text: licence.Text{Zh: "证照号码已被另一份有效证照使用", En: "Another licence holds the number"}},
	vault.CodeProposalClosed:     {Status: http.StatusConflict, Text: licence.Text{Zh: "该申请已处理或已过期", En: "It was decided before, or has expired"}},
	issuer.CodeAmbiguous:         {Status: http.StatusConflict, Text: licence.Text{Zh: "有多项同类限制,请指明一项", En: "Several restrictions of this kind lie on the licence: name one"}},
	issuer.CodeRestrictionState:  {Status: http.StatusConflict, Text: licence.Text{Zh: "证照上没有此项限制", En: "No such restriction lies on the licence"}},
	issuer.CodeTransition:        {Status: http.StatusConflict, Text: licence.Text{Zh: "当前状态不允许此变更", En: "The licence cannot go from its state to this one"}},
	grant.CodeWithdrawn:          {Status: http.StatusConflict, Text: licence.Text{Zh: "授权已撤回", En: "The grant was withdrawn"}},
	vault.CodeSettled:            {Status: http.StatusConflict, Text: licence.Text{Zh: "该异议已答复", En: "The objection was answered before"}},
	vault.CodeErased:             {Status: http.StatusGone, Text: licence.Text{Zh: "证照内容已依法销毁", En: "What the licence said was erased for good"}},
	grant.CodeExpired:            {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "授权已过期", En: "The grant has expired"}},
	codeRequest:                  {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "申请格式有误", En: "The request is malformed"}},
	codeSubject:                  {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "所附证照号码无法读取或与申请不符", En: "What the licence is to be found by cannot be read"}},
	codeGrant:                    {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "授权格式有误", En: "The grant is malformed, or not one"}},
	grant.CodeSubjectDiffers:     {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "所附证照号码与申请不符", En: "What the licence is to be found by is not what the request commits to"}},
	grant.CodeOtherLedger:        {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "属于其他账本", En: "For another ledger"}},
	grant.CodeKeyUnknown:         {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "账本上没有该签名密钥", En: "The ledger does not have the key"}},
	grant.CodeKeyDepartment:      {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "签名密钥不属于该部门", En: "The key is another department's"}},
	grant.CodeKeyPurpose:         {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "签名密钥不能用于此用途", En: "The key is not for this"}},
	grant.CodeSignature:          {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "签名无效", En: "The signature is invalid"}},
	grant.CodeKeyCompromised:     {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "签名密钥已声明失窃", En: "The key was declared compromised"}},
	grant.CodeKeyRetired:         {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "签名密钥已停用", En: "The key was retired"}},
	grant.CodeKeyNotYetValid:     {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "签名早于密钥生效时间", En: "Signed before the key begins"}},
	grant.CodeKeyExpired:         {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "签名晚于密钥失效时间", En: "Signed after the key ends"}},
	grant.CodeBindingMissing:     {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "缺少持证人密钥绑定", En: "The binding of the holder's key is missing"}},
	grant.CodeBindingDiffers:     {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "持证人密钥绑定与授权不符", En: "Another binding than the one named"}},
	grant.CodeBindingNotYetValid: {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "持证人密钥绑定尚未生效", En: "The binding has not begun"}},
	grant.CodeBindingExpired:     {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "持证人密钥绑定已过期", En: "The binding has ended"}},
	grant.CodeBindingWithdrawn:   {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "持证人密钥绑定已解除", En: "The binding was withdrawn"}},
	grant.CodeGrantDiffers:       {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "撤回针对其他授权", En: "For another grant than the one named"}},
	grant.CodeOtherIssuer:        {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "授权针对其他颁发机构的证照", En: "For a licence of another issuer"}},
	grant.CodeRequestNotYetValid: {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "申请的签名时间在未来,请校准时钟", En: "The request is signed in the future: set the clock"}},
	grant.CodeRequestExpired:     {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "申请已过期,请重新申请", En: "The request has expired: make a new one"}},
	release.CodeElsewhere:        {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "申请应发往其他部门", En: "The request is for another department"}},
	release.CodeForgotten:        {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "无法确定该申请是否答复过,请重新申请", En: "It is not known any more whether the request was answered: make a new one"}},
	release.CodeSubjectMissing:   {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "缺少所附证照号码", En: "What the licence is to be found by is missing"}},
	release.CodeSubjectKey:       {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "须按证照号码查找", En: "Licences are found by their number only"}},
	release.CodeGrantMeans:       {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "须由持证人签名", En: "The holder has to have signed it"}},
	release.CodeArguments:        {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "授权内容有误", En: "The grant cannot be given like this"}},
	codeExportTooLarge:           {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "导出数量过多,请缩短日期范围", En: "Too many licences: take fewer days"}},
	attach.CodeArchival:          {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "此类 PDF/A 文件不允许有附件", En: "This kind of PDF/A may not have attachments"}},
	attach.CodeEncrypted:         {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "文件已加密", En: "The file is protected by a password"}},
	attach.CodeOther:             {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "文件中已有另一份证照凭证", En: "Another credential is attached to the file"}},
	attach.CodeDamaged:           {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "文件已损坏或格式不符", En: "The file is damaged"}},
	attach.CodeSigned:            {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "文件已签章,须先附凭证后签章", En: "A signature covers what would have to change: attach first, seal then"}},
	attach.CodeTooComplex:        {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "文件过于复杂,无法读取", En: "The file takes too much to read"}},
	attach.CodeTooLarge:          {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "文件过大", En: "The file is too large"}},
	attach.CodeUnrecognised:      {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "不是 OFD 或 PDF 文件", En: "The file is neither OFD nor PDF"}},
	vault.CodeClaimReused:        {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "同一幂等键用于了不同的请求", En: "The idempotency key was used for something else"}},
	codeInput:                    {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "文件格式有误", En: "The file is malformed"}},
	credential.CodeNoSuchField:   {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "此类证照没有该字段", En: "The licence has no such field"}},
	credential.CodeTooLarge:      {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "所选内容过多,无法生成核验码", En: "The fields take more than a code can hold: choose fewer"}},
	issuer.CodeReason:            {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "此变更没有该原因", En: "The type has no such reason for this change"}},
	codeRecord:                   {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "填写内容有误,请更正", En: "The record is wrong: see its problems"}},
	issuer.CodeRestriction:       {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "此类证照没有该限制", En: "The type has no such restriction"}},
	codeSuccessor:                {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "接替证照缺失或不符", En: "The successor is missing, or is not one"}},
	staff.CodeSignInLimited:      {Status: http.StatusTooManyRequests, Text: licence.Text{Zh: "尝试次数过多,请稍后再试", En: "Too many attempts: try again in a moment"}},
	codeWaiting:                  {Status: http.StatusConflict, Text: licence.Text{Zh: "待办过多,请先处理一部分", En: "Too many are waiting: bring some to their end first"}},
	issuer.CodeSignerMissing:     {Status: http.StatusServiceUnavailable, Text: licence.Text{Zh: "制证系统缺少所需密钥,请联系管理员", En: "The service has no key for this: tell the operator"}},
	codeLedger:                   {Status: http.StatusServiceUnavailable, Text: licence.Text{Zh: "账本暂时不可用,请稍后再试", En: "The ledger is not available at present: try again soon"}},
	release.CodeContention:       {Status: http.StatusServiceUnavailable, Text: licence.Text{Zh: "授权正被同时使用,请稍后再试", En: "The grant is used by others at the same time: try again"}},
	release.CodePolicyMissing:    {Status: http.StatusServiceUnavailable, Text: licence.Text{Zh: "尚未取得共享规则,请稍后再试", En: "The department does not have the policy yet: try again later"}},
	codeOutdated:                 {Status: http.StatusServiceUnavailable, Text: licence.Text{Zh: "暂时看不到账本的最新状态,请稍后再试", En: "The ledger cannot be seen as it is at present: try again soon"}},
	codeLog:                      {Status: http.StatusServiceUnavailable, Text: licence.Text{Zh: "共享日志暂时不可用,请稍后再试", En: "The access log is not available at present: try again soon"}},
	codeVault:                    {Status: http.StatusServiceUnavailable, Text: licence.Text{Zh: "证照库暂时不可用,请稍后再试", En: "The vault is not available at present: try again soon"}},
})

// fromPackages maps the typed errors of other packages; nil for any other.
func fromPackages(err error) *rest.Problem {
	var refused *staff.Refusal
	var attached *attach.Error
	var shown *credential.Error
	var releasing *release.Error
	switch {
	case errors.As(err, &refused):
		return &rest.Problem{Code: refused.Code, Detail: refused.Message, RetryAfter: refused.RetryAfter}
	case errors.As(err, &attached):
		return rest.Refuse(attached.Code, attached.Message)
	case accesslog.Code(err) != "":
		return &rest.Problem{Code: codeLog, Detail: "the access log cannot be used at present; send the same request again later, and tell the operator if that does not help", Cause: err}
	case errors.As(err, &releasing):
		if p := releaseProblem(releasing); p != nil {
			return p
		}
	}
	code := issuer.Code(err)
	if code == "" && errors.As(err, &shown) {
		return rest.Refuse(shown.Code, shown.Message)
	}
	if code == "" {
		code = ledger.Code(err)
	}
	switch code {
	case "":
		return nil
	case issuer.CodeArguments, vault.CodeArgument:
		return &rest.Problem{Code: rest.CodeMemberInvalid, Detail: message(err), Cause: err}
	case issuer.CodeApprovals, chaincode.CodeSequence, chaincode.CodePrevious, chaincode.CodeStatusFrom:
		return &rest.Problem{Code: codeChanged, Detail: "the licence was changed by somebody else; look at it again", Cause: err}
	case ledger.CodeNotSubmitted, ledger.CodeOutcomeUnknown, ledger.CodeClosed, issuer.CodeClosed:
		return &rest.Problem{Code: codeLedger, Detail: "the ledger did not answer; what was asked may have been done: send the same call again", Cause: err}
	case vault.CodeUnchecked, vault.CodeLedgerOther, vault.CodeRolledBack, vault.CodeKeys, vault.CodeUnavailable, vault.CodeKeyRetired, vault.CodeDamaged,
		issuer.CodeStorage, issuer.CodeContent, sqldb.CodeBusy, sqldb.CodeUnavailable, sqldb.CodeDamaged:
		return &rest.Problem{Code: codeVault, Detail: "the vault cannot be used at present; send the same call again later, and tell the operator if that does not help", Cause: err}
	}
	if _, known := kinds[code]; known {
		return &rest.Problem{Code: code, Detail: message(err), Cause: err}
	}
	return &rest.Problem{Code: codeLedgerRefused, Detail: "the ledger refuses it: " + code, Cause: err}
}

// releaseProblem maps an error of releases; nil if it is about something else in the end.
func releaseProblem(err *release.Error) *rest.Problem {
	if _, known := kinds[err.Code]; !known {
		return nil
	}
	return &rest.Problem{Code: err.Code, Detail: err.Message, Cause: err}
}

// message returns what an error of the issuer or its vault says to whoever wrote the calling program.
func message(err error) string {
	var i *issuer.Error
	var v *vault.Error
	switch {
	case errors.As(err, &i):
		return i.Message
	case errors.As(err, &v):
		return v.Message
	}
	return "it cannot be done"
}

// storageError is for a file of the spool.
func storageError(err error) error {
	return &issuer.Error{Code: issuer.CodeStorage, Message: "use the spool", Err: err}
}

// recordTexts say to people what is wrong with a record.
var recordTexts = map[string]licence.Text{
	licence.UnknownField:     {Zh: "此类证照没有该字段", En: "The type has no such field"},
	licence.MissingField:     {Zh: "必填,请填写", En: "Required: fill it in"},
	licence.DuplicateField:   {Zh: "重复填写", En: "Given twice"},
	licence.BadValue:         {Zh: "内容不符合要求,请核对", En: "Not a value of this kind: check it"},
	licence.Malformed:        {Zh: "格式有误", En: "Malformed"},
	licence.TooLarge:         {Zh: "内容过长", En: "Too long"},
	licence.NotUTF8:          {Zh: "文字编码有误", En: "Not UTF-8"},
	issuer.CodeLicenceActive: {Zh: "该号码的证照已制发且仍然有效", En: "A licence with this number was issued and has not ended"},
}

// actionTexts say to people what was done with a licence.
var actionTexts = map[string]licence.Text{
	vault.ActionIssued:         {Zh: "制发", En: "Issued"},
	vault.ActionResigned:       {Zh: "重新签名", En: "Signed anew"},
	vault.ActionDiscarded:      {Zh: "撤回", En: "Undone before it was anchored"},
	vault.ActionOpened:         {Zh: "查看", En: "Opened"},
	vault.ActionState:          {Zh: "状态变更", En: "Status changed"},
	vault.ActionStateLedger:    {Zh: "由账本得知状态变更", En: "Status learnt from the ledger"},
	vault.ActionRestricted:     {Zh: "设定限制", En: "Restriction laid"},
	vault.ActionReleased:       {Zh: "解除限制", En: "Restriction lifted"},
	vault.ActionBound:          {Zh: "绑定持证人密钥", En: "Holder's key bound"},
	vault.ActionUnbound:        {Zh: "解除密钥绑定", En: "Binding revoked"},
	vault.ActionProposed:       {Zh: "提出变更申请", En: "Change proposed"},
	vault.ActionApproved:       {Zh: "审批同意", En: "Approved"},
	vault.ActionRefused:        {Zh: "审批不同意或撤回", En: "Refused or withdrawn"},
	vault.ActionDone:           {Zh: "申请办结", En: "Proposal closed"},
	vault.ActionErased:         {Zh: "销毁内容", En: "Erased"},
	vault.ActionRecovered:      {Zh: "找回内容", En: "Content brought back"},
	vault.ActionLost:           {Zh: "发现内容缺失", En: "Found lost"},
	vault.ActionDisowned:       {Zh: "声明非本部门所制", En: "Disowned"},
	vault.ActionGranted:        {Zh: "授权用证", En: "Grant given"},
	vault.ActionGrantWithdrawn: {Zh: "撤回授权", En: "Grant withdrawn"},
	vault.ActionGrantsEnded:    {Zh: "授权终止", En: "Grants ended"},
	vault.ActionLossAccepted:   {Zh: "确认内容缺失", En: "Loss accepted"},
}
