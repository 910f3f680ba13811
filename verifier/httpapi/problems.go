package httpapi

import (
	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/verifier/agency"
	"github.com/credledger/credledger/verifier/intake"
)

// Codes of the problems that this package finds itself, beside those of package rest; the others have the codes
// of the packages that found them. Codes are part of the interface and never change.
const (
	codeAudienceRefused = "audience-refused"
	codeOnBehalfRefused = agency.CodeOnBehalf
	codeHolderNotProven = "holder-not-proven"
	codeIssuerOnly      = "issuer-only"
	codeMatterUnknown   = "matter-unknown"
	codeTypeUnknown     = "type-unknown"
	codeDepartment      = "department-unknown"
	codeAnchorUnknown   = "anchor-unknown"
	codeReceiptUnknown  = "receipt-unknown"
	codeSnapshotNone    = "snapshot-none"
	codeRefused         = "presentation-refused"
	codeSealedUnknown   = "sealed-unknown"
	codeLogUnavailable  = "log-unavailable"
)

// Bounds of bodies in bytes. Base64 takes four letters for three bytes; a few texts come beside it.
const (
	maxTexts      = 16 << 10
	maxCredential = credential.MaxSize/3*4 + maxTexts
	maxShown      = (intake.MaxFile+intake.MaxCredential)/3*4 + maxTexts
)
