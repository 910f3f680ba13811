package main

import (
	"context"
	"errors"
	"os"
	"slices"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/govern"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/sm/certificate"
	"github.com/credledger/credledger/sdk/statement"
)

func keysRequestCommand() *command {
	return &command{
		name: "keys request", args: "--department ID --name NAME --out FILE",
		summary: "make a key for governing that others are to vouch for: a department's first, or one after a loss",
		detail: "The private key is written to keys/ID/NAME.pem in the home; FILE, which is not secret, goes to those who\n" +
			"vouch. Tell them the id of the key in another way.\n\n" +
			"A department's first key comes to the ledger with `credledger department admit --enrolment FILE`. After a\n" +
			"loss FILE goes to the authority and from there to a second department, or the other way round; each adds its\n" +
			"signature with `credledger keys vouch`. Then `credledger keys submit` brings it to the ledger.",
		flags: func(c *call) {
			o := new(keyOptions)
			c.options = o
			c.flags.StringVar(&o.department, "department", "", "`ID` of the department whose key it is")
			c.flags.StringVar(&o.name, "name", "", "`NAME` of the key in the home")
			c.flags.StringVar(&o.out, "out", "", "write the enrolment to `FILE`")
		},
		run: func(ctx context.Context, c *call) error {
			o := c.options.(*keyOptions)
			switch {
			case o.department == "":
				return usagef("name the department with --department ID")
			case len(c.args) > 0 || !keyName.MatchString(o.name):
				return usagef("name the key with --name: lower-case letters, digits, - and .")
			case o.out == "":
				return usagef("say where the enrolment goes with --out FILE")
			}
			h, err := c.openHome(ctx, o.department)
			if err != nil {
				return err
			}
			return errors.Join(c.requestKey(h, o), h.close())
		},
	}
}

