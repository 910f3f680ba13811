package qr

import (
	"errors"
	"fmt"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode/decoder"
)

// balance is the radius, in modules, of the square over which a module is compared with the mean: a mask makes about
// half the modules of each stretch of a symbol dark.
const balance = 7

// text decodes a symbol that is given as a picture of one pixel per module.
func (g *gray) text() (text string, err error) {
	defer func() { // gozxing meets damaged symbols here
		if p := recover(); p != nil {
			text, err = "", fmt.Errorf("decode symbol: %v", p)
		}
	}()
	modules, err := gozxing.NewSquareBitMatrix(g.w)
	if err != nil {
		return "", err
	}
	for i, dark := range g.threshold(balance, 100).dark {
		if dark {
			modules.Set(i%g.w, i/g.w)
		}
	}
	hints := map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_CHARACTER_SET: "UTF-8"}
	result, err := decoder.NewDecoder().Decode(modules, hints)
	if err != nil {
		return "", err
	}
	if result.GetText() == "" || result.HasStructuredAppend() {
		return "", errors.New("decode symbol: not a whole text")
	}
	return result.GetText(), nil
}
