package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/issuer/masterkey"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/sqldb"
)

type vaultOptions struct {
	department, purpose string
	batches             []int64
	all                 bool
	after               int64
}

// vaultCommand makes a subcommand of vault, which is about the vault of one department.
func vaultCommand(name, args, summary, detail string, flags func(c *call, o *vaultOptions), run func(context.Context, *call, *home, *vaultOptions) error) *command {
	return &command{
		name: "vault " + name, args: "--department ID " + args, summary: summary, detail: detail,
		flags: func(c *call) {
			o := new(vaultOptions)
			c.options = o
			c.flags.StringVar(&o.department, "department", "", "`ID` of the department whose vault it is")
			if flags != nil {
				flags(c, o)
			}
		},
		run: func(ctx context.Context, c *call) error {
			o := c.options.(*vaultOptions)
			switch {
			case o.department == "":
				return usagef("name the department with --department")
			case args == "" && len(c.args) > 0:
				return usagef("vault %s takes no arguments besides its flags", name)
			}
			h, err := c.openHome(ctx, o.department)
			if err != nil {
				return err
			}
			return errors.Join(run(ctx, c, h, o), h.close())
		},
	}
}

func vaultShowCommand() *command {
	return vaultCommand("show", "", "compare a department's vault with the ledger, and say how it stands",
		"What the ledger has and the vault does not know is learnt first, and batches that wait are submitted. A batch that the\n"+
			"vault has lost, because an older copy was put back, keeps its type from being issued until `credledger vault\n"+
			"recover` brings its licences back, or `credledger vault accept-loss` answers for them. A batch that nobody here\n"+
			"has made was signed with a key that somebody else has: see `credledger keys compromise`.",
		nil, showVault)
}

// A vaultAnswer is the answer of vault show.
type vaultAnswer struct {
	Department string          `json:"department"`
	Database   string          `json:"database"` // SQLite or PostgreSQL
	Seen       ledger.Head     `json:"seen"`     // up to where it is compared with the ledger
	Anchored   int             `json:"anchored"` // batches that waited, and were found on the ledger now
	States     int             `json:"states"`   // changes of states that were learnt now
	Pending    int64           `json:"pending"`  // batches that wait for the ledger
	Lost       []lostAnswer    `json:"lost"`     // batches that keep their types from being issued
	Jobs       []jobAnswer     `json:"jobs"`     // those that are not finished
	MasterKeys []masterKeyInfo `json:"masterKeys"`
}

type lostAnswer struct {
	Batch    int64   `json:"batch"`
	Type     string  `json:"type"`
	Licences int     `json:"licences"`
	Root     sm.Hash `json:"root"`
}

type jobAnswer struct {
	ID       int64     `json:"id"`
	Kind     string    `json:"kind"`
	Type     string    `json:"type"`
	Records  int64     `json:"records"` // those that are settled
	Rejected int64     `json:"rejected"`
	Changed  time.Time `json:"changed"`
}

type masterKeyInfo struct {
	ID       string `json:"id"`
	Wraps    bool   `json:"wraps"`    // what is sealed now is wrapped under it
	DataKeys int64  `json:"dataKeys"` // wrapped under it
}

// most is how many batches and jobs are listed.
const most = 1000

func showVault(ctx context.Context, c *call, h *home, o *vaultOptions) error {
	config, err := h.issuerConfig(ctx, o.department, "", nil)
	if err != nil {
		return err
	}
	iss, err := issuer.New(ctx, config)
	if err != nil {
		return err
	}
	defer iss.Close()
	report, waiting := iss.CatchUp(ctx)
	if report == nil {
		return waiting
	}
	answer := &vaultAnswer{Department: o.department, Database: "SQLite", Seen: report.To, Anchored: report.Anchored, States: report.States,
		Lost: []lostAnswer{}, Jobs: []jobAnswer{}}
	if sqldb.IsPostgreSQL(h.vaultAddress(o.department)) {
		answer.Database = "PostgreSQL"
	}
	if err := answer.read(ctx, h, config.Vault); err != nil {
		return err
	}
	c.answer(answer, func(w io.Writer) { c.printVault(w, answer) })
	return waiting
}

