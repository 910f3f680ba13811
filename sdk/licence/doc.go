// Package licence knows what licences consist of: their types, which are data, their documents, and their identifiers.
//
// A licence type (ParseType) is a JSON file: a dictionary of fields with kinds, classifications, masks and the names that registries use for them, the
// changes of state it allows, and its restrictions. There is no code per type.
//
// A document comes in as JSON, JSON Lines, XML or CSV (NewReader), in any of the names of its fields, and has one canonical form:
//
//	{"certificateNumber":"J990101-2006-000001","registrationDate":"2006-05-06","spouse1Name":"钱琳", ...}
//
// The same licence gives the same values, and so the same bytes, whatever it came in as:
//   - all text is in Unicode normalisation form C, without white space at its ends; it has no control or invisible characters, and one line unless the
//     kind is text, whose lines end in "\n";
//   - codes (resident-id, ids, uscc, property-unit) are in ASCII capitals and digits, with no white space in them, full-width characters folded;
//     the licence's number (the field with the alias ZZBH) is folded likewise but keeps its letters' case; names and free text are not folded;
//   - dates are as in ISO 8601 (2006-05-06); decimals have no leading zeros and no trailing ones in the fraction (197.20 is 197.2);
//   - a list (names, ids) is the same as a JSON array, as repeated XML elements and as one text separated by ";", "；" or "、": no item holds one of these;
//   - null, a blank text and an absent field are the same: no value.
//
// Unknown, missing, doubled and malformed fields are errors (RecordError) that name the record, the line and the field. No error quotes a value.
// Fields named ZZYXQQSRQ and ZZYXQJZRQ are the days of validity in every type, and ZZBS is the identifier (GB/T 36904).
//
// The package does no I/O but on the io.Reader it is given, has no clock, signs and hashes nothing, and does not decide whether a licence is true.
package licence
