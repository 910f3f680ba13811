package attach

import (
	"fmt"
	"path"
	"strings"
)

// Where a document's list of attachments is put if it has none: a folder beside the document, and a name
// in it with its ending.
const (
	ofdFolder     = "Attachs"
	ofdList       = "Attachments"
	ofdListEnding = ".xml"
)

// ofdNamespace is that of GB/T 33190 (7.1).
const ofdNamespace = "http://www.ofdspec.org/2016"

// attachToOFD attaches to the first document of an OFD.
func attachToOFD(b []byte, a attachment) (*Result, error) {
	p, err := openOFD(b)
	if err != nil {
		return nil, err
	}
	documents, credentials, err := p.attached()
	if err != nil {
		return nil, err
	}
	found, err := a.among(credentials)
	if err != nil {
		return nil, err
	}
	signatures, covered, err := p.signatures()
	if err != nil {
		return nil, err
	}
	if found {
		return &Result{File: b, Signatures: signatures}, nil
	}
	u := &ofdUpdate{p: p, attachment: a, changed: map[string][]byte{}}
	if err := u.attach(documents[0]); err != nil {
		return nil, err
	}
	for name := range u.changed {
		if covered(name) {
			return nil, errSigned(FormatOFD)
		}
	}
	out, err := u.write()
	if err != nil {
		return nil, err
	}
	if len(out) > MaxFile {
		return nil, errTooLarge()
	}
	if err := readBackOFD(out, a); err != nil {
		return nil, err
	}
	return &Result{File: out, Name: path.Base(u.name), Signatures: signatures}, nil
}

// readBackOFD makes sure that a credential is in a file, and no other.
func readBackOFD(b []byte, a attachment) error {
	p, err := openOFD(b)
	if err != nil {
		return err
	}
	_, credentials, err := p.attached()
	if err != nil {
		return err
	}
	found, err := a.among(credentials)
	if err != nil {
		return err
	}
	if !found {
		return errDamaged(FormatOFD)
	}
	return nil
}

// attached returns the files of the documents, of which there is at least one, and the credentials that
// are attached to them.
func (p *ofdPackage) attached() (documents []string, credentials [][]byte, err error) {
	if documents, err = p.follow("OFD.xml", "OFD", "DocBody", "DocRoot"); err != nil {
		return nil, nil, err
	}
	if len(documents) == 0 {
		return nil, nil, errDamaged(FormatOFD)
	}
	for _, document := range documents {
		lists, err := p.follow(document, "Document", "Attachments")
		if err != nil {
			return nil, nil, err
		}
		for _, list := range lists {
			files, err := p.follow(list, "Attachments", "Attachment", "FileLoc")
			if err != nil {
				return nil, nil, err
			}
			for _, file := range files {
				content, err := p.credential(file)
				if err != nil {
					return nil, nil, err
				}
				if content != nil {
					credentials = append(credentials, content)
				}
			}
		}
	}
	return documents, credentials, nil
}

// signatures returns how many electronic signatures the package has, and whether one of them covers a
// file (GB/T 33190, chapter 18). One that names no file is taken to cover all.
func (p *ofdPackage) signatures() (count int, covered func(name string) bool, err error) {
	all, files := false, map[string]bool{}
	lists, err := p.follow("OFD.xml", "OFD", "DocBody", "Signatures")
	if err != nil {
		return 0, nil, err
	}
	for _, list := range lists {
		signatures, err := p.elements(list, "Signatures", "Signature")
		if err != nil {
			return 0, nil, err
		}
		for _, s := range signatures {
			signature, ok := locate(list, s.attribute("BaseLoc"))
			if !ok {
				return 0, nil, errDamaged(FormatOFD)
			}
			references, err := p.elements(signature, "Signature", "SignedInfo", "References", "Reference")
			if err != nil {
				return 0, nil, err
			}
			for _, r := range references {
				// Programs differ in what a location that does not begin with a / is relative to.
				for _, from := range []string{signature, "OFD.xml"} {
					if name, ok := locate(from, r.attribute("FileRef")); ok {
						files[strings.ToLower(name)] = true
					}
				}
			}
			all = all || len(references) == 0
			count++
		}
	}
	return count, func(name string) bool { return all || files[strings.ToLower(name)] }, nil
}

