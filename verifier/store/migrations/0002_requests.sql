-- Requests to issuers (SPEC, section 22), from before they are sent until the evidence of them is given up. What
-- was released is here sealed to the recipient key, until it was fetched, and that key sealed to the department's.
CREATE TABLE verifier_request (
    number    BIGSERIAL PRIMARY KEY,        -- in the order in which they were made
    digest    BYTEA     NOT NULL UNIQUE,    -- SM3 of the payload of the request
    agency    TEXT      NOT NULL,           -- department that asks
    request   BYTEA     NOT NULL,           -- signed
    subject   BYTEA     NOT NULL,           -- what the licence is to be found by, sealed to the issuer; empty if there is none
    recipient BYTEA     NOT NULL,           -- private key that the answer is sealed to, sealed itself; empty once destroyed
    clerk     TEXT      NOT NULL,
    unit      TEXT      NOT NULL,
    by_law    BOOLEAN   NOT NULL,           -- the policy says that it must be answered, without a grant
    made      BIGINT    NOT NULL,
    due       BIGINT    NOT NULL,           -- until when an answer is waited for
    state     TEXT      NOT NULL,           -- pending, released, refused, unanswered
    recorded  BOOLEAN   NOT NULL,           -- its end is in the access log
    next      BIGINT    NOT NULL,           -- when something is to be done about it
    attempts  BIGINT    NOT NULL,
    problem   TEXT      NOT NULL,           -- why the last attempt failed, a code; empty if it did not
    answer    BYTEA     NOT NULL,           -- signed; empty while there is none
    given     BYTEA     NOT NULL,           -- the grant that it is under, and the binding of that; empty if there is none
    binding   BYTEA     NOT NULL,
    released  BYTEA     NOT NULL,           -- what was released, sealed to the recipient key; empty once that is destroyed
    ended     BIGINT    NOT NULL            -- when; 0 while it is pending
);

CREATE INDEX verifier_request_agency ON verifier_request (agency, number);
CREATE INDEX verifier_request_state ON verifier_request (agency, state, number);
CREATE INDEX verifier_request_next ON verifier_request (next);
CREATE INDEX verifier_request_due ON verifier_request (due);
