package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/licence/catalog"
	"github.com/credledger/credledger/sdk/sm"
)

type initOptions struct {
	departments, catalog, authority, name, network string
}

func initCommand() *command {
	return &command{
		name: "init", args: "--home DIR [--network DIR] [--departments FILE] [--catalog DIR] [--authority ID] [--name NAME]",
		summary: "make a home: a ledger, its departments with their keys, and the licence types",
		detail: "The home must not exist, or be empty. Departments and licence types are the built-in ones of a\n" +
			"demonstration city unless named. The authority is the department that issues no type.\n\n" +
			"With --network the ledger is founded on a network of Hyperledger Fabric that is up, in place of one in\n" +
			"the home; the authority is the network's. Departments that are not on the network yet are admitted all the\n" +
			"same, and can act once they are (`credledger network add-org`). A ledger is founded once. Interrupted, the\n" +
			"same command goes on: keys are in the home before the ledger hears of them.",
		flags: func(c *call) {
			o := new(initOptions)
			c.options = o
			c.flags.StringVar(&o.network, "network", "", "found the ledger on the network in `DIR`, the directory that its topology names")
			c.flags.StringVar(&o.departments, "departments", "", "the departments, a JSON `FILE`")
			c.flags.StringVar(&o.catalog, "catalog", "", "the licence types, a `DIR` of one JSON file each")
			c.flags.StringVar(&o.authority, "authority", "", "`ID` of the department that is the authority")
			c.flags.StringVar(&o.name, "name", "CredLedger", "`NAME` of the ledger, for people")
		},
		run: func(ctx context.Context, c *call) error {
			o := c.options.(*initOptions)
			if len(c.args) > 0 {
				return usagef("init takes no arguments besides its flags")
			}
			if c.homeDir == "" {
				return usagef("name the home to make with --home DIR")
			}
			config := config{Ledger: ledgerEmbedded, Host: defaultHost}
			if o.network != "" {
				if err := config.onNetwork(o); err != nil {
					return err
				}
			}
			plan, err := planCity(o)
			if err != nil {
				return err
			}
			made, err := c.makeHome(ctx, config, plan)
			if err != nil {
				return err
			}
			c.answer(made, func(w io.Writer) { c.printMade(w, made) })
			return nil
		},
	}
}

// A madeHome is the answer of init.
type madeHome struct {
	Home        string   `json:"home"`
	Ledger      sm.Hash  `json:"ledger"`
	Authority   string   `json:"authority"`
	Departments []string `json:"departments"`
	Types       []string `json:"types"`
	Connections string   `json:"connections,omitempty"` // directory of the client configurations
	NotJoined   []string `json:"notJoined,omitempty"`   // departments that are not on the network yet
}

func (c *call) printMade(w io.Writer, m *madeHome) {
	fmt.Fprintf(w, c.pick("主目录 %s\n账本 %s\n主管部门 %s\n准入部门 %s\n证照类型 %s\n",
		"home %s\nledger %s\nauthority %s\ndepartments %s\nlicence types %s\n"),
		m.Home, m.Ledger, m.Authority, c.list(m.Departments), c.list(m.Types))
	if m.Connections != "" {
		fmt.Fprintf(w, c.pick("网络连接配置 %s\n", "connections %s\n"), m.Connections)
	}
	if len(m.NotJoined) > 0 {
		fmt.Fprintf(w, c.pick("尚未入网的部门 %s\n", "not on the network yet %s\n"), c.list(m.NotJoined))
	}
}

// onNetwork makes the configuration that of a home on the network in o.network, whose authority is
// the default.
func (c *config) onNetwork(o *initOptions) error {
	dir, err := filepath.Abs(filepath.Join(o.network, "clients"))
	if err != nil {
		return err
	}
	c.Ledger, c.Connections = ledgerFabric, dir
	authority, err := newFabricBackend(dir).authority()
	if err != nil {
		return err
	}
	if o.authority == "" {
		o.authority = authority
	}
	if o.authority != authority {
		return failf("authority-other", "the authority of this network is %s: without it nothing is endorsed, so it founds the ledger, not %s", authority, o.authority)
	}
	return nil
}

// A cityPlan is what a new ledger begins with.
type cityPlan struct {
	name        string
	authority   *licence.Department
	departments []licence.Department // all, the authority among them
	types       []*licence.Type
	builtin     bool // those of the demonstration city
}

func planCity(o *initOptions) (*cityPlan, error) {
	plan := &cityPlan{name: o.name, builtin: o.departments == "" && o.catalog == ""}
	var err error
	if o.departments == "" {
		plan.departments, err = catalog.Departments()
	} else {
		plan.departments, err = readDepartments(o.departments)
	}
	if err != nil {
		return nil, err
	}
	if o.catalog == "" {
		plan.types, err = catalog.Types()
	} else {
		if plan.types, err = catalog.Load(o.catalog); err != nil {
			err = failf("catalogue-malformed", "%v", err)
		}
	}
	if err != nil {
		return nil, err
	}
	for i := range plan.departments {
		d := &plan.departments[i]
		if o.authority == d.ID || o.authority == "" && len(d.Issues) == 0 {
			if plan.authority != nil {
				return nil, usagef("several departments issue no type: name the authority with --authority ID")
			}
			plan.authority = d
		}
		for _, id := range d.Issues {
			if !slices.ContainsFunc(plan.types, func(t *licence.Type) bool { return t.ID == id }) {
				return nil, failf(chaincode.CodeTypeUnknown, "the department %s issues the type %q, which the catalogue does not have", d.ID, id)
			}
		}
	}
	if plan.authority == nil {
		return nil, usagef("none of the departments is the authority: name it with --authority ID")
	}
	return plan, nil
}
