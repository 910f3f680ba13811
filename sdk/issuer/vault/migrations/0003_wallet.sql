-- What the holders' wallet keeps. Who somebody is, and what they wrote, is sealed; people are found again
-- by 16 bytes of HMAC-SM3 of their id. Ids of 16 bytes are random. Times and days as in the tables before.

-- Who has signed in. A session is found by its token, of which nothing but the HMAC is here.
CREATE TABLE vault_session (
    name    BYTEA  NOT NULL PRIMARY KEY,   -- HMAC-SM3 of the token
    person  BYTEA  NOT NULL,
    begun   BIGINT NOT NULL,
    proven  BIGINT NOT NULL,               -- when the person has proven who they are
    seen    BIGINT NOT NULL,               -- about when it was used last
    expires BIGINT NOT NULL,
    sealed  BYTEA  NOT NULL                -- id and name
);

CREATE INDEX vault_session_person ON vault_session (person);
CREATE INDEX vault_session_expires ON vault_session (expires);

-- A holder lets a helper act.
CREATE TABLE vault_delegation (
    id       BYTEA  NOT NULL PRIMARY KEY,
    holder   BYTEA  NOT NULL,
    helper   BYTEA  NOT NULL,
    given_at BIGINT NOT NULL,
    until    BIGINT NOT NULL,              -- last day
    ended_at BIGINT,                       -- when it was withdrawn; null: it was not
    acts     BIGINT NOT NULL,              -- number of them
    sealed   BYTEA  NOT NULL               -- both ids, the holder's name, licences, matter, ways
);

CREATE INDEX vault_delegation_holder ON vault_delegation (holder, given_at);
CREATE INDEX vault_delegation_helper ON vault_delegation (helper, given_at);

-- What helpers did. Rows are never changed or deleted.
CREATE TABLE vault_act (
    id         BIGSERIAL PRIMARY KEY,
    delegation BYTEA  NOT NULL,
    at         BIGINT NOT NULL,
    act        TEXT   NOT NULL,
    licence    BIGINT NOT NULL
);

CREATE INDEX vault_act_delegation ON vault_act (delegation, id);

CREATE TABLE vault_objection (
    id         BYTEA  NOT NULL PRIMARY KEY,
    licence    BIGINT NOT NULL,
    person     BYTEA  NOT NULL,
    about      TEXT   NOT NULL,
    made_at    BIGINT NOT NULL,
    due        BIGINT NOT NULL,            -- last day on which an answer is in time
    settled_at BIGINT,                     -- null: it is open
    outcome    TEXT   NOT NULL,            -- empty: it is open
    made       BYTEA  NOT NULL,            -- sealed: who, and the text
    settled    BYTEA                       -- sealed: who, and the text
);

CREATE INDEX vault_objection_person ON vault_objection (person, made_at);
CREATE INDEX vault_objection_licence ON vault_objection (licence);
CREATE INDEX vault_objection_settled ON vault_objection (settled_at, due);

-- What can be rated, once.
CREATE TABLE vault_use (
    id     BYTEA   NOT NULL PRIMARY KEY,
    person BYTEA   NOT NULL,
    kind   TEXT    NOT NULL,
    matter TEXT    NOT NULL,               -- empty: none
    at     BIGINT  NOT NULL,
    rated  BOOLEAN NOT NULL
);

CREATE INDEX vault_use_at ON vault_use (at);

-- Ratings, without whose they are.
CREATE TABLE vault_rating (
    id     BIGSERIAL PRIMARY KEY,
    at     BIGINT NOT NULL,
    kind   TEXT   NOT NULL,
    matter TEXT   NOT NULL,
    stars  BIGINT NOT NULL,
    sealed BYTEA                           -- the text; null: none
);

CREATE INDEX vault_rating_at ON vault_rating (at);

-- Bindings that the wallet made for a few minutes: they are deleted some time after their end.
CREATE TABLE vault_brief (
    binding BIGINT PRIMARY KEY,
    ends    BIGINT NOT NULL
);

CREATE INDEX vault_brief_ends ON vault_brief (ends);
