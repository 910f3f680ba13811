package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/credledger/credledger/sdk/callers"
	"github.com/credledger/credledger/sdk/issuer/service"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/licence/catalog"
	"github.com/credledger/credledger/sdk/licence/samples"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/agency"
)

// A newFile is one that is to be made in a directory.
type newFile struct {
	name    string
	content []byte
}

// tokenFile holds the token with which a department's wallet calls the verifier.
const tokenFile = "verifier.token"

// demonstration reports whether this is a home of the demonstration city, on this machine, as init made it.
func (h *home) demonstration() bool {
	made, err := os.ReadFile(filepath.Join(h.dir, policySource))
	return err == nil && bytes.Equal(made, samplePolicy) && h.config.Ledger == ledgerEmbedded
}

// trialWallet gives the configuration of a department's service a wallet for a trial, and returns the other files that it
// takes. The verifier of the home learns of the department as an agency, unless its agencies cannot be added to.
func (h *home) trialWallet(department string, config *service.Config) ([]newFile, error) {
	config.Wallet = service.TrialWallet(verifierURL(h.dir))
	people, err := trialPeople()
	if err != nil {
		return nil, err
	}
	files := []newFile{{config.Wallet.Trial.People, people}}
	token := callers.NewToken()
	if added, err := h.addAgency(department, callers.TokenDigest(token)); err != nil || !added {
		return files, err
	}
	config.Wallet.Verifier.Token = tokenFile
	return append(files, newFile{tokenFile, []byte(token + "\n")}), nil
}

// addAgency makes a department an agency of the home's verifier, which may see nothing but who has looked at its own
// licences. It leaves agencies alone among which the department is, or to which it cannot be added at the end.
func (h *home) addAgency(department string, token sm.Hash) (bool, error) {
	path := filepath.Join(h.dir, agenciesFile)
	before, err := readBounded(path, maxConfig)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	known, err := agency.Parse(before)
	if err != nil || known.Agency(department) != nil {
		return false, nil // a file that cannot be read is the verifier's to complain of
	}
	departments, err := catalog.Departments()
	if err != nil {
		return false, err
	}
	name := licence.Text{Zh: department, En: department}
	for _, d := range departments {
		if d.ID == department {
			name = d.Name
		}
	}
	after := bytes.TrimSuffix(bytes.TrimSpace(before), []byte("agencies: []"))
	if len(after) < len(bytes.TrimSpace(before)) {
		after = append(after, "agencies:"...)
	}
	after = fmt.Appendf(after, "\n  - id: %s\n    name: {zh: %q, en: %q}\n    tokens: [%q]\n    rate: {perSecond: 50, burst: 100}\n    dailyCap: 100000\n", department, name.Zh, name.En, token)
	if all, err := agency.Parse(after); err != nil || all.Agency(department) == nil {
		return false, nil
	}
	return true, writeOutput(path, after)
}

// maxTrialPeople is how many people of each type's samples stand in a trial's file.
const maxTrialPeople = 8

// usualVerifier is where the verifier of a home listens unless its configuration says otherwise.
const usualVerifier = "http://127.0.0.1:8080"

// verifierURL is where a trial's wallet reaches the verifier of the same home.
func verifierURL(dir string) string {
	config, err := verifierConfig(dir)
	if err != nil || config.Web.Certificate != "" {
		return usualVerifier
	}
	return "http://" + config.Web.Address
}

// trialPeople is the file of the people of a trial: the first holders of the sample licences, who are made up.
func trialPeople() ([]byte, error) {
	types, err := catalog.Types()
	if err != nil {
		return nil, err
	}
	b := bytes.NewBufferString("# The people who can be chosen at a trial's sign-in. Nobody has a number that begins with 99.\npeople:\n")
	told := map[string]bool{}
	for _, t := range types {
		file, err := samples.Files.ReadFile(t.ID + ".jsonl")
		if err != nil {
			continue // there are no samples of this type
		}
		n := 0
		for _, line := range bytes.Split(bytes.TrimSpace(file), []byte("\n")) {
			for _, p := range sampleHolders(t, line) {
				if n < maxTrialPeople && !told[p.number] {
					n, told[p.number] = n+1, true
					fmt.Fprintf(b, "  - {number: %q, name: %q}\n", p.number, p.name)
				}
			}
		}
	}
	return b.Bytes(), nil
}

type sampleHolder struct{ number, name string }

// sampleHolders are the people in a sample: a field of identity numbers comes after that of their names.
func sampleHolders(t *licence.Type, line []byte) (out []sampleHolder) {
	var record map[string]any
	if json.Unmarshal(line, &record) != nil {
		return nil
	}
	var names []string
	for _, f := range t.Fields {
		values := texts(record[f.Key])
		switch f.Kind {
		case licence.KindName, licence.KindNames:
			names = values
		case licence.KindResidentID, licence.KindIDs:
			for i, number := range values {
				if i < len(names) && len(number) == 18 && strings.HasPrefix(number, "99") {
					out = append(out, sampleHolder{number, names[i]})
				}
			}
		}
	}
	return out
}

// texts returns one text, or several, as a list.
func texts(v any) (out []string) {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		for _, one := range v {
			if s, ok := one.(string); ok {
				out = append(out, s)
			}
		}
	}
	return out
}
