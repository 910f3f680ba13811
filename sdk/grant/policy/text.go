package policy

import (
	"github.com/credledger/credledger/sdk/grant"
	"github.com/credledger/credledger/sdk/licence"
)

// Reasons for which an issuer refuses what had to be answered, and cannot be.
const (
	CodeLicenceUnknown = "licence-unknown" // it has no such licence, or not any more what it says
	CodeFieldUnknown   = "field-unknown"   // the licence has no such field
)

// texts say to people why a request was answered as it was.
var texts = map[string]licence.Text{
	CodeBasis:              {Zh: "依法提供", En: "Given by law"},
	CodeGrant:              {Zh: "经持证人授权提供", En: "Given under the holder's grant"},
	CodeBasisAndGrant:      {Zh: "部分依法、部分经持证人授权提供", En: "Given by law, and under the holder's grant"},
	CodeNoBasis:            {Zh: "无法定依据,须持证人授权", En: "The law does not give this: it takes a grant of the holder"},
	CodeExcluded:           {Zh: "属不予共享范围,可由持证人自行出示", En: "Not shared: the holder can show it"},
	CodeNotInForce:         {Zh: "共享规则尚未施行", En: "The policy is not in force yet"},
	CodeLicenceUnknown:     {Zh: "没有找到此证照", En: "There is no such licence here"},
	CodeFieldUnknown:       {Zh: "此类证照没有所申请的字段", En: "The licence has no such field"},
	grant.CodeGrantMissing: {Zh: "没有此项授权", En: "There is no such grant"},
	grant.CodeGrantDiffers: {Zh: "授权与申请不符", En: "Another grant than the one named"},
	grant.CodeOtherIssuer:  {Zh: "授权针对其他颁发机构的证照", En: "The grant is for a licence of another issuer"},
	grant.CodeOtherAgency:  {Zh: "授权给了其他部门", En: "The grant is for another department"},
	grant.CodeOtherLicence: {Zh: "授权针对其他证照", En: "The grant is for another licence"},
	grant.CodeOtherMatter:  {Zh: "授权针对其他事项", En: "The grant is for another matter"},
	grant.CodeNotGiven:     {Zh: "授权尚未生效", En: "The grant is not given yet"},
	grant.CodeWithdrawn:    {Zh: "授权已撤回", En: "The grant was withdrawn"},
	grant.CodeNotYetValid:  {Zh: "授权尚未到生效时间", En: "The grant does not hold yet"},
	grant.CodeExpired:      {Zh: "授权已过期", En: "The grant has expired"},
	grant.CodeUsedUp:       {Zh: "授权次数已用完", En: "The grant is used up"},
	grant.CodeBeyond:       {Zh: "所申请字段超出授权范围", En: "Fields that the grant is not about"},
}

// Text says to people why a request was answered as it was, by the reason of the answer: the code of a
// decision, or one of those for which an issuer refuses beside it. A reason without a text is said by its
// code.
func Text(reason string) licence.Text {
	if t, known := texts[reason]; known {
		return t
	}
	return licence.Text{Zh: reason, En: reason}
}
