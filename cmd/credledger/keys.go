package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/govern"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

type keyOptions struct {
	department string
	name       string
	purposes   []string
	disown     []string
	out        string
	key        string

	certification certification
}

// keyCommand makes a subcommand of keys.
func keyCommand(name, args, summary, detail string, flags func(*call, *keyOptions), run func(context.Context, *call, *home, *keyOptions) error) *command {
	return &command{
		name: "keys " + name, args: args, summary: summary, detail: detail,
		flags: func(c *call) {
			o := new(keyOptions)
			c.options = o
			c.flags.StringVar(&o.department, "department", "", "`ID` of the department whose key it is")
			if flags != nil {
				flags(c, o)
			}
		},
		run: func(ctx context.Context, c *call) error {
			o := c.options.(*keyOptions)
			if o.department == "" {
				return usagef("name the department with --department ID")
			}
			h, err := c.openHome(ctx, o.department)
			if err != nil {
				return err
			}
			if _, err = h.department(ctx, o.department); err == nil {
				err = run(ctx, c, h, o)
			}
			return errors.Join(err, h.close())
		},
	}
}

// keyName is what a key may be called: it becomes the name of a file.
var keyName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{0,63}$`)

func keysGenerateCommand() *command {
	return keyCommand("generate", "--department ID --name NAME --purposes P,P [--certificate CHAIN --ca ROOTS]",
		"make a key for a department and enrol it on the ledger",
		"The private key is written to keys/ID/NAME.pem in the home before it is enrolled. A key of the\n"+
			"department for governing, which must be in the home, vouches for it.\n"+
			"Purposes are anchor, status, log, consent and govern.\n\n"+certifiedHelp,
		func(c *call, o *keyOptions) {
			c.flags.StringVar(&o.name, "name", "", "`NAME` of the key in the home")
			c.flags.StringSliceVar(&o.purposes, "purposes", nil, "what the key will be used for, `P,P`")
			o.certification.flags(c, false)
		},
		func(ctx context.Context, c *call, h *home, o *keyOptions) error {
			purposes, err := statement.ParsePurposes(o.purposes)
			if err != nil {
				return usagef("%v", err)
			}
			if purposes == 0 {
				return usagef("say what the key is for with --purposes")
			}
			if len(c.args) > 0 || !keyName.MatchString(o.name) {
				return usagef("name the key with --name: lower-case letters, digits, - and .")
			}
			governing, err := h.signers(ctx, o.department, statement.PurposeGovern)
			if err != nil {
				return err
			}
			if len(governing) == 0 {
				return failf("no-key", "the home has no key of %s in force for governing, to vouch for a new one; `credledger keys rotate` puts a new one in the place of another", o.department)
			}
			name, key, chain, err := h.enrolNext(ctx, o, o.name, purposes, governing[0])
			if err != nil {
				return err
			}
			c.reportKey(keyAnswer{Done: "enrolled", Department: o.department, Name: name, ID: key.Public().ID(), Certificate: newCertificateAnswer(chain)})
			return nil
		})
}

func keysRotateCommand() *command {
	return keyCommand("rotate", "--department ID [--certificate CHAIN --ca ROOTS] KEY",
		"enrol a new key in place of an old one, then retire the old one",
		"KEY is the name of a key in the home, or its id. The old key vouches for the new one.\n"+
			"What the old key signed stays valid.\n\n"+certifiedHelp,
		func(c *call, o *keyOptions) { o.certification.flags(c, false) },
		func(ctx context.Context, c *call, h *home, o *keyOptions) error {
			name, old, record, err := h.ownKey(ctx, c, o)
			if err != nil {
				return err
			}
			if record.State != chaincode.KeyActive {
				return failf("key-"+record.State, "the ledger has the key %s as %s: rotate the one that came in its place; `credledger ledger show` has them", c.args[0], record.State)
			}
			purposes, err := statement.ParsePurposes(record.Purposes)
			if err != nil {
				return err
			}
			next, key, chain, err := h.enrolNext(ctx, o, h.freeName(o.department, name), purposes, old)
			if err != nil {
				return err
			}
			if err := h.end(ctx, o.department, statement.KeyRetire, record.ID, nil, key); err != nil {
				return fmt.Errorf("the new key %s is enrolled, but the old one could not be retired: %w", next, err)
			}
			c.reportKey(keyAnswer{Done: "rotated", Department: o.department, Name: next, ID: key.Public().ID(), Certificate: newCertificateAnswer(chain)})
			return nil
		})
}

func keysRetireCommand() *command {
	return keyCommand("retire", "--department ID KEY",
		"retire a key: what it signed stays valid, nothing more is accepted from it",
		"KEY is the name of a key in the home, or its id.", nil,
		func(ctx context.Context, c *call, h *home, o *keyOptions) error {
			kid, record, err := h.findKey(ctx, c, o)
			if err != nil {
				return err
			}
			purposes, err := statement.ParsePurposes(record.Purposes)
			if err != nil {
				return err
			}
			signer, err := h.retirer(ctx, o.department, purposes)
			if err != nil {
				return err
			}
			if err := h.end(ctx, o.department, statement.KeyRetire, kid, nil, signer); err != nil {
				return err
			}
			c.reportKey(keyAnswer{Done: "retired", Department: o.department, Name: c.args[0], ID: kid})
			return nil
		})
}

func keysCompromiseCommand() *command {
	return keyCommand("compromise", "--department ID [--disown ROOT,ROOT] KEY",
		"declare that others may hold a key: nothing more is accepted from it, whatever its date",
		"KEY is the name of a key in the home, or its id. What it signed and the ledger took before the\n"+
			"declaration stays valid, but for the roots named with --disown, which whoever stole the key anchored:\n"+
			"their licences become invalid. Another key of the department signs: one for governing, or without\n"+
			"--disown one for status.",
		func(c *call, o *keyOptions) {
			c.flags.StringSliceVar(&o.disown, "disown", nil, "`ROOT`s that the department did not anchor itself")
		},
		func(ctx context.Context, c *call, h *home, o *keyOptions) error {
			kid, _, err := h.findKey(ctx, c, o)
			if err != nil {
				return err
			}
			roots, err := parseRoots(o.disown)
			if err != nil {
				return err
			}
			signer, err := h.accuser(ctx, o.department, kid)
			if err != nil {
				return err
			}
			if err := h.end(ctx, o.department, statement.KeyCompromise, kid, roots, signer); err != nil {
				return err
			}
			c.reportKey(keyAnswer{Done: "compromised", Department: o.department, Name: c.args[0], ID: kid})
			return nil
		})
}

func keysExportCommand() *command {
	return keyCommand("export", "--department ID [--out FILE] KEY",
		"write the public key of a key in the home (PEM, SubjectPublicKeyInfo)",
		"KEY is the name of a key in the home, or its id.",
		func(c *call, o *keyOptions) {
			c.flags.StringVar(&o.out, "out", "-", "write to `FILE`")
		},
		func(ctx context.Context, c *call, h *home, o *keyOptions) error {
			_, key, _, err := h.ownKey(ctx, c, o)
			if err != nil {
				return err
			}
			pem := key.Public().PEM()
			if o.out == "-" {
				c.answer(map[string]string{"id": key.Public().ID().String(), "publicKey": string(pem)}, func(w io.Writer) { w.Write(pem) })
				return nil
			}
			if err := writeOutput(o.out, pem); err != nil {
				return err
			}
			c.answer(map[string]string{"id": key.Public().ID().String(), "file": o.out}, func(w io.Writer) { fmt.Fprintln(w, o.out) })
			return nil
		})
}

// A keyAnswer is the answer of the commands that change keys.
type keyAnswer struct {
	Done        string             `json:"done"`
	Department  string             `json:"department"`
	Name        string             `json:"name,omitempty"` // in the home, or as it was given
	By          string             `json:"by,omitempty"`   // the department that vouched, or submitted
	ID          sm.Hash            `json:"id"`
	Certificate *certificateAnswer `json:"certificate,omitempty"`
}

func (c *call) reportKey(a keyAnswer) {
	c.answer(a, func(w io.Writer) {
		key := a.Department
		if a.Name != "" {
			key += "/" + a.Name
		}
		fmt.Fprintf(w, "%s %s %s", a.Done, key, a.ID)
		if a.By != "" {
			fmt.Fprintf(w, " (%s)", a.By)
		}
		fmt.Fprintln(w)
		a.Certificate.print(c, w)
	})
}

func parseRoots(texts []string) ([]sm.Hash, error) {
	roots := make([]sm.Hash, len(texts))
	for i, text := range texts {
		root, err := sm.ParseHash(text)
		if err != nil {
			return nil, usagef("a root is written as 64 lower-case hexadecimal digits")
		}
		roots[i] = root
	}
	return sortedHashes(roots), nil
}

// enrolNew makes a key, writes its file and enrols it; the file goes if the ledger did not take it.
func (h *home) enrolNew(ctx context.Context, department, name string, purposes statement.Purposes, voucher sm.Signer) (*sm.PrivateKey, error) {
	l, err := h.as(ctx, department)
	if err != nil {
		return nil, err
	}
	key, err := sm.GenerateKey(nil)
	if err != nil {
		return nil, err
	}
	path := h.keyFile(department, name)
	if err := writePrivateKey(path, key); err != nil {
		return nil, err
	}
	err = govern.Enrol(ctx, l, h.id, department, purposes, h.now(), key, voucher)
	if hasNoEffect(err) {
		return nil, errors.Join(err, os.Remove(path))
	}
	return key, err
}

// end retires a key of a department, or declares it compromised.
func (h *home) end(ctx context.Context, department, action string, kid sm.Hash, disowned []sm.Hash, signer sm.Signer) error {
	l, err := h.as(ctx, department)
	if err != nil {
		return err
	}
	return govern.End(ctx, l, h.id, department, action, kid, disowned, signer, h.now())
}

// freeName is the name with the next number that no key of the department in the home has: anchor-2
// for anchor, status-3 for status-1 where there is a status-2.
func (h *home) freeName(department, name string) string {
	n := 1
	if i := strings.LastIndexByte(name, '-'); i > 0 {
		if number, err := strconv.Atoi(name[i+1:]); err == nil && number > 0 {
			name, n = name[:i], number
		}
	}
	for {
		n++
		candidate := fmt.Sprintf("%s-%d", name, n)
		if _, err := os.Lstat(h.keyFile(department, candidate)); errors.Is(err, os.ErrNotExist) {
			return candidate
		}
	}
}

// findKey finds the key that the one argument names: a key in the home, or an id on the ledger.
func (h *home) findKey(ctx context.Context, c *call, o *keyOptions) (sm.Hash, *keyRecord, error) {
	if len(c.args) != 1 {
		return sm.Hash{}, nil, usagef("name one KEY")
	}
	kid, err := sm.ParseHash(c.args[0])
	if err != nil {
		if !keyName.MatchString(c.args[0]) {
			return kid, nil, usagef("a KEY is the name of a key in the home, or 64 lower-case hexadecimal digits")
		}
		key, err := readPrivateKey(h.keyFile(o.department, c.args[0]))
		if errors.Is(err, os.ErrNotExist) {
			return kid, nil, failf("no-key", "the home has no key %s of %s", c.args[0], o.department)
		} else if err != nil {
			return kid, nil, err
		}
		kid = key.Public().ID()
	}
	record := new(keyRecord)
	err = h.query(ctx, record, "key", kid.String())
	if chaincode.Code(err) == chaincode.CodeNotFound || err == nil && record.Department != o.department {
		return kid, nil, failf(chaincode.CodeKeyUnknown, "%s has no such key on the ledger", o.department)
	}
	return kid, record, err
}

// ownKey is findKey for a key whose private half is in the home.
func (h *home) ownKey(ctx context.Context, c *call, o *keyOptions) (string, *sm.PrivateKey, *keyRecord, error) {
	kid, record, err := h.findKey(ctx, c, o)
	if err != nil {
		return "", nil, nil, err
	}
	names, keys, err := h.keys(o.department)
	if err != nil {
		return "", nil, nil, err
	}
	for i, key := range keys {
		if key.Public().ID() == kid {
			return names[i], key, record, nil
		}
	}
	return "", nil, nil, failf("no-key", "the private half of this key is not in the home")
}

// retirer is a key of the department in the home that can retire one with the purposes: one for
// governing, or one that may do as much.
func (h *home) retirer(ctx context.Context, department string, purposes statement.Purposes) (sm.Signer, error) {
	for _, purpose := range []statement.Purposes{statement.PurposeGovern, purposes} {
		signers, err := h.signers(ctx, department, purpose)
		if err != nil {
			return nil, err
		}
		if len(signers) > 0 {
			return signers[0], nil
		}
	}
	return nil, failf("no-key", "the home has no key of %s in force for governing, or for what this one does, to sign the retirement", department)
}

// accuser is a key of the department in the home that can declare another one compromised.
func (h *home) accuser(ctx context.Context, department string, accused sm.Hash) (sm.Signer, error) {
	for _, purpose := range []statement.Purposes{statement.PurposeGovern, statement.PurposeStatus} {
		signers, err := h.signers(ctx, department, purpose)
		if err != nil {
			return nil, err
		}
		for _, signer := range signers {
			if signer.Public().ID() != accused {
				return signer, nil
			}
		}
	}
	return nil, failf("no-key", "the home has no other key of %s for governing or status, which must sign the declaration", department)
}
