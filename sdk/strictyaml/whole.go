package strictyaml

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// checkWholes refuses a document, which was read into v, that holds something else than a whole number for one.
func checkWholes(b []byte, v any) error {
	f, err := parser.ParseBytes(b, 0)
	if err != nil {
		return err
	}
	w := &wholes{anchors: map[string]ast.Node{}}
	for _, d := range f.Docs {
		if err := w.check(d.Body, reflect.TypeOf(v)); err != nil {
			return err
		}
	}
	return nil
}

// wholes looks at what is given for whole numbers: goccy/go-yaml takes 1.5 and "1.5" for 1 there.
type wholes struct {
	anchors map[string]ast.Node
}

// check returns where n, which was read into a value of type t, holds something else than a whole number for one.
func (w *wholes) check(n ast.Node, t reflect.Type) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch n := n.(type) {
	case *ast.AnchorNode:
		err := w.check(n.Value, t)
		w.anchors[n.Name.GetToken().Value] = n.Value
		return err
	case *ast.AliasNode:
		name := n.Value.GetToken().Value
		anchored := w.anchors[name]
		if anchored == nil {
			return nil
		}
		w.anchors[name] = nil // what holds itself has no end
		err := w.check(anchored, t)
		w.anchors[name] = anchored
		return err
	case *ast.TagNode:
		return w.check(n.Value, t)
	case *ast.MappingNode:
		for _, entry := range n.Values {
			if err := w.entry(entry, t); err != nil {
				return err
			}
		}
	case *ast.MappingValueNode:
		return w.entry(n, t)
	case *ast.SequenceNode:
		if t.Kind() != reflect.Slice && t.Kind() != reflect.Array {
			return nil
		}
		for _, entry := range n.Values {
			if err := w.check(entry, t.Elem()); err != nil {
				return err
			}
		}
	case *ast.IntegerNode, *ast.NullNode:
	case ast.ScalarNode:
		if t.PkgPath() == "" && t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64 { // a time.Duration is read from a text
			p := n.GetToken().Position
			return fmt.Errorf("[%d:%d] a whole number belongs here, in digits alone: no fraction, no exponent, no quotes", p.Line, p.Column)
		}
	}
	return nil
}

// entry checks a key's value, which was read into a value of type t.
func (w *wholes) entry(n *ast.MappingValueNode, t reflect.Type) error {
	switch {
	case n.Key.IsMergeKey():
		return w.check(n.Value, t)
	case t.Kind() == reflect.Map:
		return w.check(n.Value, t.Elem())
	case t.Kind() != reflect.Struct:
		return nil
	}
	key := n.Key.GetToken().Value
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if name == "" {
			name = strings.ToLower(f.Name)
		}
		if name == key {
			return w.check(n.Value, f.Type)
		}
	}
	return nil
}
