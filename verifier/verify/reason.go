package verify

import (
	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/licence"
)

// A Reason says why an axis has its result. Reasons are part of the interface and never change.
type Reason string

// Reasons of several axes, all with Unknown.
const (
	ReasonLedgerUnknown Reason = "ledger-unknown"  // the presentation is of a ledger that the view does not know
	ReasonTypeUnknown   Reason = "type-unknown"    // the view has no such version of the licence type
	ReasonNewerThanView Reason = "newer-than-view" // it claims to be later than the view's newest heartbeat
	ReasonNotExamined   Reason = "not-examined"    // an axis before this one failed, so there is nothing to examine
)

// Reasons of AxisContent; a failure has the code of package credential.
const (
	ReasonConsistent   Reason = "consistent"
	ReasonMalformed    Reason = credential.CodeMalformed
	ReasonTooLarge     Reason = credential.CodeTooLarge
	ReasonInconsistent Reason = credential.CodeInconsistent
)

// Reasons of AxisIssuer.
const (
	ReasonSignatureValid   Reason = "signature-valid"
	ReasonSignatureInvalid Reason = "signature-invalid"
	ReasonKeyUnknown       Reason = "key-unknown"
	ReasonKeyDepartment    Reason = "key-department" // a key of another department
	ReasonKeyPurpose       Reason = "key-purpose"    // a key of this department, but not for anchoring
	ReasonKeyRetired       Reason = "key-retired"    // and the head was not anchored before
	ReasonKeyCompromised   Reason = "key-compromised"
	ReasonKeyNotYetValid   Reason = "key-not-yet-valid" // the head is dated before its key begins
	ReasonKeyExpired       Reason = "key-expired"       // the head is dated after its key ends
	ReasonAnchorDisowned   Reason = "anchor-disowned"
)

// Reasons of AxisAnchor.
const (
	ReasonAnchored      Reason = "anchored"
	ReasonNotAnchored   Reason = "not-anchored"
	ReasonAnchorDiffers Reason = "anchor-differs" // another head is anchored under this root
)

// Reasons of AxisStatus.
const (
	ReasonActive      Reason = Reason(licence.Active)
	ReasonSuspended   Reason = Reason(licence.Suspended)
	ReasonSuperseded  Reason = Reason(licence.Superseded)
	ReasonRevoked     Reason = Reason(licence.Revoked)
	ReasonExpired     Reason = "expired"
	ReasonNotYetValid Reason = "not-yet-valid"
)

// Reasons of AxisRestrictions.
const (
	ReasonUnrestricted Reason = "unrestricted"
	ReasonRestricted   Reason = "restricted"
)

// Reasons of AxisHolder. Those of the binding are about the issuer's word on who the holder is, those
// of the proof about the holder's own.
const (
	ReasonHolderProven            Reason = "holder-proven"
	ReasonStatic                  Reason = "static" // no holder proof: a print, or a copy of one
	ReasonNonceNotOurs            Reason = "nonce-not-ours"
	ReasonAudienceNotOurs         Reason = "audience-not-ours"
	ReasonBindingMalformed        Reason = "binding-malformed"
	ReasonBindingKeyUnknown       Reason = "binding-key-unknown"
	ReasonBindingKeyDepartment    Reason = "binding-key-department"
	ReasonBindingKeyPurpose       Reason = "binding-key-purpose"
	ReasonBindingKeyRetired       Reason = "binding-key-retired"
	ReasonBindingKeyCompromised   Reason = "binding-key-compromised"
	ReasonBindingKeyNotYetValid   Reason = "binding-key-not-yet-valid"
	ReasonBindingKeyExpired       Reason = "binding-key-expired"
	ReasonBindingSignatureInvalid Reason = "binding-signature-invalid"
	ReasonBindingNotYetValid      Reason = "binding-not-yet-valid"
	ReasonBindingExpired          Reason = "binding-expired"
	ReasonBindingWithdrawn        Reason = "binding-withdrawn"
	ReasonProofMalformed          Reason = "proof-malformed"
	ReasonProofSignatureInvalid   Reason = "proof-signature-invalid"
	ReasonProofNotYetValid        Reason = "proof-not-yet-valid"
	ReasonProofExpired            Reason = "proof-expired"
	ReasonAudienceMismatch        Reason = "audience-mismatch"
	ReasonNonceMismatch           Reason = "nonce-mismatch"
)

// Reasons of AxisFreshness.
const (
	ReasonFresh       Reason = "fresh"
	ReasonStale       Reason = "stale"        // the newest heartbeat is older than the type allows
	ReasonNoHeartbeat Reason = "no-heartbeat" // the view has none, so its age is unknown
	ReasonClockBehind Reason = "clock-behind" // the newest heartbeat lies in this machine's future
)

// Text explains the reason to people.
func (r Reason) Text() licence.Text { return reasonTexts[r] }

