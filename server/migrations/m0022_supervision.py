"""How villages keep to it, kept current as it happens; spot checks of the wall against what is online (M3§10-11)."""
from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from server.migrations import sql_migration

ID = "0022"
VERSION = "1.38.0"
DESCRIPTION = "figures of supervision, spot checks"

PARTS = ("running", "met", "late", "overdue", "ledger_overdue", "review_running", "review_met", "review_late",
         "review_overdue", "answer_running", "answer_met", "answer_late", "answer_overdue", "above_running",
         "above_met", "above_late", "above_overdue")
LISTS = {"rest": ", ".join(("month", *PARTS)), "figures": ", ".join(("village_code", "month", *PARTS)),
         "sums": ", ".join(f"sum({one})" for one in PARTS),
         "adds": ", ".join(f"{one} = v.{one} + EXCLUDED.{one}" for one in PARTS)}

SQL = """
-- How what fell due in a month was kept, by village and by township. What changes is written behind (kept_change), so
-- that nobody who publishes waits for another; a job folds it in. Both together are always what stands now.
CREATE TABLE village_month (
    village_code text NOT NULL CONSTRAINT village_month_village REFERENCES village ON DELETE RESTRICT,
    month date NOT NULL,
    running int NOT NULL DEFAULT 0, -- to be published, and still in time
    met int NOT NULL DEFAULT 0,
    late int NOT NULL DEFAULT 0,
    overdue int NOT NULL DEFAULT 0,
    ledger_overdue int NOT NULL DEFAULT 0, -- of the overdue ones, the ledgers: gaps in the months
    review_running int NOT NULL DEFAULT 0, -- the township's part
    review_met int NOT NULL DEFAULT 0,
    review_late int NOT NULL DEFAULT 0,
    review_overdue int NOT NULL DEFAULT 0,
    answer_running int NOT NULL DEFAULT 0, -- questions, asked of the village
    answer_met int NOT NULL DEFAULT 0,
    answer_late int NOT NULL DEFAULT 0,
    answer_overdue int NOT NULL DEFAULT 0,
    above_running int NOT NULL DEFAULT 0, -- questions about it, asked of its township or county
    above_met int NOT NULL DEFAULT 0,
    above_late int NOT NULL DEFAULT 0,
    above_overdue int NOT NULL DEFAULT 0,
    PRIMARY KEY (village_code, month)
);
CREATE TABLE township_month (LIKE village_month INCLUDING DEFAULTS);
ALTER TABLE township_month RENAME village_code TO township_code;
ALTER TABLE township_month ADD PRIMARY KEY (township_code, month),
    ADD CONSTRAINT township_month_unit FOREIGN KEY (township_code) REFERENCES unit ON DELETE RESTRICT;
CREATE TABLE kept_change (LIKE village_month INCLUDING DEFAULTS, id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
CREATE VIEW village_figure WITH (security_invoker) AS
    SELECT * FROM village_month UNION ALL SELECT {figures} FROM kept_change;
CREATE VIEW township_figure WITH (security_invoker) AS
    SELECT * FROM township_month UNION ALL SELECT left(village_code, 9), {rest} FROM kept_change;
GRANT SELECT ON village_month, township_month, kept_change, village_figure, township_figure TO ebranch_app;

-- Folds in the oldest changes, at most so many; how many. One at a time; who reads sees them once, before and after.
CREATE FUNCTION fold_kept(most int) RETURNS int LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp SECURITY DEFINER AS $$
DECLARE folded int;
BEGIN
    LOCK TABLE township_month IN SHARE ROW EXCLUSIVE MODE;
    WITH gone AS (
        DELETE FROM kept_change WHERE id IN (SELECT id FROM kept_change ORDER BY id LIMIT most) RETURNING *
    ), villages AS (
        INSERT INTO village_month AS v SELECT village_code, month, {sums} FROM gone GROUP BY village_code, month
        ON CONFLICT (village_code, month) DO UPDATE SET {adds}
    ), townships AS (
        INSERT INTO township_month AS v SELECT left(village_code, 9), month, {sums} FROM gone GROUP BY 1, month
        ON CONFLICT (township_code, month) DO UPDATE SET {adds}
    ) SELECT count(*) INTO folded FROM gone;
    RETURN folded;
END $$;
REVOKE EXECUTE ON FUNCTION fold_kept(int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION fold_kept(int) TO ebranch_app;

CREATE FUNCTION kept_as(d deadline) RETURNS text LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT CASE WHEN d.state IN ('met', 'late') THEN d.state
                WHEN d.state = 'open' THEN CASE WHEN d.overdue_at IS NULL AND NOT d.late_before
                                               THEN 'running' ELSE 'overdue' END END $$;

CREATE FUNCTION note_in_month(d deadline, by_how_many int) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp SECURITY DEFINER AS $$
DECLARE
    code text;
    ledger boolean := false;
    kept text := kept_as(d);
    part text := CASE d.rule WHEN 'disclosure_review' THEN 'review_' WHEN 'question_answer' THEN 'answer_' ELSE '' END;
    in_month date := date_trunc('month', (d.due_at - interval '1 second') AT TIME ZONE 'Asia/Shanghai');
BEGIN
    IF kept IS NULL THEN
        RETURN;
    END IF;
    IF d.subject_kind = 'duty' THEN
        SELECT y.village_code, i.form = '账目' INTO code, ledger FROM duty y JOIN catalogue_item i ON i.id = y.item_id
        WHERE y.id = d.subject_id;
    ELSIF d.subject_kind = 'edition' THEN
        SELECT m.village_code INTO code FROM edition e JOIN matter m ON m.id = e.matter_id WHERE e.id = d.subject_id;
    ELSE
        SELECT q.village_code, CASE WHEN q.asked_of = '村里' THEN part ELSE 'above_' END INTO code, part
        FROM question q WHERE q.id = d.subject_id;
    END IF;
    IF code IS NULL THEN
        RETURN;
    END IF;
    EXECUTE format('INSERT INTO kept_change (village_code, month, %I, ledger_overdue) VALUES ($1, $2, $3, $4)',
                   part || kept) USING code, in_month, by_how_many,
        CASE WHEN ledger AND kept = 'overdue' THEN by_how_many ELSE 0 END;
END $$;
REVOKE EXECUTE ON FUNCTION note_in_month(deadline, int) FROM PUBLIC;

CREATE FUNCTION deadline_noted() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp SECURITY DEFINER AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF (kept_as(OLD), OLD.due_at) IS NOT DISTINCT FROM (kept_as(NEW), NEW.due_at) THEN
            RETURN NULL;
        END IF;
        PERFORM note_in_month(OLD, -1);
    END IF;
    PERFORM note_in_month(NEW, 1);
    RETURN NULL;
END $$;
CREATE TRIGGER deadline_noted AFTER INSERT OR UPDATE ON deadline FOR EACH ROW
    WHEN (NEW.rule IN ('disclosure_publish', 'convenience', 'disclosure_review', 'question_answer'))
    EXECUTE FUNCTION deadline_noted();

-- 抽查: somebody stood before the wall. What was not the same is mended until it is closed (整改, 销号).
CREATE TABLE spot_check (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    village_code text NOT NULL CONSTRAINT spot_check_village REFERENCES village ON DELETE RESTRICT,
    organisation_id bigint NOT NULL CONSTRAINT spot_check_branch REFERENCES organisation ON DELETE RESTRICT,
    organisation_path text COLLATE "C" NOT NULL,
    matter_id bigint CONSTRAINT spot_check_matter REFERENCES matter ON DELETE RESTRICT,
    question_id bigint CONSTRAINT spot_check_question REFERENCES question ON DELETE RESTRICT, -- what led to it
    state text NOT NULL CONSTRAINT spot_check_state CHECK (state IN ('一致', '整改中', '待复核', '已销号')),
    finding text NOT NULL CONSTRAINT spot_check_finding CHECK (finding <> ''),
    mend_by date,
    by_id bigint NOT NULL CONSTRAINT spot_check_by REFERENCES organisation ON DELETE RESTRICT, -- whose check it is
    person_id bigint NOT NULL CONSTRAINT spot_check_person REFERENCES person ON DELETE RESTRICT,
    who text NOT NULL,
    at timestamptz NOT NULL DEFAULT ebranch_now(),
    closed_at timestamptz,
    CONSTRAINT spot_check_mended_by CHECK ((state = '一致') = (mend_by IS NULL)),
    CONSTRAINT spot_check_closed CHECK ((state IN ('一致', '已销号')) = (closed_at IS NOT NULL))
);
CREATE INDEX spot_check_in_tree ON spot_check (organisation_path, id);
CREATE INDEX spot_check_of_village ON spot_check (village_code, id);
GRANT SELECT, INSERT, UPDATE (state, closed_at, mend_by) ON spot_check TO ebranch_app;

CREATE TABLE spot_check_step (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    check_id bigint NOT NULL CONSTRAINT spot_check_step_check REFERENCES spot_check ON DELETE RESTRICT,
    kind text NOT NULL CONSTRAINT spot_check_step_kind CHECK (kind IN ('抽查', '整改', '退回', '销号')),
    text text NOT NULL CONSTRAINT spot_check_step_text CHECK (text <> ''),
    who text NOT NULL,
    at timestamptz NOT NULL DEFAULT ebranch_now()
);
CREATE INDEX spot_check_step_of ON spot_check_step (check_id, id);
CREATE TRIGGER spot_check_step_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON spot_check_step
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
GRANT SELECT, INSERT ON spot_check_step TO ebranch_app;
CREATE TABLE spot_check_file (
    step_id bigint NOT NULL CONSTRAINT spot_check_file_step REFERENCES spot_check_step ON DELETE RESTRICT,
    file_id bigint NOT NULL CONSTRAINT spot_check_file_file REFERENCES file ON DELETE RESTRICT,
    rank int NOT NULL,
    PRIMARY KEY (step_id, file_id)
);
CREATE INDEX spot_check_file_of_file ON spot_check_file (file_id);
GRANT SELECT, INSERT ON spot_check_file TO ebranch_app;

CREATE FUNCTION spot_check_guard() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT v.organisation_id, v.organisation_path INTO STRICT NEW.organisation_id, NEW.organisation_path
        FROM village v WHERE v.code = NEW.village_code;
    ELSIF OLD.closed_at IS NOT NULL THEN
        RAISE EXCEPTION 'what is closed stays closed' USING ERRCODE = 'EB013';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER spot_check_guard BEFORE INSERT OR UPDATE ON spot_check
    FOR EACH ROW EXECUTE FUNCTION spot_check_guard();

-- 催办: one grouped reminder a day for each village, whoever presses.
CREATE TABLE pressing (
    unit_code text NOT NULL CONSTRAINT pressing_unit REFERENCES unit ON DELETE RESTRICT,
    day date NOT NULL,
    who text NOT NULL,
    things int NOT NULL CONSTRAINT pressing_things CHECK (things > 0),
    at timestamptz NOT NULL DEFAULT ebranch_now(),
    PRIMARY KEY (unit_code, day)
);
GRANT SELECT, INSERT ON pressing TO ebranch_app;
"""


async def forwards() -> MigrationManager:
    written = SQL
    for name, columns in LISTS.items():
        written = written.replace(f"{{{name}}}", columns)
    return sql_migration(ID, DESCRIPTION, written)
