-- The vault of an issuing department. What a licence says, and who did what, is sealed by SM4-GCM; the
-- keys are wrapped by a master key that is not in the database. Who has the database alone learns how
-- many licences of which type were issued when, their states, and hashes that are on the ledger anyway.
-- Times are seconds since 1970-01-01T00:00:00Z, days are days since 1970-01-01 in UTC+8. The same text
-- is for SQLite and for PostgreSQL.

CREATE TABLE vault_meta (
    name  TEXT  NOT NULL PRIMARY KEY,      -- ledger, department, secret (wrapped), seen (height and hash of the ledger)
    value BYTEA NOT NULL
);

-- One row. Who updates it has the turn: licences, their numbers and states are written by one at a time.
CREATE TABLE vault_turn (
    id     BIGINT NOT NULL PRIMARY KEY,    -- 1
    next   BIGINT NOT NULL,                -- id of the next licence
    newest BIGINT NOT NULL                 -- time of the newest signed head
);

INSERT INTO vault_turn (id, next, newest) VALUES (1, 1, 0);

CREATE TABLE vault_type (
    id   BIGINT NOT NULL PRIMARY KEY,
    name TEXT   NOT NULL UNIQUE            -- licence type
);

-- Something long: an import, a list of status changes. How far it has come is written in the
-- transaction that has brought it there.
CREATE TABLE vault_job (
    id         BIGSERIAL PRIMARY KEY,
    name       BYTEA   NOT NULL UNIQUE,    -- SM3 of its arguments
    kind       TEXT    NOT NULL,
    type       TEXT    NOT NULL,           -- licence type; empty: none
    started_at BIGINT  NOT NULL,
    changed_at BIGINT  NOT NULL,
    records    BIGINT  NOT NULL,           -- of the input, those that are settled
    accepted   BIGINT  NOT NULL,
    rejected   BIGINT  NOT NULL,
    prefix     BYTEA   NOT NULL,           -- running SM3 over the settled records as they came
    sealed     BYTEA   NOT NULL,           -- who began it, and what it needs to go on
    done       BOOLEAN NOT NULL
);

CREATE INDEX vault_job_done ON vault_job (done, id);

-- What stands under one signed head. The head is here, byte for byte, before it is first submitted.
CREATE TABLE vault_batch (
    id          BIGSERIAL PRIMARY KEY,
    job         BIGINT NOT NULL,           -- 0: none
    type        BIGINT NOT NULL REFERENCES vault_type (id),
    state       TEXT   NOT NULL,           -- pending, anchored, delivered
    size        BIGINT NOT NULL,           -- number of licences
    first       BIGINT NOT NULL,           -- id of the licence with index 0; that with index i has first + i
    issued_at   BIGINT NOT NULL,           -- signed-at of the head
    root        BYTEA  NOT NULL UNIQUE,
    head        BYTEA  NOT NULL,           -- the signed head
    digests     BYTEA  NOT NULL,           -- of the licences, 32 bytes each, in the order of the tree
    block       BIGINT,                    -- where the ledger has it
    block_index BIGINT,
    root_state    TEXT   NOT NULL,         -- of the whole root: of it and a licence's own the more restrictive holds
    root_sequence BIGINT NOT NULL,         -- number of its changes
    root_day      BIGINT                   -- since when
);

CREATE INDEX vault_batch_state ON vault_batch (state, id);
CREATE INDEX vault_batch_job ON vault_batch (job, state);
CREATE INDEX vault_batch_issued ON vault_batch (issued_at);

-- Batches that the ledger has and the vault has lost: their licences have neither number nor content here.
CREATE TABLE vault_lost (
    batch BIGINT NOT NULL PRIMARY KEY,
    type  BIGINT NOT NULL
);

CREATE TABLE vault_licence (
    id          BIGINT PRIMARY KEY,        -- first of its batch + index in the batch
    batch       BIGINT NOT NULL,
    type        BIGINT NOT NULL,
    number      BYTEA,                     -- 16 bytes of HMAC-SM3 of the licence number; null: lost
    released    BIGINT NOT NULL,           -- 0: no other licence of the type may have its number; else its own id
    state       TEXT   NOT NULL,           -- its own: active, suspended, superseded or revoked
    sequence    BIGINT NOT NULL,           -- number of the changes of its own state on the ledger
    predecessor BIGINT NOT NULL,           -- id of the licence that it takes the place of; 0: none
    since       BIGINT,                    -- first day: of issue or of validity, whichever is earlier; null: lost
    valid_until BIGINT,                    -- last day of validity; null: for good
    ended       BIGINT,                    -- day on which it was revoked or superseded; null: it is not
    ends        BIGINT,                    -- the earlier of both; null: neither, or erased
    erased_at   BIGINT,
    UNIQUE (number, released)
);

