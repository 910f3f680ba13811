package web

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/verifier/report"
)

// A Shelf serves the finished reports of a directory:
//
//	/reports/            which there are
//	/reports/NAME        a report as a page
//	/reports/NAME.json   as it is
//	/reports/NAME.csv
//
// A report is a file NAME.json, as `credledger report --json` writes it; NAME is 1 to 64 letters, digits
// and hyphens. Whatever else is in the directory is not there for it, nor is what a link leads to out of
// the directory. Files may be put there, replaced and taken away at any time.
type Shelf struct {
	dir string

	mu    sync.Mutex
	kept  map[string]*kept // by name
	asked uint64           // how often
}

// kept is what is known of a file. It is read again when it has changed.
type kept struct {
	changed time.Time
	size    int64
	listed  *listed // nil if it is no report

	report *report.Report // nil when it was let go
	text   []byte
	used   uint64 // when it was last asked for, by count
}

const (
	mostReports = 500 // that are listed
	mostKept    = 8   // whose text is in memory
	prefix      = "/reports/"
	suffix      = ".json"
)

// NewShelf returns the shelf of a directory, which need not be there yet. Use it for every path below
// /reports/.
func NewShelf(dir string) *Shelf { return &Shelf{dir: dir, kept: map[string]*kept{}} }

var nameForm = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`)

// headers are those of every answer.
var headers = map[string]string{
	"Content-Security-Policy":      Policy + "; frame-ancestors 'none'",
	"Cache-Control":                "no-cache",
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Permissions-Policy":           "camera=(), microphone=(), geolocation=(), display-capture=(), payment=(), usb=()",
	"Referrer-Policy":              "no-referrer",
	"X-Content-Type-Options":       "nosniff",
	"X-Frame-Options":              "DENY",
}

func (s *Shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for name, value := range headers {
		w.Header().Set(name, value)
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	kind, body, err := s.answer(strings.TrimPrefix(r.URL.Path, prefix))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		http.Error(w, "没有这份报告 / there is no such report", http.StatusNotFound)
	case err != nil:
		http.Error(w, "报告暂时无法读取 / the report cannot be read at present", http.StatusInternalServerError)
	default:
		w.Header().Set("Content-Type", kind)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
	}
}

// answer returns what a path below /reports/ stands for. The error is fs.ErrNotExist if it is nothing.
func (s *Shelf) answer(path string) (kind string, body []byte, err error) {
	if path == "" {
		body, err = s.list()
		return "text/html; charset=utf-8", body, err
	}
	name, form, _ := strings.Cut(path, ".")
	if !nameForm.MatchString(name) || strings.HasSuffix(path, ".") {
		return "", nil, fs.ErrNotExist
	}
	r, text, err := s.open(name)
	if err != nil {
		return "", nil, err
	}
	var out bytes.Buffer
	switch form {
	case "":
		err = Write(&out, r, report.Chinese)
		return "text/html; charset=utf-8", out.Bytes(), err
	case "json":
		return "application/json", text, nil
	case "csv":
		err = r.WriteCSV(&out)
		return "text/csv; charset=utf-8", out.Bytes(), err
	}
	return "", nil, fs.ErrNotExist
}

// listed is a report in the list.
type listed struct {
	Name           string
	Heading, Scope licence.Text
	first          licence.Date
}

// list makes the page of all reports, the newest period first.
func (s *Shelf) list() ([]byte, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var all []*listed
	names := map[string]bool{}
	for _, e := range entries {
		name, isReport := strings.CutSuffix(e.Name(), suffix)
		if !isReport || !nameForm.MatchString(name) || len(all) == mostReports {
			continue
		}
		if found, err := s.look(name); err == nil {
			all = append(all, found)
			names[name] = true
		}
	}
	s.forget(names)
	slices.SortStableFunc(all, func(x, y *listed) int { return int(y.first - x.first) })
	var out bytes.Buffer
	title := licence.Text{Zh: "指标报告", En: "Reports"}
	err = pages.ExecuteTemplate(&out, "list", struct {
		Frame   frame
		Reports []*listed
	}{newFrame(title, report.Chinese), all})
	return out.Bytes(), err
}

// look returns what the list says of a report.
func (s *Shelf) look(name string) (*listed, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, err := s.current(name)
	if err != nil {
		return nil, err
	}
	return k.listed, nil
}

// open returns a report and its text.
func (s *Shelf) open(name string) (*report.Report, []byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, err := s.current(name)
	if err == nil && k.report == nil {
		delete(s.kept, name) // to be read again
		k, err = s.current(name)
	}
	if err != nil {
		return nil, nil, err
	}
	s.asked++
	k.used = s.asked
	return k.report, k.text, nil
}

// current returns what is known of a file as it is now. The error is fs.ErrNotExist if it is no report.
func (s *Shelf) current(name string) (*kept, error) {
	root, err := os.OpenRoot(s.dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	info, err := root.Lstat(name + suffix)
	if err != nil || !info.Mode().IsRegular() || info.Size() > report.MaxReport {
		return nil, fs.ErrNotExist
	}
	k := s.kept[name]
	if k == nil || !k.changed.Equal(info.ModTime()) || k.size != info.Size() {
		k = &kept{changed: info.ModTime(), size: info.Size()}
		if err := k.read(root, name); err != nil {
			return nil, err
		}
		s.asked++
		k.used = s.asked
		s.kept[name] = k
		s.letGo()
	}
	if k.listed == nil {
		return nil, fs.ErrNotExist
	}
	return k, nil
}

// read reads the file of a report. What is not one stays without a listed.
func (k *kept) read(root *os.Root, name string) error {
	f, err := root.Open(name + suffix)
	if err != nil {
		return err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, report.MaxReport+1))
	if err != nil {
		return err
	}
	if r, err := report.Parse(text); err == nil {
		k.report, k.text = r, text
		k.listed = &listed{name, heading(r), scope(r), r.Period.First()}
	}
	return nil
}

// letGo lets go of the reports that were asked for longest ago, when there are too many in memory.
func (s *Shelf) letGo() {
	for {
		var oldest *kept
		n := 0
		for _, k := range s.kept {
			if k.report == nil {
				continue
			}
			if n++; oldest == nil || k.used < oldest.used {
				oldest = k
			}
		}
		if n <= mostKept {
			return
		}
		oldest.report, oldest.text = nil, nil
	}
}

// forget forgets the files that are gone.
func (s *Shelf) forget(there map[string]bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name := range s.kept {
		if !there[name] {
			delete(s.kept, name)
		}
	}
}
