package intake

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Bounds of an OFD (GB/T 33190), beside maxInflated.
const (
	maxOFDEntries = 4096    // files in the package
	maxOFDXML     = 1 << 20 // bytes of a file of its structure
	maxOFDDepth   = 32      // of the elements in it
	maxOFDFound   = 1000    // places that one of them names
	maxOFDOpened  = 4096    // files that are read
)

// An ofdPackage is an OFD file: a ZIP archive whose OFD.xml leads to documents, and each of these to
// its list of attachments.
type ofdPackage struct {
	files  map[string]*zip.File
	room   int // bytes that may still be inflated
	opened int // files
}

// attachedToOFD returns the files that are attached to an OFD and may be credentials.
func attachedToOFD(b []byte) ([][]byte, error) {
	p, err := openOFD(b)
	if err != nil {
		return nil, err
	}
	documents, err := p.follow("OFD.xml", "OFD", "DocBody", "DocRoot")
	if err != nil {
		return nil, err
	}
	var out [][]byte
	for _, document := range documents {
		lists, err := p.follow(document, "Document", "Attachments")
		if err != nil {
			return nil, err
		}
		for _, list := range lists {
			files, err := p.follow(list, "Attachments", "Attachment", "FileLoc")
			if err != nil {
				return nil, err
			}
			for _, file := range files {
				content, err := p.attachment(file)
				if err != nil {
					return nil, err
				}
				out = append(out, content)
			}
		}
	}
	return out, nil
}

// openOFD reads the directory of the archive. No name in it is ever one of a file outside.
func openOFD(b []byte) (*ofdPackage, error) {
	if bytes.Count(b, []byte("PK\x01\x02")) > maxOFDEntries {
		return nil, errOFDComplex()
	}
	archive, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, errOFDDamaged()
	}
	p := &ofdPackage{files: make(map[string]*zip.File, len(archive.File)), room: maxInflated}
	for _, f := range archive.File {
		name := strings.TrimSuffix(f.Name, "/")
		if _, twice := p.files[name]; twice || !fs.ValidPath(name) || strings.ContainsAny(name, "\\\x00") {
			return nil, errOFDDamaged()
		}
		p.files[name] = f
	}
	if p.files["OFD.xml"] == nil {
		return nil, errorf(CodeUnrecognised, "this archive is no OFD: it has no OFD.xml")
	}
	return p, nil
}

// read returns a file of the package of at most so many bytes.
func (p *ofdPackage) read(name string, limit int) ([]byte, error) {
	r, err := p.open(name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, int64(min(limit, p.room))+1))
	if p.room -= len(b); p.room < 0 || len(b) > limit {
		return nil, errOFDComplex()
	}
	if err != nil {
		return nil, errOFDDamaged()
	}
	return b, nil
}

func (p *ofdPackage) open(name string) (io.ReadCloser, error) {
	f := p.files[name]
	if f == nil {
		return nil, errOFDDamaged()
	}
	if p.opened++; p.opened > maxOFDOpened {
		return nil, errOFDComplex()
	}
	if f.Flags&1 != 0 {
		return nil, errorf(CodeEncryptedFile, "the OFD is protected by a password: give it without one, or give its credential with it")
	}
	r, err := f.Open()
	if err != nil {
		return nil, errOFDDamaged()
	}
	return r, nil
}

// attachment returns an attached file if it begins as a credential does, else nothing.
func (p *ofdPackage) attachment(name string) ([]byte, error) {
	r, err := p.open(name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	begin := make([]byte, len(start))
	if _, err := io.ReadFull(r, begin); err != nil || !bytes.Equal(begin, start) {
		return nil, nil
	}
	return p.read(name, MaxCredential)
}

// follow returns the files that the elements at a path of an XML file name, each once. A location is
// relative to the file that it is in, or begins with a / at the root of the package (7.2.3, ST_Loc).
func (p *ofdPackage) follow(name string, elements ...string) ([]string, error) {
	b, err := p.read(name, maxOFDXML)
	if err != nil {
		return nil, err
	}
	texts, err := xmlTexts(b, elements)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, location := range texts {
		target := path.Join(path.Dir(name), location)
		if strings.HasPrefix(location, "/") {
			target = path.Clean(location[1:])
		}
		if !fs.ValidPath(target) {
			return nil, errOFDDamaged()
		}
		if !slices.Contains(out, target) {
			out = append(out, target)
		}
	}
	return out, nil
}

// xmlTexts returns the texts of the elements at a path, whatever their namespace. A document type, and
// with it every entity that it could declare, is refused.
func xmlTexts(b []byte, elements []string) ([]string, error) {
	d := xml.NewDecoder(bytes.NewReader(b))
	var at []string
	var text strings.Builder
	var out []string
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out, nil
		} else if err != nil {
			return nil, errOFDDamaged()
		}
		switch token := token.(type) {
		case xml.Directive:
			return nil, errOFDDamaged()
		case xml.StartElement:
			if at = append(at, token.Name.Local); len(at) > maxOFDDepth {
				return nil, errOFDComplex()
			}
			text.Reset()
		case xml.CharData:
			if slices.Equal(at, elements) {
				text.Write(token)
			}
		case xml.EndElement:
			if slices.Equal(at, elements) {
				out = append(out, strings.TrimSpace(text.String()))
			}
			if len(out) > maxOFDFound {
				return nil, errOFDComplex()
			}
			at = at[:len(at)-1]
		}
	}
}

func errOFDDamaged() error {
	return errorf(CodeDamagedFile, "the OFD is damaged, or breaks its standard: save it again, or give its credential with it")
}

func errOFDComplex() error {
	return errorf(CodeBomb, "the OFD takes too much work to read: save it again, or give its credential with it")
}
