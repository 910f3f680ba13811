package webpage

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"path"
	"strings"
)

//go:embed parts assets
var common embed.FS

// A file is ready to be sent.
type file struct {
	kind          string // media type
	plain, packed []byte // packed is gzip
}

// files are all pages, by file name, and what they load, by path below assets.
type files struct {
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

// load prepares the files of a site together with those of this package.
func load(site fs.FS) *files {
	f := &files{pages: map[string]*file{}, assets: map[string]*file{}}
	contents := sha256.New()
	asset := func(name string, b []byte) {
		if f.assets[name] != nil {
			panic("webpage: two assets are called " + name)
		}
		contents.Write([]byte(name))
		contents.Write(b)
		f.assets[name] = newFile(name, b)
	}
	read(common, "assets", asset)
	read(site, "assets", asset)
	f.version = hex.EncodeToString(contents.Sum(nil)[:8])
	words := []string{"{{assets}}", "/assets/" + f.version}
	part := func(known *strings.Replacer) func(string, []byte) {
		return func(name string, b []byte) {
			words = append(words, "{{"+strings.TrimSuffix(name, ".html")+"}}", known.Replace(string(b)))
		}
	}
	read(common, "parts", part(strings.NewReplacer(words...)))
	read(site, "pages/parts", part(strings.NewReplacer(words...)))
	whole := strings.NewReplacer(words...)
	read(site, "pages", func(name string, b []byte) {
		f.pages[name] = newFile(name, []byte(whole.Replace(string(b))))
	})
	if f.pages["missing.html"] == nil {
		panic("webpage: there is no page missing.html")
	}
	return f
}

// read calls f with the files of a directory that have a media type, in lexical order. What is
// embedded can be read, so an error means that the program is broken.
func read(from fs.FS, dir string, f func(name string, b []byte)) {
	err := fs.WalkDir(from, dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || kinds[path.Ext(p)] == "" {
			return err
		}
		b, err := fs.ReadFile(from, p)
		if err == nil {
			f(strings.TrimPrefix(p, dir+"/"), b)
		}
		return err
	})
	if err != nil {
		panic("webpage: " + err.Error())
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
		panic("webpage: " + err.Error()) // a buffer in memory takes every write
	}
	return &file{kind: kinds[path.Ext(name)], plain: b, packed: packed.Bytes()}
}
