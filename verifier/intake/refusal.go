package intake

import (
	"errors"
	"maps"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/qr"
)

// texts has the codes with which what is shown is refused. CodeArgument is the program's fault.
var texts = map[string]licence.Text{
	CodeTooLarge:           {Zh: "内容过大", En: "It is too large"},
	CodeUnrecognised:       {Zh: "无法识别的内容", En: "It is nothing that can be verified"},
	CodeSeveralCredentials: {Zh: "请一次核验一份证照", En: "Verify one licence at a time"},
	CodeTooMany:            {Zh: "证照数量过多", En: "There are too many credentials"},
	CodeDamagedBundle:      {Zh: "文件已损坏", En: "The bundle is damaged"},
	CodeDamagedFile:        {Zh: "文件已损坏或格式不符", En: "The file is damaged"},
	CodeEncryptedFile:      {Zh: "文件已加密,无法读取", En: "The file is protected by a password"},
	CodeBomb:               {Zh: "文件过于复杂,无法读取", En: "The file takes too much to read"},
	CodeNoCredential:       {Zh: "文件中没有证照凭证", En: "The file carries no credential"},
	CodeNotOfLicence:       {Zh: "该文件与证照不符", En: "The file does not belong to the licence"},
	CodeNotDisclosed:       {Zh: "出示的内容未包含文件摘要", En: "The digests of the licence's files are not shown"},
	CodeBusy:               {Zh: "系统繁忙,请稍后再试", En: "Busy: try again soon"},

	credential.CodeBadCode:  {Zh: "这不是证照码,请重新扫描", En: "This is not a code: scan it again"},
	credential.CodeTooLarge: {Zh: "证照内容过大", En: "The presentation is too large"},
	qr.CodeSeveralCodes:     {Zh: "照片中有多个码,请只拍一个", En: "The picture shows several codes: take one at a time"},
	qr.CodeNotAnImage:       {Zh: "不是可用的图片", En: "It is not a picture that can be read"},
	qr.CodeImageTooLarge:    {Zh: "图片过大", En: "The picture is too large"},
	qr.CodeNoCodeFound:      {Zh: "照片中没有找到码,请重新拍摄", En: "No code was found in the picture: take it again"},
}

// Texts returns what people are told with each code that Refusal returns.
func Texts() map[string]licence.Text { return maps.Clone(texts) }

// Refusal returns why what was shown was not read, with a code that Texts has; ok is false for errors of
// other packages. The message is for programmers, in English.
func Refusal(err error) (code, message string, ok bool) {
	var read *Error
	var coded *credential.Error
	var picture *qr.Error
	switch {
	case errors.As(err, &read):
		code, message = read.Code, read.Message
	case errors.As(err, &coded):
		code, message = coded.Code, coded.Message
	case errors.As(err, &picture):
		code, message = picture.Code, picture.Message
	default:
		return "", "", false
	}
	if _, known := texts[code]; !known {
		code = CodeUnrecognised
	}
	return code, message, true
}
