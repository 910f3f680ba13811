package commandtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// valueAt finds a value in the JSON of a file.
func valueAt(ts *testscript.TestScript, file, path string) string {
	values, err := Values(ts.ReadFile(file))
	ts.Check(err)
	if len(values) == 1 {
		return At(values[0], path)
	}
	return At(values, path)
}

// At follows a path into a JSON value, and writes what is there: null and what is absent as "".
func At(v any, path string) string {
	for step := range strings.SplitSeq(path, ".") {
		switch node := v.(type) {
		case map[string]any:
			v = node[step]
		case []any:
			i, err := strconv.Atoi(step)
			if step == "length" {
				v = float64(len(node))
			} else if err != nil || i >= len(node) {
				return ""
			} else {
				v = node[i]
			}
		default:
			return ""
		}
	}
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

// Values decodes the JSON values that a text is made of.
func Values(text string) ([]any, error) {
	var values []any
	d := json.NewDecoder(strings.NewReader(text))
	for {
		var v any
		if err := d.Decode(&v); errors.Is(err, io.EOF) {
			return values, nil
		} else if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
}
