package vault

import (
	"context"
	"database/sql"
	"errors"
	"unicode/utf8"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/internal/dcbor"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/sqldb"
)

// An Identification is the department's record of who was identified, by whom and how, when it signed a grant or a
// withdrawal on a holder's behalf. The statement has a commitment to it. It is erased with the licence.
type Identification struct {
	Salt   credential.Salt
	Record string // 1 to MaxIdentification bytes
}

// MaxIdentification is the greatest length of an identification in bytes.
const MaxIdentification = 2000

// What an identification belongs to.
const (
	identifiedGrant      = "grant"
	identifiedWithdrawal = "withdrawal"
)

// A KeptIdentification is one that can be put into the vault, with the grant that it belongs to.
type KeptIdentification struct {
	licence ID
	grant   sm.Hash
	sealed  []byte
}

// KeepIdentification prepares an identification to be put into the vault, with a grant of a licence or its
// withdrawal: it is sealed under the data key of the licence, which takes the master key.
//
// Errors: CodeArgument, CodeUnknown, CodeErased, CodeNoContent, CodeKeys.
func (v *Vault) KeepIdentification(ctx context.Context, licence ID, grant sm.Hash, i Identification) (*KeptIdentification, error) {
	if i.Record == "" || len(i.Record) > MaxIdentification || !utf8.ValidString(i.Record) {
		return nil, errorf(CodeArgument, nil, "the record of an identification has 1 to %d bytes of UTF-8", MaxIdentification)
	}
	keys, _, err := v.dataKeys(ctx, []ID{licence})
	if err != nil {
		return nil, err
	}
	plain := dcbor.AppendText(dcbor.AppendBytes(dcbor.AppendArray(nil, 2), i.Salt[:]), i.Record)
	k := &KeptIdentification{licence: licence, grant: grant}
	k.sealed, err = seal(keys[0], plain, v.identity.aad(purposeIdentification, grant[:]))
	return k, err
}

func (t *Tx) addIdentification(k *KeptIdentification, grant sm.Hash, what string) error {
	if k == nil {
		return nil
	}
	if k.grant != grant {
		return errorf(CodeArgument, nil, "the identification belongs to another grant")
	}
	_, err := t.exec("keep an identification", "INSERT INTO vault_identification (grant_digest, what, licence, sealed) VALUES ($1, $2, $3, $4)", grant[:], what, int64(k.licence), k.sealed)
	return err
}

// GrantIdentification returns what opens the evidence in a grant, and WithdrawalIdentification that in its withdrawal. That it
// was opened, by whom and for what, stands in the history of the licence before. Errors: CodeUnknown if there is
// none, CodeErased, CodeKeys.
func (v *Vault) GrantIdentification(ctx context.Context, by By, grant sm.Hash) (*Identification, error) {
	return v.identification(ctx, by, grant, identifiedGrant)
}

// WithdrawalIdentification is explained with GrantIdentification.
func (v *Vault) WithdrawalIdentification(ctx context.Context, by By, grant sm.Hash) (*Identification, error) {
	return v.identification(ctx, by, grant, identifiedWithdrawal)
}

func (v *Vault) identification(ctx context.Context, by By, grant sm.Hash, what string) (*Identification, error) {
	var licence ID
	var sealed []byte
	err := v.db.Read().QueryRowContext(ctx, "SELECT licence, sealed FROM vault_identification WHERE grant_digest = $1 AND what = $2", grant[:], what).Scan(&licence, &sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errorf(CodeUnknown, nil, "the vault has no record of an identification for this: the holder signed, or the licence was erased")
	} else if err != nil {
		return nil, sqldb.Wrap("read an identification", err)
	}
	if err := v.Write(ctx, by, func(t *Tx) error { return t.record(ActionOpened, 0, licence) }); err != nil {
		return nil, err
	}
	keys, _, err := v.dataKeys(ctx, []ID{licence})
	if err != nil {
		return nil, err
	}
	plain, err := unseal(keys[0], sealed, v.identity.aad(purposeIdentification, grant[:]), "an identification")
	if err != nil {
		return nil, err
	}
	i := new(Identification)
	r := dcbor.NewReader(plain)
	r.ArrayOf(2)
	r.Fixed(i.Salt[:])
	i.Record = string(r.Text(MaxIdentification))
	if !r.OK() || len(r.Rest()) != 0 {
		return nil, damaged("an identification")
	}
	return i, nil
}
