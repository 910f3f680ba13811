package paper

import (
	"strconv"
	"strings"
	"time"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/qr"
)

// Everything on the page is in millimetres from its top left corner.
const (
	pageWidth  = 210.0
	pageHeight = 297.0
	margin     = 18.0
	textWidth  = pageWidth - 2*margin
	textEnd    = pageHeight - margin - 6 // above the foot
	footLine   = pageHeight - margin + 1
	footType   = 2.7
	gap        = 6.0 // between the code and the text beside it
)

// A style is the sizes of one variant of the sheet: of type, as the side of the square that a Chinese
// character takes, and of the code.
type style struct {
	title, heading, body, small float64
	label                       float64 // width of the column of labels; 0: they stand above the values
	code                        float64 // width of the symbol with its margin, as far as the next two allow
	least, most                 float64 // size of a module
}

// At 200 dots an inch, which the poorest scanners have, a module of half a millimetre has four dots; readers
// need three.
var (
	normal = style{title: 8, heading: 5, body: 4.2, small: 3.6, label: 50, code: 75, least: 0.5, most: 0.8}
	large  = style{title: 11, heading: 7, body: 7, small: 5.2, code: 88, least: 0.52, most: 0.9}
)

const (
	leading = 1.4  // height of a line, in sizes of its type
	ascent  = 1.08 // what of it is above the base line
	spacing = 1.2  // between paragraphs
)

// A page is what is drawn on one.
type page struct {
	texts []text
	rules []rule
	boxes []box
	code  *code
}

type text struct {
	x, y float64 // where its base line begins
	size float64
	bold bool
	line line
}

type rule struct{ x, y, width float64 }

type box struct{ x, y, width, height float64 }

type code struct {
	x, y, module float64
	symbol       *qr.Symbol
}

// A paragraph is lines that stay together.
type paragraph struct {
	lines []line
	size  float64
	bold  bool
}

// A layout is a sheet as far as it is laid out.
type layout struct {
	*Sheet
	style
	faces *allFaces
	pages []page
	y     float64 // where the next line begins
}

// name is what the file is called: the licence's type.
func (s *Sheet) name() string {
	if s.Language == English {
		return s.Shown.Type.Name.En
	}
	return s.Shown.Type.Name.Zh
}

// texts are the texts of the sheet that are no fields.
func (s *Sheet) texts() []licence.Text {
	return []licence.Text{s.Shown.Type.Name, s.Issuer, s.Unit, s.Purpose}
}

// drawable makes sure that every character of the sheet is drawn.
func (s *Sheet) drawable() error {
	f := faces()
	for _, t := range s.texts() {
		if !f.draws(t.Zh) || s.Language == English && !f.draws(t.En) {
			return errorf(CodeNoCharacter, "the name of the licence, of its issuer or of the matter has a character that cannot be printed")
		}
	}
	var bad []string
	for _, field := range s.Shown.Fields {
		key := s.Shown.Type.Leaves()[field.Index]
		label, ok := s.Shown.Type.Label(key), f.draws(field.Value.String())
		if !ok || !f.draws(label.Zh) || s.Language == English && !f.draws(label.En) {
			bad = append(bad, key)
		}
	}
	if bad != nil {
		e := errorf(CodeNoCharacter, "there are characters that cannot be printed in %s: leave these fields out, or show the licence by its code or file", strings.Join(bad, ", "))
		e.Fields = bad
		return e
	}
	return nil
}

// layOut lays the sheet out.
func (s *Sheet) layOut(symbol *qr.Symbol) []page {
	l := &layout{Sheet: s, style: normal, faces: faces()}
	if s.Large {
		l.style = large
	}
	l.nextPage()
	l.head()
	l.warning()
	l.codeBlock(symbol)
	l.fields()
	l.foot()
	return l.pages
}

func (l *layout) page() *page { return &l.pages[len(l.pages)-1] }

func (l *layout) nextPage() {
	l.pages = append(l.pages, page{})
	l.y = margin
}

// room begins a page if the rest of this one is lower than that.
func (l *layout) room(height float64) {
	if l.y+height > textEnd && l.y > margin {
		l.nextPage()
	}
}

// wrapped breaks a text into lines of a type that are so wide.
func (l *layout) wrapped(s string, size, width float64) []line {
	return l.faces.lines(s, int(width/size*em))
}

// put sets lines one under the other from a place on the page down, and returns where they end.
func (l *layout) put(lines []line, x, y, size float64, bold bool) float64 {
	for _, line := range lines {
		l.page().texts = append(l.page().texts, text{x, y + ascent*size, size, bold, line})
		y += leading * size
	}
	return y
}

// flow sets a text from the left margin on, over pages if need be.
func (l *layout) flow(s string, x, size float64, bold bool) {
	for _, next := range l.wrapped(s, size, margin+textWidth-x) {
		l.room(leading * size)
		l.y = l.put([]line{next}, x, l.y, size, bold)
	}
}

// centred sets a text in the middle.
func (l *layout) centred(s string, size float64, bold bool) {
	for _, next := range l.wrapped(s, size, textWidth) {
		x := margin + (textWidth-float64(next.width())*size/em)/2
		l.room(leading * size)
		l.y = l.put([]line{next}, x, l.y, size, bold)
	}
}

// inLanguage returns a text in the language of the sheet, and what stands under it.
func (l *layout) inLanguage(t licence.Text) (first, second string) {
	if l.Language == English {
		return t.En, t.Zh
	}
	return t.Zh, ""
}