// requestKey makes a key and begins its enrolment. The department may be one that the ledger does not
// have yet.
func (c *call) requestKey(h *home, o *keyOptions) error {
	key, err := sm.GenerateKey(nil)
	if err != nil {
		return err
	}
	e, err := govern.BeginEnrolment(h.id, o.department, statement.PurposeGovern, key, h.now())
	if err != nil {
		return err // the id is none, and no directory either
	}
	path := h.keyFile(o.department, o.name)
	if err := writePrivateKey(path, key); err != nil {
		return err
	}
	if err := writeOutput(o.out, e.Bytes()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	c.reportKey(keyAnswer{Done: "requested", Department: o.department, Name: o.name, ID: key.Public().ID()})
	return nil
}

func keysVouchCommand() *command {
	return keyCommand("vouch", "--department ID --key KEY [--certificate CHAIN --ca ROOTS] FILE",
		"vouch for the new key of another department that has lost its keys",
		"FILE comes from `credledger keys request`; the signature is added to it, that of a key of ID for governing.\n"+
			"KEY is the id of the new key: ask the department for it in person or by telephone, since FILE proves only that\n"+
			"whoever sent it has the key. With --certificate the key must also be certified by an authority in ROOTS.",
		func(c *call, o *keyOptions) {
			c.flags.Lookup("department").Usage = "`ID` of the department that vouches"
			c.flags.StringVar(&o.key, "key", "", "id of the new `KEY`, as its department says it")
			o.certification.flags(c, false)
		},
		func(ctx context.Context, c *call, h *home, o *keyOptions) error {
			kid, err := sm.ParseHash(o.key)
			if err != nil {
				return usagef("give the id of the new key with --key: 64 lower-case hexadecimal digits")
			}
			e, err := c.namedEnrolment(h)
			if err != nil {
				return err
			}
			if e.Key.KeyID != kid {
				return otherKey(e, c.args[0])
			}
			if err := h.mayVouch(ctx, e, c.args[0], o.department); err != nil {
				return err
			}
			chain, err := h.certifiedFor(ctx, o, e)
			if err != nil {
				return err
			}
			governing, err := h.signers(ctx, o.department, statement.PurposeGovern)
			if err != nil {
				return err
			}
			if len(governing) == 0 {
				return failf("no-key", "the home has no key of %s in force for governing, to vouch with", o.department)
			}
			answer := keyAnswer{Done: "vouched", Department: e.Key.Department, By: o.department, ID: kid, Certificate: newCertificateAnswer(chain)}
			if !slices.ContainsFunc(governing, func(own sm.Signer) bool { return e.SignedBy(own.Public().ID()) }) {
				if err := e.Vouch(governing[0]); err != nil {
					return failf("enrolment-other", "%s: %v", c.args[0], err)
				}
				if err := writeOutput(c.args[0], e.Bytes()); err != nil {
					return err
				}
			}
			c.reportKey(answer)
			return nil
		})
}

func keysSubmitCommand() *command {
	return keyCommand("submit", "--department ID FILE",
		"bring the new key of a department that has lost its keys to the ledger",
		"FILE has been signed by the authority and by a second department with `credledger keys vouch`. ID, which\n"+
			"submits it, is the department whose key it is, or the authority. Afterwards `credledger keys generate` makes\n"+
			"the department's other keys, and `credledger keys retire` or `compromise` ends those that are lost.",
		func(c *call, _ *keyOptions) {
			c.flags.Lookup("department").Usage = "`ID` of the department that submits"
		},
		func(ctx context.Context, c *call, h *home, o *keyOptions) error {
			e, err := c.namedEnrolment(h)
			if err != nil {
				return err
			}
			if !e.Complete() {
				return failf(chaincode.CodeSigners, "%s lacks a signature: the authority and a second department vouch for the key with `credledger keys vouch`", c.args[0])
			}
			l, err := h.as(ctx, o.department)
			if err != nil {
				return err
			}
			if err := e.Submit(ctx, l); err != nil {
				return err
			}
			c.reportKey(keyAnswer{Done: "recovered", Department: e.Key.Department, By: o.department, ID: e.Key.KeyID})
			return nil
		})
}

// namedEnrolment reads the enrolment that the one argument names.
func (c *call) namedEnrolment(h *home) (*govern.Enrolment, error) {
	if len(c.args) != 1 {
		return nil, usagef("name one FILE")
	}
	return h.readEnrolment(c.args[0])
}

func (h *home) readEnrolment(file string) (*govern.Enrolment, error) {
	b, err := readBounded(file, govern.MaxEnrolment)
	if err != nil {
		return nil, err
	}
	e, err := govern.ParseEnrolment(b)
	if err != nil {
		return nil, failf("enrolment-malformed", "%s: %v", file, err)
	}
	if e.Key.Ledger != h.id {
		return nil, failf("enrolment-other", "%s is for another ledger", file)
	}
	return e, nil
}

// otherKey is the error that an enrolment is not of the key whose id the department said.
func otherKey(e *govern.Enrolment, file string) error {
	return failf("enrolment-other", "%s enrols the key %s, not the one that you were told: do not sign, and ask again", file, e.Key.KeyID)
}

// plainEnrolment checks that an enrolment is what keys request makes.
func plainEnrolment(e *govern.Enrolment, file string) error {
	if e.Key.Purposes != statement.PurposeGovern || e.Key.NotBefore != nil || e.Key.NotAfter != nil {
		return failf("enrolment-other", "%s is not what `credledger keys request` makes: a key for governing alone, without dates", file)
	}
	return nil
}

// mayVouch checks that an enrolment is what keys request makes, for another department than the one
// that vouches.
func (h *home) mayVouch(ctx context.Context, e *govern.Enrolment, file, voucher string) error {
	if e.Key.Department == voucher {
		return failf(chaincode.CodeSigners, "%s cannot vouch for its own key; with a key for governing `credledger keys generate` makes others", voucher)
	}
	if err := plainEnrolment(e, file); err != nil {
		return err
	}
	_, err := h.department(ctx, e.Key.Department)
	return err
}

// certifiedFor checks the certificate, if there is one, for the key of an enrolment.
func (h *home) certifiedFor(ctx context.Context, o *keyOptions, e *govern.Enrolment) (*certificate.Chain, error) {
	chain, err := o.certification.one(h.now())
	if err != nil || chain == nil {
		return nil, err
	}
	d, err := h.department(ctx, e.Key.Department)
	if err != nil {
		return nil, err
	}
	key, err := sm.NewPublicKey(e.Key.PublicKey)
	if err != nil {
		return nil, err
	}
	return chain, checkCertified(chain, &d.Department, key)
}
