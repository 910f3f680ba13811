package licence

// Labels of the leaves that every type has.
var (
	identifierLabel = Text{Zh: "电子证照标识", En: "Licence identifier"}
	documentsLabel  = Text{Zh: "证照文件摘要", En: "Digests of licence files"}
)

// Label returns what people call the leaf with the given key; for a key that the type does not have, the key itself.
func (t *Type) Label(key string) Text {
	switch key {
	case IdentifierKey:
		return identifierLabel
	case DocumentsKey:
		return documentsLabel
	}
	if f, ok := t.Field(key); ok {
		return f.Label
	}
	return Text{Zh: key, En: key}
}