CREATE INDEX vault_licence_ends ON vault_licence (type, ends);

-- The data key of each licence, wrapped. A row keeps its length and its place: erasing and rewrapping
-- overwrite it.
CREATE TABLE vault_key (
    licence BIGINT PRIMARY KEY,
    wrapped BYTEA NOT NULL                 -- all zero: erased
);

CREATE TABLE vault_content (
    licence BIGINT PRIMARY KEY,
    sealed  BYTEA NOT NULL                 -- under the data key
);

CREATE TABLE vault_holder (
    licence BIGINT NOT NULL,
    holder  BYTEA  NOT NULL                -- 16 bytes of HMAC-SM3 of the holder's id
);

CREATE INDEX vault_holder_holder ON vault_holder (holder, licence);
CREATE INDEX vault_holder_licence ON vault_holder (licence);

-- What a salted commitment on the ledger says. It is here before the ledger gets the commitment.
CREATE TABLE vault_opening (
    commitment BYTEA   NOT NULL PRIMARY KEY,
    digest     BYTEA   NOT NULL,           -- of the licence
    sealed     BYTEA   NOT NULL,
    settled    BOOLEAN NOT NULL,           -- it is known that the ledger holds the commitment
    made_at    BIGINT  NOT NULL
);

CREATE INDEX vault_opening_digest ON vault_opening (digest);

-- Statements that bind a holder's key to a licence.
CREATE TABLE vault_binding (
    id         BIGSERIAL PRIMARY KEY,
    licence    BIGINT NOT NULL,
    not_before BIGINT NOT NULL,
    not_after  BIGINT NOT NULL,
    revoked_at BIGINT,
    sealed     BYTEA  NOT NULL             -- under the data key of the licence
);

CREATE INDEX vault_binding_licence ON vault_binding (licence);

-- Who did what. Rows are never changed or deleted.
CREATE TABLE vault_history (
    id      BIGSERIAL PRIMARY KEY,
    at      BIGINT NOT NULL,
    action  TEXT   NOT NULL,
    licence BIGINT NOT NULL,               -- 0: none, or all of the batch
    batch   BIGINT NOT NULL,               -- 0: none
    sealed  BYTEA  NOT NULL                -- who, and for what
);

CREATE INDEX vault_history_licence ON vault_history (licence, id);
CREATE INDEX vault_history_batch ON vault_history (batch, id);

-- Idempotency keys.
CREATE TABLE vault_claim (
    name    BYTEA  NOT NULL PRIMARY KEY,   -- HMAC-SM3 of caller and key
    request BYTEA  NOT NULL,               -- HMAC-SM3 of what was asked
    sealed  BYTEA  NOT NULL,               -- the answer
    expires BIGINT NOT NULL
);

CREATE INDEX vault_claim_expires ON vault_claim (expires);

-- What one person wants done and is not done yet.
CREATE TABLE vault_proposal (
    id         BYTEA   NOT NULL PRIMARY KEY,
    kind       TEXT    NOT NULL,
    licence    BIGINT  NOT NULL,           -- 0: none
    second     BOOLEAN NOT NULL,           -- another person has to approve
    state      TEXT    NOT NULL,           -- waiting, approved, refused, done
    created_at BIGINT  NOT NULL,
    expires    BIGINT  NOT NULL,
    proposed   BYTEA   NOT NULL,           -- sealed: who, for what, and the content
    decided    BYTEA                       -- sealed: who, and for what
);

CREATE INDEX vault_proposal_state ON vault_proposal (state, created_at);
CREATE INDEX vault_proposal_licence ON vault_proposal (licence);

-- Messages that are to be sent.
CREATE TABLE vault_outbox (
    id         BIGSERIAL PRIMARY KEY,
    subscriber TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    due        BIGINT NOT NULL,            -- not to be tried before
    attempts   BIGINT NOT NULL,
    sealed     BYTEA  NOT NULL
);

CREATE INDEX vault_outbox_due ON vault_outbox (subscriber, due, id);

-- What subscribers were told of that they are told of once: licences that expire, jobs that are done.
CREATE TABLE vault_told (
    what TEXT   NOT NULL,
    id   BIGINT NOT NULL,
    PRIMARY KEY (what, id)
);

-- Master keys under which nothing is wrapped any more, and nothing may be.
CREATE TABLE vault_retired (
    id         BYTEA  NOT NULL PRIMARY KEY, -- the first 8 bytes of what was wrapped under it
    retired_at BIGINT NOT NULL
);