// read fills in what the vault says.
func (a *vaultAnswer) read(ctx context.Context, h *home, v *vault.Vault) error {
	pending, err := v.Batches(ctx, vault.Pending, 0, 0, most)
	if err != nil {
		return err
	}
	a.Pending = int64(len(pending))
	lost, err := v.Lost(ctx)
	if err != nil {
		return err
	}
	for _, b := range lost {
		a.Lost = append(a.Lost, lostAnswer{b.ID, b.Type, b.Size, b.Root})
	}
	jobs, err := v.Jobs(ctx, false, most)
	if err != nil {
		return err
	}
	for _, j := range jobs {
		a.Jobs = append(a.Jobs, jobAnswer{j.ID, j.Kind, j.Type, j.Records, j.Rejected, j.ChangedAt})
	}
	return a.readMasterKeys(ctx, h, v)
}

// readMasterKeys lists the master keys of the file, newest first.
func (a *vaultAnswer) readMasterKeys(ctx context.Context, h *home, v *vault.Vault) error {
	file, err := masterkey.Open(h.masterKeyFile(a.Department))
	if err != nil {
		return err
	}
	ids, err := file.Keys()
	if err != nil {
		return err
	}
	under, err := v.MasterKeys(ctx)
	if err != nil {
		return err
	}
	for i, id := range ids {
		a.MasterKeys = append(a.MasterKeys, masterKeyInfo{id.String(), i == 0, under[vault.MasterID(id)]})
	}
	return nil
}

func (c *call) printVault(w io.Writer, a *vaultAnswer) {
	fmt.Fprintf(w, c.pick("%s 的证照库(%s),已与账本核对至 %d 个区块\n", "vault of %s (%s), compared with %d blocks of the ledger\n"), a.Department, a.Database, a.Seen.Height)
	if a.Anchored+a.States > 0 {
		fmt.Fprintf(w, c.pick("本次从账本获知:上链批次 %d,状态变更 %d\n", "learnt from the ledger now: batches anchored %d, changes of states %d\n"), a.Anchored, a.States)
	}
	if a.Pending > 0 {
		fmt.Fprintf(w, c.pick("等待上链的批次 %d\n", "batches that wait for the ledger: %d\n"), a.Pending)
	}
	for _, l := range a.Lost {
		fmt.Fprintf(w, c.pick("账本有而证照库没有:批次 %d,%s %d 件,根 %s\n", "on the ledger and not in the vault: batch %d, %s, %d licences, root %s\n"), l.Batch, l.Type, l.Licences, l.Root)
	}
	for _, j := range a.Jobs {
		fmt.Fprintf(w, c.pick("未完成的作业 %d(%s %s):已处理 %d 条,拒收 %d\n", "job %d (%s %s) is not finished: %d records, %d rejected\n"), j.ID, j.Kind, j.Type, j.Records, j.Rejected)
	}
	for _, k := range a.MasterKeys {
		wraps := ""
		if k.Wraps {
			wraps = c.pick(",现用", ", in use")
		}
		fmt.Fprintf(w, c.pick("主密钥 %s%s:%d 个数据密钥\n", "master key %s%s: %d data keys\n"), k.ID, wraps, k.DataKeys)
	}
}

func vaultRecoverCommand() *command {
	return vaultCommand("recover", "FILE...", "bring back licences that a department's vault has lost, from their credentials",
		"FILE holds credentials, one or a bundle: those of holders, or delivered files. The digest, which is on the ledger, shows\n"+
			"that each is the one that was lost. What was not lost is left as it is.",
		nil, recoverVault)
}

// A recoverAnswer is the answer of vault recover.
type recoverAnswer struct {
	Recovered int `json:"recovered"`
	Already   int `json:"already"` // were not lost
	Lost      int `json:"lost"`    // batches of which licences are still lost
}

