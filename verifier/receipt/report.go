package receipt

import (
	"encoding/json"
	"time"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/verify"
)

var outcomeTexts = map[Outcome]licence.Text{
	Anchored:   {Zh: "回执有效,核验记录已上链存证", En: "The receipt is good, and its record is anchored on the ledger"},
	Unanchored: {Zh: "回执签名有效,尚未证明核验记录已上链存证", En: "Signed by the verifier, but not proven to be recorded on the ledger"},
	Refused:    {Zh: "回执不予采信,请勿据此办理", En: "Do not rely on this receipt"},
}

var endTexts = map[string]licence.Text{
	access.Released:   {Zh: "已共享所需信息", En: "The fields were released"},
	access.Refused:    {Zh: "未予共享", En: "The fields were not released"},
	access.Unanswered: {Zh: "逾期未答复", En: "Not answered in time"},
}

// found says what an entry found.
func found(e *access.Entry) licence.Text {
	if e.Asked != "" {
		return endTexts[e.Outcome]
	}
	return verify.Outcome(e.Outcome).TextOn(licence.Date(e.Day), time.Unix(int64(e.Time), 0))
}

// Text says what an outcome means to people.
func (o Outcome) Text() licence.Text { return outcomeTexts[o] }

var codeTexts = map[string]licence.Text{
	CodeOtherLedger:         {Zh: "回执属于本机未接入的账本", En: "the receipt is of a ledger that is not known here"},
	CodeEntryDiffers:        {Zh: "回执所载出示内容与核验记录不符", En: "the entry of the access log is not about what the receipt says was shown"},
	CodePresentationDiffers: {Zh: "回执所载并非此次出示的内容", En: "the receipt is about something else than what was shown"},
	CodeLicenceDiffers:      {Zh: "核验日志登记的并非此证照", En: "the verifier recorded another licence in its access log than the one that was shown"},
	CodeNotIncluded:         {Zh: "证明不能说明日志中有此记录", En: "the proof does not show that the access log has the entry"},
	CodeKeyUnknown:          {Zh: "签名密钥未登记,或本机所知的账本过旧", En: "the signing key was never enrolled, as far as the ledger is known here"},
	CodeKeyDepartment:       {Zh: "签名密钥属于其他部门", En: "the signing key belongs to another department"},
	CodeKeyPurpose:          {Zh: "签名密钥不能用于签署核验日志", En: "the signing key is not one for access logs"},
	CodeSignature:           {Zh: "签名无效", En: "the signature does not verify"},
	CodeKeyNotYetValid:      {Zh: "签署时间早于密钥启用时间", En: "dated before the signing key begins"},
	CodeKeyExpired:          {Zh: "签署时间晚于密钥截止时间", En: "dated after the signing key ends"},
	CodeCheckpointDiffers:   {Zh: "核验日志与链上检查点不符,日志曾被分叉或篡改", En: "the ledger has another checkpoint of this log at this size: the log was forked or changed"},
	CodeKeyCompromised:      {Zh: "签名密钥已声明失窃,且核验记录未证明已上链", En: "the signing key was declared compromised, and the record is not proven to be on the ledger"},
	CodeCheckpointNotThere:  {Zh: "本机所知的账本上没有该检查点", En: "the checkpoint is not on the ledger, as far as it is known here"},
}

// Reason says to people why a receipt is not anchored; empty if it is.
func (r *Report) Reason() licence.Text { return codeTexts[r.Code] }

// reportJSON is the form of a report.
type reportJSON struct {
	Outcome    Outcome       `json:"outcome"`
	Text       licence.Text  `json:"text"`
	Code       *string       `json:"code"`   // null if anchored
	Reason     *licence.Text `json:"reason"` // likewise
	Upgradable bool          `json:"upgradable"`

	// What follows is null of a receipt that is refused: what it claims is not repeated.
	Receipt    *contentsJSON      `json:"receipt"`
	Entry      *access.Entry      `json:"entry"`
	Checkpoint *access.Checkpoint `json:"checkpoint"` // in the receipt
	Key        *verify.KeyState   `json:"keyState"`   // of the key that signed it
	Anchor     *anchorJSON        `json:"anchor"`     // null unless anchored
}

// contentsJSON is what a receipt says beside its entry and its checkpoint.
type contentsJSON struct {
	Presentation sm.Hash      `json:"presentation"`
	Leaf         sm.Hash      `json:"leaf"`
	Index        uint64       `json:"index"`
	Text         licence.Text `json:"text"`
}

type anchorJSON struct {
	Position verify.Position `json:"position"` // of the checkpoint on the ledger
	Before   *string         `json:"before"`   // time of the newest heartbeat before it
	After    *string         `json:"after"`    // time of the first heartbeat after it
}

// MarshalJSON implements json.Marshaler.
func (r Report) MarshalJSON() ([]byte, error) {
	out := reportJSON{Outcome: r.Outcome, Text: r.Outcome.Text(), Upgradable: r.Upgradable}
	if r.Code != "" {
		reason := r.Reason()
		out.Code, out.Reason = &r.Code, &reason
	}
	if f := r.File; r.Outcome != Refused {
		out.Receipt = &contentsJSON{f.Presentation, f.Leaf(), f.Proof.Index, found(f.Entry)}
		out.Entry, out.Checkpoint, out.Key = f.Entry, f.Proof.Checkpoint, &r.KeyState
	}
	if r.Outcome == Anchored {
		out.Anchor = &anchorJSON{r.Anchor.Position, beat(r.Anchor.Before), beat(r.Anchor.After)}
	}
	return json.Marshal(out)
}

func beat(h verify.Heartbeat) *string {
	if h.Sequence == 0 {
		return nil
	}
	s := time.Unix(int64(h.Time), 0).UTC().Format(time.RFC3339)
	return &s
}
