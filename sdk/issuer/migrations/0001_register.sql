-- The register of what a department has issued. It keeps no value of any field of a licence: of the
-- licence number there is an HMAC-SM3 under a key that never leaves the register, and whatever else
-- is said about a licence is a hash or a number.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,                -- number-key, ledger, department
    value BLOB NOT NULL
);

-- A run of Issue: how far it has come. It grows by one settled group of records at a time.
CREATE TABLE job (
    id         BIGINT PRIMARY KEY,
    name       BLOB   NOT NULL UNIQUE,     -- SM3 of the arguments of the run
    type       TEXT   NOT NULL,            -- licence type
    started_at BIGINT NOT NULL,            -- seconds since 1970-01-01T00:00:00Z, here and below
    records    BIGINT NOT NULL,            -- records of the input that are settled
    prefix     BLOB   NOT NULL,            -- running SM3 over those records as they came
    issued     BIGINT NOT NULL,            -- of these, those issued
    rejected   BIGINT NOT NULL,            -- of these, those rejected
    stream     BIGINT NOT NULL,            -- bytes of the bundle, or of the staging file, that count
    rejects    BIGINT NOT NULL,            -- bytes of the rejects file that count
    done       BOOLEAN NOT NULL            -- the input has come to its end, and all is delivered
);

-- What stands under one signed head. The head is kept, byte for byte, before it is first submitted.
CREATE TABLE batch (
    id            BIGINT PRIMARY KEY,
    job           BIGINT NOT NULL REFERENCES job (id),
    state         TEXT   NOT NULL,         -- pending, anchored, then delivered
    size          BIGINT NOT NULL,         -- number of licences
    first         BIGINT NOT NULL,         -- id of the licence with index 0; that with index i has first + i
    issued_at     BIGINT NOT NULL,
    stream_offset BIGINT NOT NULL,         -- where its credentials stand in the job's stream
    stream_length BIGINT NOT NULL,
    root          BLOB   NOT NULL UNIQUE,
    head          BLOB   NOT NULL,         -- the signed head
    digests       BLOB   NOT NULL          -- of the licences, 32 bytes each, in the order of the tree
);

CREATE INDEX batch_job ON batch (job, state, size);

-- A licence. While its batch is pending, so is the licence, whatever stands here.
CREATE TABLE licence (
    id     INTEGER PRIMARY KEY,            -- first of its batch + index in the batch (SQLite's rowid)
    number BLOB   NOT NULL,                -- 16 bytes of HMAC-SM3 of the licence number, see number.go
    state  TEXT   NOT NULL,                -- active, suspended, superseded or revoked
    holds  BOOLEAN NOT NULL                -- no other licence of the type may have its number
);

CREATE UNIQUE INDEX licence_number ON licence (number) WHERE holds;

-- What a salted commitment on the ledger says, so that the department can tell who is entitled to know.
CREATE TABLE opening (
    commitment  BLOB   PRIMARY KEY,        -- SM3(00 || [salt, key, code]) as in package credential
    key         TEXT   NOT NULL,           -- reason, restriction or release
    salt        BLOB   NOT NULL,           -- 16 bytes
    code        TEXT   NOT NULL,           -- of the reason or restriction, in the licence type
    digest      BLOB   NOT NULL,           -- of the licence
    restriction BLOB   NOT NULL,           -- 16 bytes, the id of the restriction; empty for a reason
    settled     BOOLEAN NOT NULL,          -- it is known that the ledger holds the commitment
    made_at     BIGINT NOT NULL
);

CREATE INDEX opening_digest ON opening (digest);