var reasonTexts = map[Reason]licence.Text{
	ReasonLedgerUnknown: {Zh: "该证照存证于本机未接入的账本", En: "the licence is of a ledger that this verifier does not follow"},
	ReasonTypeUnknown:   {Zh: "本机尚未获知该证照类型的这一版本", En: "this verifier does not have this version of the licence type"},
	ReasonNewerThanView: {Zh: "其签署时间晚于本机所知的账本", En: "it is dated later than what this verifier has seen of the ledger"},
	ReasonNotExamined:   {Zh: "前项未通过,未予检查", En: "not examined, because an earlier check did not pass"},

	ReasonConsistent:   {Zh: "内容自洽", En: "the contents agree with each other"},
	ReasonMalformed:    {Zh: "数据残缺或被改动", En: "the data is truncated or was altered"},
	ReasonTooLarge:     {Zh: "数据过长", En: "the data is too long"},
	ReasonInconsistent: {Zh: "内容前后不符", En: "the contents do not fit together"},

	ReasonSignatureValid:   {Zh: "颁发机构签名有效", En: "signed by the issuer"},
	ReasonSignatureInvalid: {Zh: "颁发机构签名无效", En: "the issuer's signature does not verify"},
	ReasonKeyUnknown:       {Zh: "签名密钥未登记", En: "the signing key was never enrolled"},
	ReasonKeyDepartment:    {Zh: "签名密钥属于其他部门", En: "the signing key belongs to another department"},
	ReasonKeyPurpose:       {Zh: "签名密钥不能用于制发证照", En: "the signing key is not one for issuing licences"},
	ReasonKeyRetired:       {Zh: "签名密钥已停用", En: "the signing key was retired"},
	ReasonKeyCompromised:   {Zh: "签名密钥已声明失窃", En: "the signing key was declared compromised"},
	ReasonKeyNotYetValid:   {Zh: "签署时间早于密钥启用时间", En: "dated before the signing key begins"},
	ReasonKeyExpired:       {Zh: "签署时间晚于密钥截止时间", En: "dated after the signing key ends"},
	ReasonAnchorDisowned:   {Zh: "颁发机构已声明并非其存证", En: "the issuer has disowned this anchor"},

	ReasonAnchored:      {Zh: "已上链存证", En: "anchored on the ledger"},
	ReasonNotAnchored:   {Zh: "未上链存证", En: "not anchored on the ledger"},
	ReasonAnchorDiffers: {Zh: "与链上存证不符", En: "the ledger has another signed head for this"},

	ReasonActive:      {Zh: "现行有效", En: "active"},
	ReasonSuspended:   {Zh: "已暂停效力", En: "suspended"},
	ReasonSuperseded:  {Zh: "已由新证替代", En: "superseded by a newer licence"},
	ReasonRevoked:     {Zh: "已作废", En: "revoked"},
	ReasonExpired:     {Zh: "已过有效期", En: "expired"},
	ReasonNotYetValid: {Zh: "尚未生效", En: "not yet valid"},

	ReasonUnrestricted: {Zh: "无限制", En: "no restriction"},
	ReasonRestricted:   {Zh: "有限制(查封、抵押、异议等)", En: "restricted (a seizure, a mortgage, an objection or the like)"},

	ReasonHolderProven:            {Zh: "持证主体本人出示", En: "shown by its holder"},
	ReasonStatic:                  {Zh: "未附本人出示证明", En: "there is no proof that its holder shows it"},
	ReasonNonceNotOurs:            {Zh: "非应本机的要求出示", En: "not shown in answer to this verifier"},
	ReasonAudienceNotOurs:         {Zh: "出示对象未经本机确认", En: "this verifier did not say who it is, so it cannot tell to whom it was shown"},
	ReasonBindingMalformed:        {Zh: "持证主体绑定格式有误", En: "the holder binding is not one"},
	ReasonBindingKeyUnknown:       {Zh: "绑定的签名密钥未登记", En: "the key that signed the holder binding was never enrolled"},
	ReasonBindingKeyDepartment:    {Zh: "绑定的签名密钥属于其他部门", En: "the key that signed the holder binding belongs to another department"},
	ReasonBindingKeyPurpose:       {Zh: "绑定的签名密钥不能用于此", En: "the key that signed the holder binding is not one for this"},
	ReasonBindingKeyRetired:       {Zh: "绑定的签名密钥已停用", En: "the key that signed the holder binding was retired"},
	ReasonBindingKeyCompromised:   {Zh: "绑定的签名密钥已声明失窃", En: "the key that signed the holder binding was declared compromised"},
	ReasonBindingKeyNotYetValid:   {Zh: "绑定早于其签名密钥启用时间", En: "the holder binding begins before its signing key"},
	ReasonBindingKeyExpired:       {Zh: "绑定晚于其签名密钥截止时间", En: "the holder binding begins after its signing key ends"},
	ReasonBindingSignatureInvalid: {Zh: "绑定的签名无效", En: "the signature on the holder binding does not verify"},
	ReasonBindingNotYetValid:      {Zh: "持证主体绑定尚未生效", En: "the holder binding is not yet valid"},
	ReasonBindingExpired:          {Zh: "持证主体绑定已过期", En: "the holder binding has expired"},
	ReasonBindingWithdrawn:        {Zh: "持证主体绑定已撤回", En: "the holder binding was withdrawn"},
	ReasonProofMalformed:          {Zh: "出示证明格式有误", En: "the holder proof is not one"},
	ReasonProofSignatureInvalid:   {Zh: "出示证明的签名无效", En: "the signature on the holder proof does not verify"},
	ReasonProofNotYetValid:        {Zh: "出示证明尚未生效", En: "the holder proof is dated in the future"},
	ReasonProofExpired:            {Zh: "出示证明已过期", En: "the holder proof has expired"},
	ReasonAudienceMismatch:        {Zh: "出示对象不是本机", En: "shown to somebody else"},
	ReasonNonceMismatch:           {Zh: "与本机的要求不符", En: "shown in answer to another request"},

	ReasonFresh:       {Zh: "账本状态为最新", En: "the view of the ledger is recent"},
	ReasonStale:       {Zh: "本机所知的账本状态过旧", En: "the view of the ledger is too old"},
	ReasonNoHeartbeat: {Zh: "账本上没有时间,无法判断状态新旧", En: "the ledger has no heartbeat yet, so the age of the view is unknown"},
	ReasonClockBehind: {Zh: "本机时钟落后于账本,请校准", En: "this machine's clock is behind the ledger: set it"},
}
