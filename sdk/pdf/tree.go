package pdf

// Walk visits the dictionaries of a tree in order. Visit returns the kids of a node, and what it hands down
// to them: they get that as inherited. The roots get nil.
func (f *File) Walk(roots Array, visit func(node Dict, inherited any) (kids Array, bequest any)) {
	type place struct{ node, inherited any }
	var todo []place
	push := func(kids Array, inherited any) {
		for i := range kids {
			todo = append(todo, place{kids[len(kids)-1-i].Value, inherited})
		}
	}
	push(roots, nil)
	seen, visited := map[Ref]bool{}, 0
	for len(todo) > 0 && f.err == nil {
		next := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if ref, ok := next.node.(Ref); ok {
			if seen[ref] {
				f.damaged()
			}
			seen[ref] = true
		}
		push(visit(f.Dict(next.node), next.inherited))
		if visited++; visited+len(todo) > f.bounds.Nodes {
			f.Fail(ErrComplex)
		}
	}
}

// A Named is an entry of a name tree.
type Named struct {
	Name, File Item // the name's value is a String
}

// Names returns the entries of a name tree, in its order (7.9.6).
func (f *File) Names(root any) []Named {
	var out []Named
	f.Walk(Array{{Value: root}}, func(node Dict, _ any) (Array, any) {
		names := f.Array(node.Get("Names"))
		for ; len(names) > 1; names = names[2:] {
			name := names[0]
			if _, isRef := name.Value.(Ref); isRef {
				name = f.Resolve(name.Value)
			}
			if _, ok := name.Value.(String); !ok {
				f.damaged()
				return nil, nil
			}
			out = append(out, Named{name, names[1]})
		}
		if len(out) > f.bounds.Nodes {
			f.Fail(ErrComplex)
		}
		return f.Array(node.Get("Kids")), nil
	})
	return out
}

// Attached returns what is attached to the document: the entries of the name tree EmbeddedFiles (7.7.4),
// and its associated files (ISO 32000-2, 14.13). The file of each entry, and each of the associated ones, is
// a file specification.
func (f *File) Attached() (names []Named, associated Array) {
	catalog := f.Dict(f.trailer.Get("Root"))
	names = f.Names(f.Dict(catalog.Get("Names")).Get("EmbeddedFiles"))
	if associated = f.Array(catalog.Get("AF")); associated == nil && f.Resolve(catalog.Get("AF")).Value != nil {
		f.damaged()
	}
	return names, associated
}

// StreamOf returns the stream of an embedded file that a file specification names (7.11.3).
func (f *File) StreamOf(specification Dict) (Ref, bool) {
	embedded := f.Dict(specification.Get("EF"))
	for _, key := range []Name{"F", "UF"} {
		if ref, ok := embedded.Get(key).(Ref); ok {
			return ref, true
		}
	}
	return Ref{}, false
}
