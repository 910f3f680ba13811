-- What the replicas of one verifier share. It holds no field of a licence that could be read here: a
-- presentation is sealed under a key that only its token gives. Times are seconds since
-- 1970-01-01T00:00:00Z. The same text is for SQLite and for PostgreSQL.

CREATE TABLE verifier_secret (
    name  TEXT  PRIMARY KEY,               -- challenge-key
    value BYTEA NOT NULL
);

-- The challenges that were answered. One that was not has no row: its nonce says itself whether it is ours.
CREATE TABLE verifier_redeemed (
    challenge BYTEA  PRIMARY KEY,          -- the 16 random bytes of the nonce
    expires   BIGINT NOT NULL
);

CREATE INDEX verifier_redeemed_expires ON verifier_redeemed (expires);

-- Presentations behind one-time tokens.
CREATE TABLE verifier_reference (
    id      BYTEA   PRIMARY KEY,           -- SM3(token)
    sealed  BYTEA   NOT NULL,              -- SM4-GCM of the presentation under a key made of the token; empty once taken
    size    BIGINT  NOT NULL,              -- bytes of sealed
    expires BIGINT  NOT NULL,
    taken   BOOLEAN NOT NULL
);

CREATE INDEX verifier_reference_expires ON verifier_reference (expires, size);

-- How many calls each agency has made on a day.
CREATE TABLE verifier_usage (
    agency TEXT   NOT NULL,
    day    BIGINT NOT NULL,                -- days since 1970-01-01
    calls  BIGINT NOT NULL,
    PRIMARY KEY (agency, day)
);

-- Clerks who are signed in.
CREATE TABLE verifier_session (
    id      BYTEA  PRIMARY KEY,            -- SM3(token)
    agency  TEXT   NOT NULL,
    clerk   TEXT   NOT NULL,
    expires BIGINT NOT NULL
);

CREATE INDEX verifier_session_clerk ON verifier_session (agency, clerk, expires);
CREATE INDEX verifier_session_expires ON verifier_session (expires);
