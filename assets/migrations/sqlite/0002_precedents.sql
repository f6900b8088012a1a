-- What people decided about a failure, for later failures alike: by fingerprint in any job, and by job whatever the error.
-- The audit trail has the same and more; this is what is looked up before each question to a model.

CREATE TABLE precedents (
    seq           INTEGER PRIMARY KEY AUTOINCREMENT,
    incident      TEXT    NOT NULL REFERENCES incidents (id),
    attempt       INTEGER NOT NULL,
    workspace     TEXT    NOT NULL,
    job_id        INTEGER,
    fingerprint   TEXT    NOT NULL,
    doc           TEXT    NOT NULL
);
CREATE INDEX precedents_fingerprint ON precedents (fingerprint, seq);
CREATE INDEX precedents_job ON precedents (workspace, job_id, seq);
