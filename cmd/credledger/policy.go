package main

import (
	"context"
	_ "embed" // for the policy of the demonstration city
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/govern"
	"github.com/credledger/credledger/sdk/grant/policy"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// What a home has of the policy for releases between departments.
const (
	policySource = "policy.yaml"   // as people write it; made by init for the demonstration city
	policyFile   = "policy.signed" // as it was published last: the signed statement and nothing else
)

//go:embed samplepolicy.yaml
var samplePolicy []byte

// maxPolicy bounds the file of a policy that was published, in bytes.
const maxPolicy = statement.MaxDefinition + 4<<10

func policyPublishCommand() *command {
	return &command{
		name: "policy publish", args: "--home DIR FILE|-",
		summary: "sign a version of the policy for releases between departments, as the authority",
		detail: "FILE is the policy in YAML: which agency the law gives which fields of which licences for which matter, and\n" +
			"what nobody is given (docs/SPEC.md, section 22.2). It must fit the departments and licence types on the\n" +
			"ledger, and have a greater version than the one published before. The signed policy is written to\n" +
			policyFile + " of the home, from where every department takes it to the services that answer requests.",
		run: func(ctx context.Context, c *call) error {
			if len(c.args) != 1 {
				return usagef("name the FILE with the policy, or - for standard input")
			}
			b, err := c.readPolicy(c.args[0])
			if err != nil {
				return err
			}
			h, err := c.openHome(ctx, "")
			if err != nil {
				return err
			}
			return errors.Join(c.publishPolicy(ctx, h, b), h.close())
		},
	}
}

func policyShowCommand() *command {
	return &command{
		name: "policy show", args: "--home DIR [FILE|-]",
		summary: "check who has signed a policy, and show what it gives",
		detail: "FILE is a signed policy; without it, the one that was published in this home is meant. It is checked\n" +
			"against the ledger.",
		run: func(ctx context.Context, c *call) error {
			if len(c.args) > 1 {
				return usagef("name one FILE with a signed policy")
			}
			h, err := c.openHome(ctx, "")
			if err != nil {
				return err
			}
			return errors.Join(c.showPolicy(ctx, h), h.close())
		},
	}
}

// readPolicy reads what may be a policy.
func (c *call) readPolicy(path string) ([]byte, error) {
	in, err := c.open(path)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	b, err := io.ReadAll(io.LimitReader(in, maxPolicy+1))
	if err == nil && len(b) > maxPolicy {
		err = failf("policy-too-large", "%s has more than %d bytes", path, maxPolicy)
	}
	return b, err
}

// A publishedPolicy is the answer of both commands.
type publishedPolicy struct {
	Version int        `json:"version"`
	From    string     `json:"from"`
	Digest  sm.Hash    `json:"digest"`
	File    string     `json:"file,omitempty"`
	Bases   []basis    `json:"bases"`
	Never   []negative `json:"negative"`
}

type basis struct {
	ID     string       `json:"id"`
	Text   licence.Text `json:"text"`
	Agency string       `json:"agency"`
	Matter string       `json:"matter"`
	Issuer string       `json:"issuer"`
	Type   string       `json:"type"`
	Fields []string     `json:"fields"`
}

type negative struct {
	ID     string       `json:"id"`
	Text   licence.Text `json:"text"`
	Type   string       `json:"type"`
	Fields []string     `json:"fields"` // none: all
	Agency string       `json:"agency,omitempty"`
	Matter string       `json:"matter,omitempty"`
}

func describePolicy(p *policy.Policy, digest sm.Hash) *publishedPolicy {
	out := &publishedPolicy{Version: p.Version, From: p.From, Digest: digest, Bases: []basis{}, Never: []negative{}}
	for i := range p.Bases {
		b := &p.Bases[i]
		out.Bases = append(out.Bases, basis{b.ID, b.Text, b.Agency, b.Matter, b.Issuer, b.Type, b.Fields})
	}
	for i := range p.Negative {
		n := &p.Negative[i]
		out.Never = append(out.Never, negative{n.ID, n.Text, n.Type, append([]string{}, n.Fields...), n.Agency, n.Matter})
	}
	return out
}

func (c *call) publishPolicy(ctx context.Context, h *home, definition []byte) error {
	signed, p, err := h.signPolicy(ctx, definition)
	if err != nil {
		return err
	}
	made := describePolicy(p.Policy, p.Digest)
	made.File = filepath.Join(h.dir, policyFile)
	if err := writeOutput(made.File, signed); err != nil {
		return err
	}
	c.answer(made, func(w io.Writer) {
		fmt.Fprintf(w, c.pick("已发布第 %d 版,自 %s 起施行\n%s\n", "version %d is published, in force from %s\n%s\n"), made.Version, made.From, made.File)
	})
	return nil
}

// signPolicy signs a policy that fits the ledger and is newer than the one that the home has.
func (h *home) signPolicy(ctx context.Context, definition []byte) ([]byte, *policy.Published, error) {
	p, err := policy.Parse(definition)
	if err != nil {
		return nil, nil, err
	}
	if err := h.fits(ctx, p); err != nil {
		return nil, nil, err
	}
	before, err := h.policyVersion()
	if err != nil {
		return nil, nil, err
	}
	if p.Version <= before {
		return nil, nil, failf("policy-version", "version %d was published before: raise `version` above that", before)
	}
	signers, err := h.signers(ctx, h.author, statement.PurposeGovern)
	if err != nil {
		return nil, nil, err
	}
	if len(signers) == 0 {
		return nil, nil, failf("no-key", "the home has no key of %s in force for governing: the authority publishes policies", h.author)
	}
	s, err := statement.Make(&statement.Policy{
		Ledger: h.id, Version: uint32(p.Version), Definition: definition, SignedAt: govern.Seconds(h.now()),
	}, signers[0])
	if err != nil {
		return nil, nil, err
	}
	return s.Bytes(), &policy.Published{Policy: p, Digest: sm.Sum(s.Payload)}, nil
}

// policyVersion is the version that was published in the home before, 0 if none was.
func (h *home) policyVersion() (int, error) {
	signed, err := readBounded(filepath.Join(h.dir, policyFile), maxPolicy)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	} else if err != nil {
		return 0, err
	}
	body, _, err := statement.ParseAs[*statement.Policy](signed)
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", policyFile, err)
	}
	return int(body.Version), nil
}

