package paper

import (
	"fmt"
	"strings"
	"time"

	"github.com/credledger/credledger/sdk/licence"
)

// The words of a sheet.
var (
	wordKind      = licence.Text{Zh: "电子证照纸质核验页", En: "Electronic licence, printed for verification"}
	wordIssuer    = licence.Text{Zh: "颁发机构", En: "Issued by"}
	wordIssued    = licence.Text{Zh: "制发日期", En: "Issued on"}
	wordFrom      = licence.Text{Zh: "有效期自", En: "Valid from"}
	wordUntil     = licence.Text{Zh: "有效期至", En: "Valid until"}
	wordPurpose   = licence.Text{Zh: "用于办理", En: "Shown for"}
	wordPrinted   = licence.Text{Zh: "打印时间", En: "Printed at"}
	wordNotProven = licence.Text{Zh: "未证明本人出示,请核对身份证", En: "Not proven to be shown by its holder: check the identity card"}
	wordCheck     = licence.Text{Zh: "怎样核验", En: "How to check"}
	wordNone      = licence.Text{Zh: "（无）", En: "(none)"}
	wordDigest    = licence.Text{Zh: "证照摘要", En: "Digest"}
)

// What stands between a label and what it says, and between a department and its unit.
var (
	wordColon = map[string]string{Chinese: "：", English: ": "}
	wordJoint = map[string]string{Chinese: " ", English: ", "}
)

// steps say how to check a sheet.
func steps(host string) []licence.Text {
	page := "https://" + strings.ToLower(host) + "/"
	return []licence.Text{
		{
			Zh: "用本单位的核验系统扫描核验码。没有系统的，打开网址，扫码或上传本文件：" + page,
			En: "Scan the code with your own verifying system. If you have none, scan it, or upload this file, at " + page,
		},
		{
			Zh: "以核验结果为准，不以纸面为准：纸上的字谁都能印。",
			En: "Go by the answer, not by the paper: anybody can print these words.",
		},
		{
			Zh: "证照在打印以后可能变更或失效，每次使用都要核验。",
			En: "The licence may have been changed or withdrawn since it was printed: check it each time.",
		},
		{
			Zh: "核验结果中的内容应与纸面一致，身份证应是持证人本人的。",
			En: "What the answer shows should be what the paper says, and the identity card should be the holder's own.",
		},
	}
}

func wordFields(n int) licence.Text {
	text := licence.Text{Zh: fmt.Sprintf("持证人选择出示的内容（%d 项）", n), En: fmt.Sprintf("What the holder chose to show (%d fields)", n)}
	if n == 1 {
		text.En = "What the holder chose to show (1 field)"
	}
	return text
}

func wordPage(n, of int) licence.Text {
	return licence.Text{Zh: fmt.Sprintf("第 %d 页，共 %d 页", n, of), En: fmt.Sprintf("Page %d of %d", n, of)}
}

// china is the time of the licences' days.
var china = time.FixedZone("UTC+8", 8*60*60)

// minute shows a time to the minute.
func minute(t time.Time) string { return t.In(china).Format("2006-01-02 15:04") }
