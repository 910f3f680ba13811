package webpage

import "io/fs"

// Asset returns the text of one of this package's assets, as base.css, for a page that stands by
// itself in one file. It panics if there is none of this name: then the program is broken, not its
// input.
func Asset(name string) string {
	b, err := fs.ReadFile(common, "assets/"+name)
	if err != nil {
		panic("webpage: " + err.Error())
	}
	return string(b)
}
