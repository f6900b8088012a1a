-- The ledger's first schema.
-- Times (`_ns`) are integer nanoseconds since 1970 UTC: they compare and index as numbers, and they are exactly the documents' times,
-- so that an incident due at `now` is claimable at `now`. The documents hold the same times as RFC 3339 for people.
-- `doc` is the JSON of the domain type; the columns beside it are what SQL must see.

CREATE TABLE incidents (
    id            TEXT    NOT NULL PRIMARY KEY,
    workspace     TEXT    NOT NULL,
    run_id        INTEGER NOT NULL,
    job_id        INTEGER,
    state         TEXT    NOT NULL,
    ending        TEXT,
    open          INTEGER NOT NULL,
    next_due_ns   INTEGER,
    closed_at_ns  INTEGER,
    version       INTEGER NOT NULL,
    change_seq    INTEGER NOT NULL,
    lease_owner   TEXT,
    lease_until_ns INTEGER,
    fence         INTEGER NOT NULL DEFAULT 0,
    doc           TEXT    NOT NULL
);
CREATE UNIQUE INDEX incidents_run ON incidents (workspace, run_id);
CREATE INDEX incidents_due ON incidents (workspace, next_due_ns) WHERE open = 1;
CREATE INDEX incidents_job ON incidents (workspace, job_id) WHERE open = 1;
CREATE INDEX incidents_state ON incidents (state) WHERE open = 1;
CREATE INDEX incidents_closed ON incidents (closed_at_ns) WHERE open = 0;
CREATE INDEX incidents_changed ON incidents (change_seq);

-- Every failure that was ever taken up: it is known for ever. `after_repair` 0 is the run's first failure.
CREATE TABLE failures (
    workspace     TEXT    NOT NULL,
    run_id        INTEGER NOT NULL,
    after_repair  INTEGER NOT NULL,
    incident      TEXT    NOT NULL REFERENCES incidents (id),
    PRIMARY KEY (workspace, run_id, after_repair)
) WITHOUT ROWID;

CREATE TABLE evidence (
    incident      TEXT    NOT NULL REFERENCES incidents (id),
    attempt       INTEGER NOT NULL,
    doc           TEXT    NOT NULL,
    PRIMARY KEY (incident, attempt)
);

CREATE TABLE intents (
    seq           INTEGER PRIMARY KEY AUTOINCREMENT,
    id            TEXT    NOT NULL UNIQUE,
    incident      TEXT    NOT NULL REFERENCES incidents (id),
    open          INTEGER NOT NULL,
    doc           TEXT    NOT NULL
);
CREATE INDEX intents_incident ON intents (incident);

-- `line` is what was hashed, byte for byte; `event`, `incident` and `ts_ns` only find it.
CREATE TABLE audit (
    seq           INTEGER NOT NULL PRIMARY KEY,
    ts_ns         INTEGER NOT NULL,
    incident      TEXT,
    event         TEXT    NOT NULL,
    line          TEXT    NOT NULL,
    prev_hash     TEXT    NOT NULL,
    hash          TEXT    NOT NULL
);
CREATE INDEX audit_incident ON audit (incident, seq);
CREATE INDEX audit_event ON audit (event, ts_ns);
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;

-- One row: the newest change that a reader may want to see, and the end of the audit chain, so that lines cut off its end are missed.
CREATE TABLE head (
    one           INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    change_seq    INTEGER NOT NULL,
    audit_seq     INTEGER NOT NULL,
    audit_hash    TEXT    NOT NULL
);
INSERT INTO head (one, change_seq, audit_seq, audit_hash) VALUES (1, 0, 0, '');

CREATE TABLE mails (
    seq           INTEGER PRIMARY KEY AUTOINCREMENT,
    dedup_key     TEXT    NOT NULL UNIQUE,
    incident      TEXT    NOT NULL,
    mail          TEXT    NOT NULL,
    queued        INTEGER NOT NULL,
    delivery      TEXT    NOT NULL,
    tries         INTEGER NOT NULL,
    next_try_ns   INTEGER NOT NULL,
    last_error    TEXT
);
CREATE INDEX mails_incident ON mails (incident);
CREATE INDEX mails_queued ON mails (next_try_ns) WHERE queued = 1;

-- What an attempt came to. `rerun` 1: the attempt started a run, so its outcome counts for re-runs of this fingerprint.
CREATE TABLE outcomes (
    incident      TEXT    NOT NULL REFERENCES incidents (id),
    attempt       INTEGER NOT NULL,
    workspace     TEXT    NOT NULL,
    job_id        INTEGER,
    fingerprint   TEXT,
    cause         TEXT,
    rerun         INTEGER NOT NULL,
    outcome       TEXT    NOT NULL,
    at_ns         INTEGER NOT NULL,
    PRIMARY KEY (incident, attempt)
);
CREATE INDEX outcomes_fingerprint ON outcomes (fingerprint, outcome) WHERE rerun = 1;

CREATE TABLE intake (
    workspace     TEXT    NOT NULL PRIMARY KEY,
    doc           TEXT    NOT NULL
);

CREATE TABLE job_success (
    workspace     TEXT    NOT NULL,
    job_id        INTEGER NOT NULL,
    run_id        INTEGER NOT NULL,
    started_at_ns INTEGER NOT NULL,
    PRIMARY KEY (workspace, job_id)
) WITHOUT ROWID;

CREATE TABLE agents (
    worker        TEXT    NOT NULL,
    workspace     TEXT    NOT NULL,
    doc           TEXT    NOT NULL,
    PRIMARY KEY (worker, workspace)
);

CREATE TABLE settings (
    key           TEXT    NOT NULL PRIMARY KEY,
    doc           TEXT    NOT NULL
);