// An ofdUpdate is what attaching changes in a package.
type ofdUpdate struct {
	p *ofdPackage
	attachment
	name    string            // of the attached file
	changed map[string][]byte // contents of files that are there already
	added   []ofdFile
}

// An ofdFile is a new file of a package.
type ofdFile struct {
	name    string
	content []byte
}

func (u *ofdUpdate) add(name string, content []byte) {
	u.added = append(u.added, ofdFile{name, content})
}

// attach attaches to a document.
func (u *ofdUpdate) attach(document string) error {
	lists, err := u.p.follow(document, "Document", "Attachments")
	if err != nil {
		return err
	}
	if len(lists) > 0 {
		list := lists[0]
		u.name = u.free(path.Dir(list), stem, extension)
		u.add(u.name, u.content)
		return u.extend(list)
	}
	folder := path.Join(path.Dir(document), ofdFolder)
	list := u.free(folder, ofdList, ofdListEnding)
	u.name = u.free(folder, stem, extension)
	u.add(list, u.newList())
	u.add(u.name, u.content)
	return u.enlist(document, list)
}

// free returns a place in a folder that nothing has yet.
func (u *ofdUpdate) free(folder, stem, ending string) string {
	return path.Join(folder, freeName(stem, ending, func(name string) bool { return u.p.has(path.Join(folder, name)) }))
}

// enlist writes into a document where its list of attachments is: the last of its children but for
// Extensions (GB/T 33190, 7.5).
func (u *ofdUpdate) enlist(document, list string) error {
	b, err := u.p.read(document, maxOFDXML)
	if err != nil {
		return err
	}
	roots, err := xmlElements(b, "Document")
	if err != nil {
		return err
	}
	extensions, err := xmlElements(b, "Document", "Extensions")
	if err != nil {
		return err
	}
	if len(roots) != 1 || roots[0].empty() {
		return errDamaged(FormatOFD)
	}
	root := roots[0]
	at := root.end
	if len(extensions) > 0 {
		at = extensions[0].begin
	}
	element := root.sibling("Attachments")
	u.changed[document] = splice(b, at, at, fmt.Sprintf("<%s>%s</%s>", element, xmlText("/"+list), element))
	return nil
}

// extend adds the attachment to a list.
func (u *ofdUpdate) extend(list string) error {
	b, err := u.p.read(list, maxOFDXML)
	if err != nil {
		return err
	}
	roots, err := xmlElements(b, "Attachments")
	if err != nil {
		return err
	}
	others, err := xmlElements(b, "Attachments", "Attachment")
	if err != nil {
		return err
	}
	if len(roots) != 1 {
		return errDamaged(FormatOFD)
	}
	if len(others) >= maxAttachments {
		return errTooComplex(FormatOFD)
	}
	taken := map[string]bool{}
	for _, o := range others {
		taken[o.attribute("ID")] = true
	}
	root := roots[0]
	entry := u.entry(root, taken)
	if root.empty() {
		u.changed[list] = splice(b, root.inner-len("/>"), root.inner, ">"+entry+"</"+root.name+">")
	} else {
		u.changed[list] = splice(b, root.end, root.end, entry)
	}
	return nil
}

// newList returns a list with nothing but the attachment.
func (u *ofdUpdate) newList() []byte {
	root := xmlElement{name: "ofd:Attachments", local: "Attachments"}
	return fmt.Appendf(nil, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<%s xmlns:ofd=%q>%s</%s>\n", root.name, ofdNamespace, u.entry(root, nil), root.name)
}

// entry returns the attachment's entry in a list (GB/T 33190, 20.2), whose identifiers are taken. Size is
// in kilobytes.
func (u *ofdUpdate) entry(list xmlElement, taken map[string]bool) string {
	id := freeName(stem, "", func(id string) bool { return taken[id] })
	attachment, location := list.sibling("Attachment"), list.sibling("FileLoc")
	return fmt.Sprintf(`<%s ID="%s" Name="%s" Format="%s" Size="%.3f"><%s>%s</%s></%s>`,
		attachment, id, path.Base(u.name), extension[1:], float64(len(u.content))/1024, location, xmlText("/"+u.name), location, attachment)
}
