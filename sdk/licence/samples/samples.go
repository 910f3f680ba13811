// Package samples embeds synthetic licences for demonstrations and tests: the same forty licences of each built-in type as JSON Lines, XML
// and CSV, and the first of them as one JSON object with English and with Chinese field names.
package samples

import "embed"

// Files holds TYPE.jsonl, TYPE.xml, TYPE.csv, TYPE-1.json and TYPE-1.zh.json for the types business, marriage and property.
//
//go:embed *.json *.jsonl *.xml *.csv
var Files embed.FS
