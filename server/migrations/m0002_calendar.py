"""Working days, the rules' lengths and the deadlines counted in them."""
import csv

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from server.core.workdays import SEED, SEED_FIRST, SEED_LAST
from server.migrations import sql_migration

ID = "0002"
VERSION = "1.38.0"
DESCRIPTION = "calendar, deadline rules, deadlines"
LAST_DAY = "2040-12-31"


def exceptions() -> str:
    """The days that differ from their weekday, as SQL rows."""
    with SEED.open(encoding="utf-8", newline="") as file:
        return ",\n    ".join(f"('{row['date']}'::date, {row['is_workday'] == '1'}, '{row['holiday']}')"
                              for row in csv.DictReader(file))


SQL = f"""
-- The State Council's calendar. `ordinal` is the running number of working days, so that "n working days later" is one
-- look-up; beyond the last confirmed year there are weekends only (暂算).
CREATE TABLE calendar_day (
    day date PRIMARY KEY,
    working boolean NOT NULL,
    holiday text NOT NULL,
    ordinal int NOT NULL,
    confirmed boolean NOT NULL
);
INSERT INTO calendar_day
SELECT day, working, holiday, sum(working::int) OVER (ORDER BY day), day <= '{SEED_LAST}'
FROM (SELECT g.day::date AS day, coalesce(e.working, extract(isodow FROM g.day) < 6) AS working,
             coalesce(e.holiday, '') AS holiday
      FROM generate_series('{SEED_FIRST}'::timestamp, '{LAST_DAY}', '1 day') AS g (day)
      LEFT JOIN (VALUES
    {exceptions()}
      ) AS e (day, working, holiday) ON e.day = g.day) AS days;
CREATE INDEX calendar_day_number ON calendar_day (ordinal) WHERE working;
GRANT SELECT ON calendar_day TO ebranch_app;

-- One row each time a year was published or corrected; the newest one tells processes that theirs is old.
CREATE TABLE calendar_confirmation (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    year int NOT NULL,
    at timestamptz NOT NULL DEFAULT ebranch_now(),
    why text NOT NULL
);
INSERT INTO calendar_confirmation (year, why)
SELECT year, '国务院办公厅公布' || year || '年放假安排'
FROM generate_series({SEED_FIRST.year}, {SEED_LAST.year}) AS year;
CREATE TRIGGER calendar_confirmation_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON calendar_confirmation
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
GRANT SELECT ON calendar_confirmation TO ebranch_app;

-- 24:00 Beijing time of the n-th working day after the day of `event`. It never answers null: a lock compared with
-- null would be open.
CREATE FUNCTION working_deadline(event timestamptz, n int) RETURNS timestamptz LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE last date;
BEGIN
    IF event IS NULL OR n IS NULL OR n < 1 THEN
        RAISE EXCEPTION 'no deadline of % working days after %', n, event USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT due.day INTO last FROM calendar_day began
    JOIN calendar_day due ON due.ordinal = began.ordinal + n AND due.working
    WHERE began.day = (event AT TIME ZONE 'Asia/Shanghai')::date;
    IF last IS NULL THEN
        RAISE EXCEPTION 'the calendar does not reach % working days after %', n, event USING ERRCODE = 'EB006';
    END IF;
    RETURN (last + 1)::timestamp AT TIME ZONE 'Asia/Shanghai';
END $$;

-- The lengths the rules declare in Python, copied here by `ebranch migrate` so that triggers can enforce them.
CREATE TABLE deadline_rule (
    name text PRIMARY KEY,
    label text NOT NULL,
    days int NOT NULL CONSTRAINT deadline_rule_days CHECK (days > 0),
    unit text NOT NULL,
    source text NOT NULL,
    cascades boolean NOT NULL,
    urges boolean NOT NULL
);
GRANT SELECT ON deadline_rule TO ebranch_app;

-- Who must do what until when. `days` working days are counted from `counted_from`, which is the start, or where a
-- pause ended; it is null where `unit` is no working day. `revision` grows whenever the due moment changes.
-- `overdue_at` and `escalated_to` are of the present run; `late_before` remembers a run before a pause that was late.
CREATE TABLE deadline (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rule text NOT NULL CONSTRAINT deadline_known_rule REFERENCES deadline_rule ON DELETE RESTRICT,
    subject_kind text NOT NULL CONSTRAINT deadline_subject_kind CHECK (subject_kind <> ''),
    subject_id bigint NOT NULL,
    period text NOT NULL DEFAULT '',
    organisation_id bigint NOT NULL,
    organisation_path text COLLATE "C" NOT NULL CONSTRAINT deadline_path CHECK (organisation_path LIKE '%_/'),
    title text NOT NULL CONSTRAINT deadline_title CHECK (title <> ''),
    href text NOT NULL CONSTRAINT deadline_href CHECK (href LIKE '/%'),
    starts_at timestamptz NOT NULL,
    counted_from timestamptz NOT NULL,
    days int CONSTRAINT deadline_days CHECK (days > 0),
    unit text NOT NULL,
    due_at timestamptz NOT NULL,
    sort_at timestamptz NOT NULL,
    provisional boolean NOT NULL,
    revision int NOT NULL DEFAULT 1,
    reminders_for int NOT NULL DEFAULT 0,
    state text NOT NULL DEFAULT 'open'
        CONSTRAINT deadline_state CHECK (state IN ('open', 'paused', 'met', 'late', 'withdrawn')),
    left_working_days int CONSTRAINT deadline_left CHECK (left_working_days >= 0),
    closed_at timestamptz,
    overdue_at timestamptz,
    late_before boolean NOT NULL DEFAULT false,
    escalated_to text COLLATE "C",
    urged_on date,
    CONSTRAINT deadline_ends_after_it_starts CHECK (due_at > counted_from),
    CONSTRAINT deadline_paused_keeps_the_rest CHECK (state <> 'paused' OR left_working_days IS NOT NULL),
    CONSTRAINT deadline_closed_says_when CHECK ((state IN ('met', 'late', 'withdrawn')) = (closed_at IS NOT NULL)),
    CONSTRAINT deadline_late_or_met CHECK (state NOT IN ('met', 'late')
        OR (state = 'late') = (late_before OR overdue_at IS NOT NULL))
);
CREATE UNIQUE INDEX deadline_open_once ON deadline (rule, subject_kind, subject_id, period)
    WHERE state IN ('open', 'paused');
CREATE INDEX deadline_of_subject ON deadline (subject_kind, subject_id, id);
CREATE INDEX deadline_to_do ON deadline (organisation_path, sort_at, id) INCLUDE (starts_at, due_at)
    WHERE state = 'open';
CREATE INDEX deadline_escalated ON deadline (escalated_to, sort_at, id) INCLUDE (starts_at, due_at)
    WHERE state = 'open';
CREATE INDEX deadline_in_tree ON deadline (organisation_path, due_at);
CREATE INDEX deadline_running ON deadline (due_at) WHERE state = 'open' AND overdue_at IS NULL;
CREATE INDEX deadline_urged ON deadline (id) WHERE state = 'open' AND overdue_at IS NOT NULL;
CREATE INDEX deadline_unreminded ON deadline (id) WHERE state = 'open' AND reminders_for <> revision;
GRANT SELECT, INSERT, UPDATE (starts_at, counted_from, days, due_at, sort_at, provisional, revision, reminders_for,
    state, left_working_days, closed_at, overdue_at, late_before, escalated_to, urged_on) ON deadline TO ebranch_app;

-- Why a due moment is not the one first told.
CREATE TABLE deadline_change (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    deadline_id bigint NOT NULL CONSTRAINT deadline_change_deadline REFERENCES deadline ON DELETE RESTRICT,
    at timestamptz NOT NULL DEFAULT ebranch_now(),
    old_due timestamptz NOT NULL,
    new_due timestamptz NOT NULL,
    why text NOT NULL CONSTRAINT deadline_change_why CHECK (why <> '')
);
CREATE INDEX deadline_changes ON deadline_change (deadline_id, id);
CREATE TRIGGER deadline_change_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON deadline_change
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
GRANT SELECT, INSERT ON deadline_change TO ebranch_app;
"""


async def forwards() -> MigrationManager:
    return sql_migration(ID, DESCRIPTION, SQL)
