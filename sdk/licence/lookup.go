package licence

// CanonicalNumber brings the number of a licence of the type, as somebody typed it, to the form that it has
// in documents. It reports false if no licence can have it.
func (t *Type) CanonicalNumber(s string) (string, bool) {
	s, wrong := t.NumberField().Kind.canonical(s, true)
	return s, s != "" && wrong == ""
}

// CanonicalHolder brings the identity number or unified social credit code of a holder, as somebody typed
// it, to the form that it has in documents. It reports false if nobody can have it.
func CanonicalHolder(s string) (string, bool) {
	s, wrong := KindIDs.canonical(s, false)
	return s, s != "" && wrong == ""
}
