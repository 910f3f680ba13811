package attach

import (
	"archive/zip"
	"bytes"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/credledger/credledger/sdk/credential"
)

// Bounds of an OFD: within those of package intake, so that it reads every result.
const (
	maxOFDEntries  = 4_000    // files in the package
	maxOFDXML      = 1 << 20  // bytes of a file of its structure
	maxOFDInflated = 16 << 20 // bytes that all that is read of it has
	maxOFDOpened   = 2_048    // files that are read
)

// An ofdPackage is an OFD file: a ZIP archive whose OFD.xml leads to documents, and each of these to
// its list of attachments.
type ofdPackage struct {
	archive *zip.Reader
	files   map[string]*zip.File
	folded  map[string]bool // names in lower case, with those of the folders
	room    int             // bytes that may still be inflated
	opened  int             // files
}

// openOFD reads the directory of the archive. No name in it is ever one of a file outside. Files that
// share their bytes, so that a copy would be larger than the archive, are refused.
func openOFD(b []byte) (*ofdPackage, error) {
	if bytes.Count(b, []byte("PK\x01\x02")) > maxOFDEntries {
		return nil, errTooComplex(FormatOFD)
	}
	archive, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, errDamaged(FormatOFD)
	}
	p := &ofdPackage{archive: archive, files: make(map[string]*zip.File, len(archive.File)), folded: map[string]bool{}, room: maxOFDInflated}
	rest := uint64(len(b))
	for _, f := range archive.File {
		name := strings.TrimSuffix(f.Name, "/")
		if _, twice := p.files[name]; twice || !fs.ValidPath(name) || strings.ContainsAny(name, "\\\x00") || f.CompressedSize64 > rest {
			return nil, errDamaged(FormatOFD)
		}
		if f.Flags&1 != 0 {
			return nil, errEncrypted(FormatOFD)
		}
		rest -= f.CompressedSize64
		p.files[name] = f
		for folder := strings.ToLower(name); folder != "."; folder = path.Dir(folder) {
			p.folded[folder] = true
		}
	}
	if p.files["OFD.xml"] == nil {
		return nil, errorf(CodeUnrecognised, "the file is an archive but no OFD, for it has no OFD.xml: give an OFD or a PDF, or hand the credential out beside it")
	}
	return p, nil
}

// has reports whether the package has a file or folder of a name, in capitals or not: programs unpack it
// where these are the same.
func (p *ofdPackage) has(name string) bool { return p.folded[strings.ToLower(name)] }

// read returns a file of the package of at most so many bytes.
func (p *ofdPackage) read(name string, limit int) ([]byte, error) {
	r, err := p.open(name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, int64(min(limit, p.room))+1))
	if p.room -= len(b); p.room < 0 || len(b) > limit {
		return nil, errTooComplex(FormatOFD)
	}
	if err != nil {
		return nil, errDamaged(FormatOFD)
	}
	return b, nil
}

func (p *ofdPackage) open(name string) (io.ReadCloser, error) {
	f := p.files[name]
	if f == nil {
		return nil, errDamaged(FormatOFD)
	}
	if p.opened++; p.opened > maxOFDOpened {
		return nil, errTooComplex(FormatOFD)
	}
	r, err := f.Open()
	if err != nil {
		return nil, errDamaged(FormatOFD)
	}
	return r, nil
}

// credential returns a file if it begins as a credential does, else nothing; of one that is longer than
// any credential, no more than shows that.
func (p *ofdPackage) credential(name string) ([]byte, error) {
	r, err := p.open(name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	begin := make([]byte, len(start))
	if _, err := io.ReadFull(r, begin); err != nil || !bytes.Equal(begin, start) {
		return nil, nil
	}
	rest, err := io.ReadAll(io.LimitReader(r, credential.MaxSize))
	if p.room -= len(rest); p.room < 0 {
		return nil, errTooComplex(FormatOFD)
	}
	if err != nil {
		return nil, errDamaged(FormatOFD)
	}
	return append(begin, rest...), nil
}

// follow returns the files that the elements at a path of an XML file name, each once.
func (p *ofdPackage) follow(name string, elements ...string) ([]string, error) {
	found, err := p.elements(name, elements...)
	if err != nil {
		return nil, err
	}
	if len(found) > maxAttachments {
		return nil, errTooComplex(FormatOFD)
	}
	var out []string
	for _, e := range found {
		target, ok := locate(name, strings.TrimSpace(e.text))
		if !ok {
			return nil, errDamaged(FormatOFD)
		}
		if !slices.Contains(out, target) {
			out = append(out, target)
		}
	}
	return out, nil
}

// elements returns the elements at a path of an XML file.
func (p *ofdPackage) elements(name string, elements ...string) ([]xmlElement, error) {
	b, err := p.read(name, maxOFDXML)
	if err != nil {
		return nil, err
	}
	return xmlElements(b, elements...)
}

// locate returns what a location in a file of the package stands for: it is relative to that file, or
// begins with a / at the root of the package (GB/T 33190, 7.2.3: ST_Loc).
func locate(from, location string) (name string, ok bool) {
	name = path.Join(path.Dir(from), location)
	if strings.HasPrefix(location, "/") {
		name = path.Clean(location[1:])
	}
	return name, location != "" && fs.ValidPath(name)
}

// write returns the package with what is changed and added. All else is copied as it is compressed.
func (u *ofdUpdate) write() ([]byte, error) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	put := func(h zip.FileHeader, content []byte) error {
		h.Method = zip.Deflate
		f, err := w.CreateHeader(&h)
		if err == nil {
			_, err = f.Write(content)
		}
		return err
	}
	for _, f := range u.p.archive.File {
		content, changed := u.changed[f.Name]
		var err error
		if changed {
			err = put(zip.FileHeader{Name: f.Name, Comment: f.Comment, NonUTF8: f.NonUTF8, Modified: f.Modified, CreatorVersion: f.CreatorVersion, ExternalAttrs: f.ExternalAttrs}, content)
		} else {
			err = w.Copy(f)
		}
		if err != nil {
			return nil, errDamaged(FormatOFD)
		}
	}
	for _, f := range u.added {
		if err := put(zip.FileHeader{Name: f.name, Modified: u.issued}, f.content); err != nil {
			return nil, errDamaged(FormatOFD)
		}
	}
	if err := w.SetComment(u.p.archive.Comment); err != nil {
		return nil, errDamaged(FormatOFD)
	}
	if err := w.Close(); err != nil {
		return nil, errDamaged(FormatOFD)
	}
	return out.Bytes(), nil
}