func recoverVault(ctx context.Context, c *call, h *home, o *vaultOptions) error {
	if len(c.args) == 0 {
		return usagef("name the FILEs with the credentials")
	}
	var answer recoverAnswer
	err := h.withCredentials(ctx, c, o.department, func(iss *issuer.Issuer, credentials []*credential.Opened) error {
		for _, o := range credentials {
			switch err := iss.Recover(ctx, c.by(), o); {
			case err == nil:
				answer.Recovered++
			case vault.Code(err) == vault.CodeBatch:
				answer.Already++
			default:
				return fmt.Errorf("licence %s: %w", o.Digest, err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	v, err := h.openVault(ctx, o.department)
	if err != nil {
		return err
	}
	lost, err := v.Lost(ctx)
	if err != nil {
		return err
	}
	answer.Lost = len(lost)
	c.answer(answer, func(w io.Writer) {
		fmt.Fprintf(w, c.pick("找回 %d 件,未曾丢失 %d 件;仍有丢失内容的批次 %d\n", "brought back: %d, were not lost: %d; batches of which something is still lost: %d\n"),
			answer.Recovered, answer.Already, answer.Lost)
	})
	return nil
}

func vaultAcceptLossCommand() *command {
	return vaultCommand("accept-loss", "", "answer for it that what a department's vault has lost does not come back",
		"After that the type is issued again. What the lost licences say, their numbers among it, stays unknown here: whoever\n"+
			"accepts the loss answers for it that these numbers are not issued again. It stands in the vault's history,\n"+
			"with the user of the system and --purpose.",
		func(c *call, o *vaultOptions) {
			c.flags.Int64SliceVar(&o.batches, "batch", nil, "the batches, `N,...`, as `credledger vault show` lists them")
			c.flags.BoolVar(&o.all, "all", false, "all of them")
			c.flags.StringVar(&o.purpose, "purpose", "", "who has decided it and why, `TEXT`")
		}, acceptLoss)
}

func acceptLoss(ctx context.Context, c *call, h *home, o *vaultOptions) error {
	switch {
	case o.all == (len(o.batches) > 0):
		return usagef("name the batches with --batch, or say --all")
	case o.purpose == "":
		return usagef("say who has decided it and why with --purpose")
	}
	by := c.by()
	by.Purpose = o.purpose
	return h.withIssuer(ctx, c, o.department, "", nil, func(*issuer.Issuer) error {
		v, err := h.openVault(ctx, o.department)
		if err != nil {
			return err
		}
		batches := o.batches
		if o.all {
			lost, err := v.Lost(ctx)
			if err != nil {
				return err
			}
			for _, b := range lost {
				batches = append(batches, b.ID)
			}
		}
		err = v.Write(ctx, by, func(tx *vault.Tx) error {
			for _, id := range batches {
				if err := tx.AcceptLoss(id); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		c.answer(map[string]int{"accepted": len(batches)}, func(w io.Writer) {
			fmt.Fprintf(w, c.pick("已确认丢失的批次 %d\n", "batches whose loss is accepted: %d\n"), len(batches))
		})
		return nil
	})
}

func vaultRotateCommand() *command {
	return vaultCommand("rotate", "", "put a new master key in the place of those of a department's vault",
		"Every data key is wrapped under the new one, while the vault is in use; then the old ones are taken out of the file of\n"+
			"master keys. From then on no copy of the vault from before can be read, so what was erased is gone from those too.\n"+
			"Interrupted, the same command goes on. Copies of the key file are for you to replace.",
		nil, rotateVault)
}

func rotateVault(ctx context.Context, c *call, h *home, o *vaultOptions) error {
	v, err := h.openVault(ctx, o.department)
	if err != nil {
		return err
	}
	path := h.masterKeyFile(o.department)
	file, err := masterkey.Open(path)
	if err != nil {
		return err
	}
	ids, err := file.Keys()
	if err != nil {
		return err
	}
	if len(ids) == 1 { // else an earlier rotation was interrupted
		if _, err := masterkey.Rotate(path); err != nil {
			return err
		}
		if ids, err = file.Keys(); err != nil {
			return err
		}
	}
	rewrapped, err := v.Rewrap(ctx, c.by())
	if err != nil {
		return err
	}
	for _, id := range ids[1:] {
		if err := v.RetireMasterKey(ctx, c.by(), vault.MasterID(id)); err != nil {
			return err
		}
		if err := masterkey.Forget(path, id); err != nil {
			return err
		}
	}
	c.answer(map[string]any{"masterKey": ids[0].String(), "rewrapped": rewrapped, "forgotten": len(ids) - 1}, func(w io.Writer) {
		fmt.Fprintf(w, c.pick("新主密钥 %s:改封数据密钥 %d 个,销毁旧主密钥 %d 个\n", "master key %s: %d data keys rewrapped, %d old master keys forgotten\n"), ids[0], rewrapped, len(ids)-1)
	})
	return nil
}

func vaultCreateCommand() *command {
	return vaultCommand("create", "", "make a department's vault, in the place of one that was lost or in PostgreSQL",
		"The vault is made where credledger.yaml says: a file in the home, or a PostgreSQL database, which must exist and have no\n"+
			"vault. Its master keys are made beside the department's keys unless they are there. What the department has issued\n"+
			"on the ledger before is lost for this vault: see `credledger vault show`.",
		nil, func(ctx context.Context, c *call, h *home, o *vaultOptions) error {
			d, err := h.department(ctx, o.department)
			if err != nil {
				return err
			}
			if err := h.newVault(ctx, d.ID); err != nil {
				return err
			}
			return showVault(ctx, c, h, o)
		})
}
