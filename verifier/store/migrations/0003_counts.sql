-- What the access log cannot say, for the department's reports: how many requests of agencies were refused
-- or left without an answer.

CREATE TABLE verifier_count (
    day        BIGINT NOT NULL,            -- days since 1970-01-01, in UTC+8
    kind       TEXT   NOT NULL,            -- over-asking, unanswered
    department TEXT   NOT NULL,            -- that asked
    matter     TEXT   NOT NULL,            -- for which; empty if it named none that it may name
    counted    BIGINT NOT NULL,
    PRIMARY KEY (day, kind, department, matter)
);
