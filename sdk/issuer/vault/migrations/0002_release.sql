-- Release of licences to other departments: the policies that were published, what holders have granted, and
-- what was answered to whom. Who asks for which fields, for what, and how a holder was identified, is sealed.

-- Every version of the policy that was set, as the authority signed it.
CREATE TABLE vault_policy (
    version BIGINT NOT NULL PRIMARY KEY,
    signed  BYTEA  NOT NULL
);

-- Grants. The row of a grant is what counts its uses, and what a withdrawal changes.
CREATE TABLE vault_grant (
    digest       BYTEA   NOT NULL PRIMARY KEY, -- SM3 of its payload: its name on the ledger
    licence      BIGINT  NOT NULL,
    uses         BIGINT  NOT NULL,         -- how many times it can be used
    used         BIGINT  NOT NULL,         -- how many times it was
    not_after    BIGINT  NOT NULL,
    state        TEXT    NOT NULL,         -- kept, given, withdrawn
    settled      BOOLEAN NOT NULL,         -- the ledger has it so
    kept_at      BIGINT  NOT NULL,
    withdrawn_at BIGINT,
    sealed       BYTEA   NOT NULL,         -- the signed grant, the binding, and who kept it
    withdrawal   BYTEA                     -- sealed: the same of its withdrawal
);

CREATE INDEX vault_grant_licence ON vault_grant (licence);
CREATE INDEX vault_grant_settled ON vault_grant (settled, not_after);

-- Who was identified, and how, when the department signed on a holder's behalf.
CREATE TABLE vault_identification (
    grant_digest BYTEA  NOT NULL,
    what         TEXT   NOT NULL,          -- grant or withdrawal
    licence      BIGINT NOT NULL,
    sealed       BYTEA  NOT NULL,          -- under the data key of the licence
    PRIMARY KEY (grant_digest, what)
);

CREATE INDEX vault_identification_licence ON vault_identification (licence);

-- What was answered to requests. No number of a use is given twice, and no request is answered twice.
CREATE TABLE vault_answer (
    id           BIGSERIAL PRIMARY KEY,
    request      BYTEA   NOT NULL UNIQUE,  -- SM3 of its payload
    licence      BIGINT  NOT NULL,         -- 0: none was found
    type         TEXT    NOT NULL,         -- that was asked for
    grant_digest BYTEA,                    -- of the grant that it was released under
    use_number   BIGINT,                   -- of that grant, from 1
    answered_at  BIGINT  NOT NULL,
    expires      BIGINT  NOT NULL,         -- until when what was released is given again
    logged       BOOLEAN NOT NULL,         -- it is known that the access log has it
    sealed       BYTEA   NOT NULL,         -- request and answer
    envelope     BYTEA,                    -- sealed: what was released; null: nothing, or not kept any more
    kept_until   BIGINT,                   -- expires, while there is an envelope; null: there is none
    UNIQUE (grant_digest, use_number)
);

CREATE INDEX vault_answer_licence ON vault_answer (licence, id);
CREATE INDEX vault_answer_kept ON vault_answer (kept_until);
CREATE INDEX vault_answer_logged ON vault_answer (logged, id);

-- Which licence has a digest: by its first 8 bytes. Batches are put in when somebody asks, in the order of their
-- ids, so that issuing does not wait for it.
CREATE TABLE vault_digest (
    prefix  BIGINT NOT NULL,
    licence BIGINT NOT NULL
);

CREATE INDEX vault_digest_prefix ON vault_digest (prefix, licence);

CREATE TABLE vault_indexed (
    id    BIGINT NOT NULL PRIMARY KEY,     -- 1
    batch BIGINT NOT NULL                  -- the last one that is in vault_digest
);

INSERT INTO vault_indexed (id, batch) VALUES (1, 0);