// fits reports the first line of a policy that means nothing on the ledger: an agency, issuer, type or field
// that is not there. Matters are no business of the ledger's.
func (h *home) fits(ctx context.Context, p *policy.Policy) error {
	types := map[string]*licence.Type{}
	about := func(line, typ string, fields []string) error {
		if types[typ] == nil {
			t, err := h.licenceType(ctx, typ)
			if err != nil {
				return fmt.Errorf("line %s: %w", line, err)
			}
			types[typ] = t
		}
		for _, key := range fields {
			if !slices.Contains(types[typ].Leaves(), key) {
				return failf("policy-field-unknown", "line %s: licences of the type %s have no field %s", line, typ, key)
			}
		}
		return nil
	}
	for i := range p.Bases {
		b := &p.Bases[i]
		if _, err := h.department(ctx, b.Agency); err != nil {
			return fmt.Errorf("line %s: %w", b.ID, err)
		}
		issuer, err := h.department(ctx, b.Issuer)
		if err != nil {
			return fmt.Errorf("line %s: %w", b.ID, err)
		}
		if !slices.Contains(issuer.Issues, b.Type) {
			return failf(chaincode.CodeTypeUnknown, "line %s: %s does not issue licences of the type %s", b.ID, b.Issuer, b.Type)
		}
		if err := about(b.ID, b.Type, b.Fields); err != nil {
			return err
		}
	}
	for i := range p.Negative {
		n := &p.Negative[i]
		if n.Agency != "" {
			if _, err := h.department(ctx, n.Agency); err != nil {
				return fmt.Errorf("line %s: %w", n.ID, err)
			}
		}
		if err := about(n.ID, n.Type, n.Fields); err != nil {
			return err
		}
	}
	return nil
}

func (c *call) showPolicy(ctx context.Context, h *home) error {
	path := filepath.Join(h.dir, policyFile)
	if len(c.args) == 1 {
		path = c.args[0]
	}
	signed, err := c.readPolicy(path)
	if errors.Is(err, fs.ErrNotExist) && len(c.args) == 0 {
		return failf("policy-missing", "no policy was published in this home: `credledger policy publish FILE` does that")
	} else if err != nil {
		return err
	}
	view, err := h.index(ctx)
	if err != nil {
		return err
	}
	p, err := policy.Read(signed, h.author, view.Grants())
	if err != nil {
		return err
	}
	c.answer(describePolicy(p.Policy, p.Digest), func(w io.Writer) { c.printPolicy(w, p) })
	return nil
}

func (c *call) printPolicy(w io.Writer, p *policy.Published) {
	fmt.Fprintf(w, c.pick("第 %d 版,自 %s 起施行\nSM3 %s\n", "version %d, in force from %s\nSM3 %s\n"), p.Version, p.From, p.Digest)
	for i := range p.Bases {
		b := &p.Bases[i]
		fmt.Fprintf(w, "\n%s: %s\n  %s <- %s: %s (%s)\n  %s\n", b.ID, printable(c.name(b.Text)), b.Agency, b.Issuer, b.Type, b.Matter, strings.Join(b.Fields, ", "))
	}
	for i := range p.Negative {
		n := &p.Negative[i]
		what := c.pick("全部字段", "all fields")
		if len(n.Fields) > 0 {
			what = strings.Join(n.Fields, ", ")
		}
		fmt.Fprintf(w, "\n%s: %s\n  %s: %s\n  %s\n", n.ID, printable(c.name(n.Text)), c.pick("不予共享", "not shared"), n.Type, what)
	}
}

// makePolicy publishes the policy of the demonstration city in a new home, as far as an earlier init has not.
func (f *founding) makePolicy(ctx context.Context) error {
	if before, err := f.policyVersion(); err != nil || before > 0 {
		return err
	}
	signed, _, err := f.signPolicy(ctx, samplePolicy)
	if err != nil {
		return err
	}
	if err := writeOutput(filepath.Join(f.dir, policySource), samplePolicy); err != nil {
		return err
	}
	return writeOutput(filepath.Join(f.dir, policyFile), signed)
}
