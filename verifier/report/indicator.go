package report

import "github.com/credledger/credledger/sdk/licence"

// A Form is how a figure is written.
type Form string

// The forms of figures.
const (
	Count Form = "count"
	Share Form = "share" // numerator over denominator, in percent
	Mean  Form = "mean"  // numerator over denominator
)

// An Origin says from what an indicator comes, and so who can compute it again.
type Origin string

// The origins of indicators.
const (
	FromLedger   Origin = "ledger"        // whoever has the ledger
	FromLogs     Origin = "access-logs"   // whoever has the entries of the access logs
	SelfReported Origin = "self-reported" // nobody, or at most a part of it
)

// A Definition says what an indicator is; docs/INDICATORS.md says it in full.
type Definition struct {
	Code         string // never changes
	Name         licence.Text
	Form         Form
	Origin       Origin
	Past, Target string // in percent: before CredLedger, and wanted; "" if there is no such figure
}

// An Indicator is one with its figures.
type Indicator struct {
	*Definition
	Rows []Row
}

// Codes of indicators.
const (
	Issued              = "issued"
	IssuedBatches       = "issued-batches"
	StatusChanges       = "late-status-changes"
	StatusDelay         = "status-change-delay"
	Coverage            = "catalogue-coverage"
	Verifications       = "verifications"
	PublicVerifications = "public-verifications"
	RecordedDefinitive  = "recorded-definitive-verdicts"
	Definitive          = "definitive-verdicts"
	FirstCall           = "first-call-completion"
	MaterialsMet        = "materials-met"
	NotRecollected      = "materials-not-recollected"
	Releases            = "releases"
	Refusals            = "refusals"
	Silences            = "silences"
	RefusalsToShare     = "refusals-to-share"
	Disagreements       = "request-disagreements"
	OverAsking          = "over-asking"
	Ratings             = "ratings"
	ObjectionsReceived  = "objections"
	ObjectionsInTime    = "objections-in-time"
	ObjectionDays       = "objection-days"
	Undated             = "undated"
	LeftOut             = "left-out"
)

// definitions are the indicators in the order of the report.
var definitions = [...]Definition{
	{Code: Issued, Name: licence.Text{Zh: "制发证照数", En: "Licences issued"}, Form: Count, Origin: FromLedger},
	{Code: IssuedBatches, Name: licence.Text{Zh: "上链存证批次数", En: "Batches anchored"}, Form: Count, Origin: FromLedger},
	{Code: StatusChanges, Name: licence.Text{Zh: "状态变更迟报率", En: "Changes of status that came late"}, Form: Share, Origin: FromLedger},
	{Code: StatusDelay, Name: licence.Text{Zh: "迟报变更平均迟延(天)", En: "Mean delay of late changes, in days"}, Form: Mean, Origin: FromLedger},
	{Code: Coverage, Name: licence.Text{Zh: "证照目录覆盖率", En: "Catalogue coverage"}, Form: Share, Origin: FromLedger},
	{Code: Verifications, Name: licence.Text{Zh: "经授权的核验次数", En: "Authorised verifications"}, Form: Count, Origin: FromLogs},
	{Code: PublicVerifications, Name: licence.Text{Zh: "公众核验次数", En: "Verifications by the public"}, Form: Count, Origin: FromLogs},
	{Code: RecordedDefinitive, Name: licence.Text{Zh: "已记录核验的明确结论率", En: "Definitive verdicts among recorded verifications"}, Form: Share, Origin: FromLogs, Past: "68.00", Target: "95.00"},
	{Code: Definitive, Name: licence.Text{Zh: "明确结论率(含超时未答)", En: "Definitive verdicts, unanswered requests counted as failed"}, Form: Share, Origin: SelfReported, Past: "68.00", Target: "95.00"},
	{Code: FirstCall, Name: licence.Text{Zh: "一次核验办成率", En: "Cases complete at the first call"}, Form: Share, Origin: FromLogs},
	{Code: MaterialsMet, Name: licence.Text{Zh: "必需材料以核验满足率", En: "Required materials met by a verdict"}, Form: Share, Origin: FromLogs},
	{Code: NotRecollected, Name: licence.Text{Zh: "必需材料免提交率", En: "Required materials not collected again"}, Form: Share, Origin: SelfReported},
	{Code: Releases, Name: licence.Text{Zh: "共享提供次数", En: "Releases"}, Form: Count, Origin: FromLogs},
	{Code: Refusals, Name: licence.Text{Zh: "未予共享率", En: "Requests refused"}, Form: Share, Origin: FromLogs},
	{Code: Silences, Name: licence.Text{Zh: "逾期未答率", En: "Requests not answered in time"}, Form: Share, Origin: FromLogs},
	{Code: RefusalsToShare, Name: licence.Text{Zh: "拒不共享率(依法应当共享的请求)", En: "Requests for what the law gives that were refused or not answered"}, Form: Share, Origin: FromLogs},
	{Code: Disagreements, Name: licence.Text{Zh: "双方日志不一致的共享请求", En: "Requests about which two logs disagree"}, Form: Count, Origin: FromLogs},
	{Code: OverAsking, Name: licence.Text{Zh: "超范围索取次数", En: "Requests refused for over-asking"}, Form: Count, Origin: SelfReported},
	{Code: Ratings, Name: licence.Text{Zh: "好评率", En: "Favourable ratings"}, Form: Share, Origin: SelfReported},
	{Code: ObjectionsReceived, Name: licence.Text{Zh: "收到异议数", En: "Objections received"}, Form: Count, Origin: SelfReported},
	{Code: ObjectionsInTime, Name: licence.Text{Zh: "异议按期办结率", En: "Objections settled in time"}, Form: Share, Origin: SelfReported},
	{Code: ObjectionDays, Name: licence.Text{Zh: "异议平均办理天数", En: "Mean days to settle an objection"}, Form: Mean, Origin: SelfReported},
	{Code: Undated, Name: licence.Text{Zh: "账本上无法确定时间、未计入的", En: "On the ledger without a provable time, left out"}, Form: Count, Origin: FromLedger},
	{Code: LeftOut, Name: licence.Text{Zh: "无法归入办件、未计入的核验", En: "Verifications that no case can be made of, left out"}, Form: Count, Origin: FromLogs},
}

// Definitions returns what the indicators are, in the order of the report.
func Definitions() []Definition { return append([]Definition(nil), definitions[:]...) }