// head says what this is, who issued it, when and for how long.
func (l *layout) head() {
	first, second := l.inLanguage(l.Shown.Type.Name)
	l.centred(first, l.title, true)
	if second != "" {
		l.centred(second, l.heading, false)
	}
	first, _ = l.inLanguage(wordKind)
	l.centred(first, l.body, false)
	l.y += l.small
	issuer, _ := l.inLanguage(l.Issuer)
	if unit, _ := l.inLanguage(l.Unit); unit != "" {
		issuer += wordJoint[l.Language] + unit
	}
	record := &l.Shown.Record
	l.fact(wordIssuer, issuer)
	l.fact(wordIssued, licence.DateOf(time.Unix(int64(record.IssuedAt), 0)).String())
	if record.ValidFrom != nil {
		l.fact(wordFrom, record.ValidFrom.String())
	}
	if record.ValidUntil != nil {
		l.fact(wordUntil, record.ValidUntil.String())
	}
	if purpose, _ := l.inLanguage(l.Purpose); purpose != "" {
		l.fact(wordPurpose, purpose)
	}
	l.fact(wordPrinted, minute(l.Printed))
}

// fact is a label and what it says, on one line if that is not long.
func (l *layout) fact(label licence.Text, value string) {
	first, _ := l.inLanguage(label)
	l.flow(first+wordColon[l.Language]+value, margin, l.small, false)
}

// warning says in a box that nobody is proven to be the holder.
func (l *layout) warning() {
	const padding = 2.5
	first, second := l.inLanguage(wordNotProven)
	l.room(4*leading*l.heading + 4*padding)
	l.y += padding
	top := l.y
	l.y += padding / 2
	l.centred(first, l.heading, true)
	if second != "" {
		l.centred(second, l.heading, true)
	}
	l.y += padding / 2
	l.page().boxes = append(l.page().boxes, box{margin, top, textWidth, l.y - top})
	l.y += padding
}

// codeBlock is the code with the way to check it beside it.
func (l *layout) codeBlock(symbol *qr.Symbol) {
	modules := float64(symbol.Size() + 2*qr.QuietZone)
	module := min(max(l.code/modules, l.least), l.most)
	side := modules * module
	quiet := qr.QuietZone * module // the symbol's margin is paper: it may lie over the page's
	x, width := margin+side-quiet+gap/2, textWidth-side+quiet-gap/2

	heading, _ := l.inLanguage(wordCheck)
	said := []paragraph{{l.wrapped(heading, l.body, width), l.body, true}}
	for i, step := range steps(l.Host) {
		first, _ := l.inLanguage(step)
		said = append(said, paragraph{l.wrapped(strconv.Itoa(i+1)+". "+first, l.small, width), l.small, false})
	}
	height := 2 * quiet
	for _, p := range said {
		height += leading*p.size*float64(len(p.lines)) + spacing
	}
	l.room(max(side, height))
	top := l.y
	l.page().code = &code{margin - quiet, top, module, symbol}
	y := top + quiet
	for _, p := range said {
		y = l.put(p.lines, x, y, p.size, p.bold) + spacing
	}
	l.y = max(top+side, y+quiet)
}

// fields are the fields that are shown.
func (l *layout) fields() {
	first, _ := l.inLanguage(wordFields(len(l.Shown.Fields)))
	l.room(2 * leading * (l.heading + l.body))
	l.flow(first, margin, l.body, true)
	l.rule()
	for _, f := range l.Shown.Fields {
		l.field(l.Shown.Type.Label(l.Shown.Type.Leaves()[f.Index]), f.Value)
	}
}

func (l *layout) rule() {
	l.page().rules = append(l.page().rules, rule{margin, l.y + spacing/2, textWidth})
	l.y += 1.5 * spacing
}

// field is a field: its label, and beside or under it its value, which may go on for pages.
func (l *layout) field(label licence.Text, v licence.Value) {
	value := v.String()
	if value == "" {
		value, _ = l.inLanguage(wordNone)
	}
	first, second := l.inLanguage(label)
	width := l.label
	if width == 0 {
		width = textWidth
	}
	labels := l.wrapped(first, l.small, width-gap/2)
	if second != "" {
		labels = append(labels, l.wrapped(second, l.small, width-gap/2)...)
	}
	height := leading * l.small * float64(len(labels))
	if l.label == 0 {
		l.room(height + leading*l.body)
		l.y = l.put(labels, margin, l.y, l.small, false)
		l.flow(value, margin, l.body, false)
	} else {
		l.room(max(height, leading*l.body))
		page, top := len(l.pages), l.y
		l.put(labels, margin, l.y+(l.body-l.small)*ascent, l.small, false) // on one base line with the value
		l.flow(value, margin+l.label, l.body, false)
		if len(l.pages) == page {
			l.y = max(l.y, top+height)
		}
	}
	l.rule()
}

// foot says on each page which licence it is of, and which page it is.
func (l *layout) foot() {
	digest, _ := l.inLanguage(wordDigest)
	all := l.pages
	for i := range all {
		left := l.wrapped(digest+" "+l.Shown.Digest.String(), footType, textWidth)
		number, _ := l.inLanguage(wordPage(i+1, len(all)))
		right := l.wrapped(number, footType, textWidth)
		x := margin + textWidth - float64(right[0].width())*footType/em
		all[i].texts = append(all[i].texts,
			text{margin, footLine + ascent*footType, footType, false, left[0]},
			text{x, footLine + ascent*footType, footType, false, right[0]})
		all[i].rules = append(all[i].rules, rule{margin, footLine, textWidth})
	}
}
