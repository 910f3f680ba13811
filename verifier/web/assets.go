package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"path"
	"strings"
	"sync"
)

//go:embed pages assets
var embedded embed.FS

// A file is ready to be sent.
type file struct {
	kind          string // media type
	plain, packed []byte // packed is gzip
}

// A site is all pages, by file name, and what they load, by path below assets.
type site struct {
	version string // of the assets: hexadecimal, of their contents
	pages   map[string]*file
	assets  map[string]*file
}

// kinds are the media types by file extension; files of other kinds are not served.
var kinds = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
	".txt":  "text/plain; charset=utf-8", // licences of what is bundled
}

// load prepares the site once in a process. In a page, {{name}} stands for pages/parts/name.html,
// and {{assets}} for the address of the assets.
var load = sync.OnceValue(func() *site {
	s := &site{pages: map[string]*file{}, assets: map[string]*file{}}
	contents := sha256.New()
	read("assets", func(name string, b []byte) {
		contents.Write([]byte(name))
		contents.Write(b)
		s.assets[name] = newFile(name, b)
	})
	s.version = hex.EncodeToString(contents.Sum(nil)[:8])
	words := []string{"{{assets}}", "/assets/" + s.version}
	address := strings.NewReplacer(words...)
	read("pages/parts", func(name string, b []byte) {
		words = append(words, "{{"+strings.TrimSuffix(name, ".html")+"}}", address.Replace(string(b)))
	})
	whole := strings.NewReplacer(words...)
	read("pages", func(name string, b []byte) {
		s.pages[name] = newFile(name, []byte(whole.Replace(string(b))))
	})
	return s
})

// read calls f with the embedded files of a directory that have a media type, in lexical order. What
// is embedded can be read, so an error means that the program is broken.
func read(dir string, f func(name string, b []byte)) {
	err := fs.WalkDir(embedded, dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || kinds[path.Ext(p)] == "" {
			return err
		}
		b, err := embedded.ReadFile(p)
		if err == nil {
			f(strings.TrimPrefix(p, dir+"/"), b)
		}
		return err
	})
	if err != nil {
		panic("web: " + err.Error())
	}
}

func newFile(name string, b []byte) *file {
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err == nil {
		_, err = w.Write(b)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic("web: " + err.Error()) // a buffer in memory takes every write
	}
	return &file{kind: kinds[path.Ext(name)], plain: b, packed: packed.Bytes()}
}
