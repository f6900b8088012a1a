-- What people decided before there was a table for it stands in the audit trail alone: from there into the table, once.
-- A migration never changes, so it says by itself what a precedent is: a person's word on a failure that had a verdict then.
-- Lines that are no JSON any more are passed over; that is for `audit verify` to tell.

INSERT INTO precedents (seq, incident, attempt, workspace, job_id, fingerprint, doc)
WITH
    -- One decision is one word: an end that an override brought with it has its time.
    said AS MATERIALIZED (
        SELECT
            min(seq) AS seq, incident, event,
            json_extract(line, '$.event.ts') AS ts,
            json_extract(line, '$.event.attempt') AS attempt,
            json_extract(line, '$.event.action') AS action,
            json_extract(line, '$.event.result') AS result,
            json_extract(line, '$.event.note') AS note,
            json_extract(line, '$.event.cause') AS corrected
        FROM audit
        WHERE event IN ('approved', 'overridden', 'outcome') AND incident IS NOT NULL
            AND CASE WHEN json_valid(line) THEN
                json_extract(line, '$.event.actor.by') = 'person'
                AND (event <> 'outcome' OR json_extract(line, '$.event.result') IN ('ignored', 'handled'))
            END
        GROUP BY incident, ts
    ),
    -- The newest event that gave the incident its verdict, or took it away: what failed anew has none until it is read again.
    judged AS MATERIALIZED (
        SELECT said.*, (
            SELECT audit.seq FROM audit
            WHERE audit.incident = said.incident AND audit.seq < said.seq AND (
                audit.event IN ('classified', 'detected')
                OR audit.event = 'outcome'
                    AND CASE WHEN json_valid(audit.line) THEN json_extract(audit.line, '$.event.result') = 'failed_again' END
            )
            ORDER BY audit.seq DESC LIMIT 1
        ) AS verdict
        FROM said
        WHERE (said.incident, said.ts) NOT IN (
            SELECT incident, ifnull(json_extract(doc, '$.at'), '') FROM precedents WHERE json_valid(doc)
        )
    ),
    found AS MATERIALIZED (
        SELECT
            judged.seq, judged.incident, judged.attempt, judged.ts, incidents.workspace, incidents.job_id,
            json_extract(verdict.line, '$.event.fingerprint') AS fingerprint,
            json_extract(verdict.line, '$.event.cause') AS rules_said,
            judged.corrected,
            CASE judged.event WHEN 'approved' THEN 'approved' WHEN 'overridden' THEN 'overrode' ELSE judged.result END AS word,
            CASE
                WHEN judged.event = 'overridden' THEN judged.action
                WHEN judged.event = 'approved' THEN (
                    SELECT json_extract(audit.line, '$.event.action') FROM audit
                    WHERE audit.incident = judged.incident AND audit.seq < judged.seq AND audit.event IN ('decided', 'overridden')
                        AND json_valid(audit.line)
                    ORDER BY audit.seq DESC LIMIT 1
                )
                WHEN judged.result = 'ignored' THEN 'ignore'
            END AS action,
            CASE WHEN trim(judged.note, char(9, 10, 13, 32)) <> '' THEN judged.note END AS note
        FROM judged
        JOIN incidents ON incidents.id = judged.incident
        JOIN audit AS verdict ON verdict.seq = judged.verdict AND verdict.event = 'classified' AND json_valid(verdict.line)
    )
-- Before all that the table has: there the newest has the highest number, and numbers begin at 1.
SELECT
    row_number() OVER (ORDER BY seq) - count(*) OVER (), incident, attempt, workspace, job_id, fingerprint,
    json_patch(
        json_object(
            'at', ts, 'incident', incident, 'attempt', attempt, 'fingerprint', fingerprint, 'cause', ifnull(corrected, rules_said),
            'word', word, 'action', action, 'note', note
        ),
        -- Left out where the person named no other cause.
        json_object('rules_said', CASE WHEN corrected IS NOT NULL THEN rules_said END)
    )
FROM found
WHERE attempt IS NOT NULL AND fingerprint IS NOT NULL AND rules_said IS NOT NULL;
