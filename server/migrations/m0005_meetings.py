"""Meetings, attendance, logs, their lock and their amendments (M2§6-7)."""
from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from server.migrations import sql_migration

ID = "0005"
VERSION = "1.38.0"
DESCRIPTION = "meetings, logs, amendments, versions, files"

SQL = """
ALTER TABLE deadline ADD CONSTRAINT deadline_organisation
    FOREIGN KEY (organisation_id) REFERENCES organisation ON DELETE RESTRICT;

CREATE TABLE file (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    place text NOT NULL CONSTRAINT file_place UNIQUE,
    name text NOT NULL,
    media_type text NOT NULL,
    size bigint NOT NULL CONSTRAINT file_size CHECK (size > 0),
    width int NOT NULL,
    height int NOT NULL,
    sha256_received bytea NOT NULL,
    sha256_stored bytea NOT NULL,
    uploaded_by bigint NOT NULL CONSTRAINT file_uploader REFERENCES person ON DELETE RESTRICT,
    at timestamptz NOT NULL DEFAULT ebranch_now()
);
GRANT SELECT, INSERT ON file TO ebranch_app;

-- Append-only versions of what may only be corrected, never overwritten.
CREATE TABLE version (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject_kind text NOT NULL,
    subject_id bigint NOT NULL,
    number int NOT NULL CONSTRAINT version_number CHECK (number > 0),
    content jsonb NOT NULL,
    difference jsonb NOT NULL,
    explanation_id bigint NOT NULL,
    why text NOT NULL CONSTRAINT version_why CHECK (why <> ''),
    account_id bigint NOT NULL CONSTRAINT version_account REFERENCES account ON DELETE RESTRICT,
    grant_id bigint NOT NULL CONSTRAINT version_grant REFERENCES role_grant ON DELETE RESTRICT,
    who text NOT NULL,
    at timestamptz NOT NULL DEFAULT ebranch_now(),
    CONSTRAINT version_once UNIQUE (subject_kind, subject_id, number)
);
CREATE TRIGGER version_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON version
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
GRANT SELECT, INSERT ON version TO ebranch_app;

CREATE TABLE meeting (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    branch_id bigint NOT NULL CONSTRAINT meeting_branch REFERENCES organisation ON DELETE RESTRICT,
    branch_path text COLLATE "C" NOT NULL,
    origin text NOT NULL CONSTRAINT meeting_origin CHECK (origin IN ('planned', 'held', 'late')),
    state text NOT NULL DEFAULT 'open' CONSTRAINT meeting_state CHECK (state IN ('open', 'cancelled')),
    kinds text[] NOT NULL CONSTRAINT meeting_kinds CHECK (cardinality(kinds) > 0 AND kinds <@ ARRAY[
        '支部党员大会', '支部委员会会议', '党小组会', '党课', '主题党日', '组织生活会', '民主评议党员', '其他']),
    topic text NOT NULL CONSTRAINT meeting_topic CHECK (topic <> ''),
    place text NOT NULL,
    begins_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    lock_at timestamptz NOT NULL,
    recorded_at timestamptz,
    reason text,
    version int NOT NULL DEFAULT 1,
    created_by bigint NOT NULL CONSTRAINT meeting_creator REFERENCES person ON DELETE RESTRICT,
    created_at timestamptz NOT NULL DEFAULT ebranch_now(),
    CONSTRAINT meeting_span CHECK (ends_at > begins_at),
    CONSTRAINT meeting_cancelled_says_why CHECK (state = 'open' OR reason <> '')
);
CREATE INDEX meeting_in_tree ON meeting (branch_path, begins_at, id);
CREATE INDEX meeting_of_branch ON meeting (branch_id, begins_at, id);
GRANT SELECT, INSERT, UPDATE ON meeting TO ebranch_app;

CREATE TABLE attendance (
    meeting_id bigint NOT NULL CONSTRAINT attendance_meeting REFERENCES meeting ON DELETE RESTRICT,
    person_id bigint NOT NULL CONSTRAINT attendance_person REFERENCES person ON DELETE RESTRICT,
    name text NOT NULL,
    place_in_list int NOT NULL,
    expected boolean NOT NULL DEFAULT true,
    reply text CONSTRAINT attendance_reply CHECK (reply IN ('参加', '请假')),
    reply_note text NOT NULL DEFAULT '',
    replied_at timestamptz,
    mark text CONSTRAINT attendance_mark CHECK (mark IN ('参加', '请假', '缺席', '列席')),
    how text CONSTRAINT attendance_how CHECK (how IN ('扫码', '数字码', '名单')),
    marked_at timestamptz,
    marked_by bigint CONSTRAINT attendance_marker REFERENCES person ON DELETE RESTRICT,
    scan bytea CONSTRAINT attendance_scan_once UNIQUE,
    PRIMARY KEY (meeting_id, person_id),
    CONSTRAINT attendance_mark_whole CHECK (num_nonnulls(mark, how, marked_at) IN (0, 3)),
    CONSTRAINT attendance_marked_by_another CHECK ((marked_by IS NOT NULL) = (how IS NOT NULL AND how = '名单'))
);
CREATE INDEX attendance_of_person ON attendance (person_id, meeting_id);
GRANT SELECT, INSERT, UPDATE ON attendance TO ebranch_app;

CREATE TABLE meeting_log (
    meeting_id bigint PRIMARY KEY CONSTRAINT meeting_log_meeting REFERENCES meeting ON DELETE RESTRICT,
    chair text NOT NULL DEFAULT '',
    recorder text NOT NULL DEFAULT '',
    guests text NOT NULL DEFAULT '',
    agenda text NOT NULL DEFAULT '',
    minutes text NOT NULL DEFAULT '',
    decisions text NOT NULL DEFAULT '',
    votes text NOT NULL DEFAULT '',
    version int NOT NULL DEFAULT 1,
    photos int NOT NULL DEFAULT 0, -- grows with every photograph added or removed: what was checked was this set
    written_by bigint NOT NULL CONSTRAINT meeting_log_writer REFERENCES person ON DELETE RESTRICT,
    written_at timestamptz NOT NULL DEFAULT ebranch_now()
);
GRANT SELECT, INSERT, UPDATE ON meeting_log TO ebranch_app;

CREATE TABLE log_photo (
    meeting_id bigint NOT NULL CONSTRAINT log_photo_meeting REFERENCES meeting ON DELETE RESTRICT,
    file_id bigint NOT NULL CONSTRAINT log_photo_file REFERENCES file ON DELETE RESTRICT,
    removed_at timestamptz,
    PRIMARY KEY (meeting_id, file_id)
);
GRANT SELECT, INSERT, UPDATE ON log_photo TO ebranch_app;

-- One officer's unsaved text; it vanishes when saved.
CREATE TABLE log_draft (
    meeting_id bigint NOT NULL CONSTRAINT log_draft_meeting REFERENCES meeting ON DELETE RESTRICT,
    person_id bigint NOT NULL CONSTRAINT log_draft_person REFERENCES person ON DELETE RESTRICT,
    log_version int NOT NULL,
    fields jsonb NOT NULL,
    saved_at timestamptz NOT NULL DEFAULT ebranch_now(),
    PRIMARY KEY (meeting_id, person_id)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON log_draft TO ebranch_app;

-- 审核把关 (M2§5): stands beside the log, so that it may come after the lock without touching it.
CREATE TABLE log_check (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    meeting_id bigint NOT NULL CONSTRAINT log_check_meeting REFERENCES meeting ON DELETE RESTRICT,
    log_version int NOT NULL,
    photos int NOT NULL DEFAULT 0,
    verdict text NOT NULL CONSTRAINT log_check_verdict CHECK (verdict IN ('审核通过', '审核不通过')),
    reason text NOT NULL,
    checked_by bigint NOT NULL CONSTRAINT log_check_checker REFERENCES person ON DELETE RESTRICT,
    who text NOT NULL,
    checked_at timestamptz NOT NULL DEFAULT ebranch_now(),
    CONSTRAINT log_check_once UNIQUE (meeting_id, log_version, photos),
    CONSTRAINT log_check_return_says_why CHECK (verdict = '审核通过' OR reason <> '')
);
GRANT SELECT, INSERT ON log_check TO ebranch_app;

-- 更改说明: the branch's explanation to its committee; for a late 补记 with the facts it proposes.
CREATE TABLE amendment (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    meeting_id bigint NOT NULL CONSTRAINT amendment_meeting REFERENCES meeting ON DELETE RESTRICT,
    explanation text NOT NULL CONSTRAINT amendment_explanation CHECK (explanation <> ''),
    proposal jsonb NOT NULL DEFAULT '{}',
    state text NOT NULL DEFAULT '待处理' CONSTRAINT amendment_state CHECK (state IN ('待处理', '已更改', '已退回')),
    explained_by bigint NOT NULL CONSTRAINT amendment_explainer REFERENCES person ON DELETE RESTRICT,
    who text NOT NULL,
    explained_at timestamptz NOT NULL DEFAULT ebranch_now(),
    answer text NOT NULL DEFAULT '',
    closed_by text,
    closed_at timestamptz,
    CONSTRAINT amendment_closed_whole CHECK ((state = '待处理') = (closed_at IS NULL AND closed_by IS NULL)),
    CONSTRAINT amendment_return_says_why CHECK (state <> '已退回' OR answer <> '')
);
CREATE UNIQUE INDEX amendment_one_open ON amendment (meeting_id) WHERE state = '待处理';
GRANT SELECT, INSERT, UPDATE (state, answer, closed_by, closed_at) ON amendment TO ebranch_app;

-- The lock. Its moment is computed here, from the calendar and the declared rule, whatever the application says.
CREATE FUNCTION log_lock_moment(event timestamptz) RETURNS timestamptz LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS
$$ SELECT working_deadline(event, (SELECT days FROM deadline_rule WHERE name = 'log_lock')) $$;

CREATE FUNCTION meeting_guard() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT path INTO STRICT NEW.branch_path FROM organisation WHERE id = NEW.branch_id;
        NEW.lock_at := log_lock_moment(NEW.ends_at);
        NEW.recorded_at := NULL;
        IF NEW.lock_at <= ebranch_clock() AND NEW.origin <> 'late' THEN
            RAISE EXCEPTION 'log locked' USING ERRCODE = 'EB001';
        END IF;
        IF NEW.origin <> 'planned' AND NEW.ends_at > ebranch_clock() THEN
            RAISE EXCEPTION 'not held yet' USING ERRCODE = 'EB002';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.lock_at <= ebranch_clock() THEN
        RAISE EXCEPTION 'log locked' USING ERRCODE = 'EB001';
    END IF;
    IF OLD.ends_at <= ebranch_clock() AND NEW.ends_at > OLD.ends_at THEN
        RAISE EXCEPTION 'a past end moves no later' USING ERRCODE = 'EB003';
    END IF;
    IF (NEW.branch_id, NEW.origin, NEW.created_by, NEW.created_at)
            IS DISTINCT FROM (OLD.branch_id, OLD.origin, OLD.created_by, OLD.created_at) THEN
        RAISE EXCEPTION 'a meeting keeps its branch and origin' USING ERRCODE = 'EB004';
    END IF;
    IF NEW.recorded_at IS NOT NULL AND (NEW.begins_at > ebranch_clock() OR NEW.state <> 'open') THEN
        RAISE EXCEPTION 'not held yet' USING ERRCODE = 'EB002';
    END IF;
    NEW.branch_path := OLD.branch_path;
    NEW.lock_at := log_lock_moment(NEW.ends_at);
    IF NEW.lock_at <= ebranch_clock() AND NEW.ends_at = OLD.ends_at THEN
        NEW.lock_at := OLD.lock_at;  -- a newly published working Saturday locks nothing in hindsight
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER meeting_guard BEFORE INSERT OR UPDATE ON meeting FOR EACH ROW EXECUTE FUNCTION meeting_guard();

CREATE FUNCTION log_guard() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE subject bigint := CASE WHEN TG_OP = 'DELETE' THEN OLD.meeting_id ELSE NEW.meeting_id END;
BEGIN
    IF (SELECT lock_at FROM meeting WHERE id = subject) <= ebranch_clock() THEN
        RAISE EXCEPTION 'log locked' USING ERRCODE = 'EB001';
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.meeting_id <> OLD.meeting_id THEN
        RAISE EXCEPTION 'a record stays with its meeting' USING ERRCODE = 'EB004';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER attendance_guard BEFORE INSERT OR UPDATE OR DELETE ON attendance
    FOR EACH ROW EXECUTE FUNCTION log_guard();
CREATE TRIGGER meeting_log_guard BEFORE INSERT OR UPDATE OR DELETE ON meeting_log
    FOR EACH ROW EXECUTE FUNCTION log_guard();
CREATE TRIGGER log_photo_guard BEFORE INSERT OR UPDATE OR DELETE ON log_photo
    FOR EACH ROW EXECUTE FUNCTION log_guard();

-- What a transaction changed before the lock must be committed before it.
CREATE FUNCTION committed_in_time() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE subject bigint := CASE TG_TABLE_NAME WHEN 'meeting' THEN (to_jsonb(NEW)->>'id')::bigint
                                             ELSE (to_jsonb(NEW)->>'meeting_id')::bigint END;
BEGIN
    IF (SELECT lock_at FROM meeting WHERE id = subject AND origin <> 'late') <= ebranch_clock() THEN
        RAISE EXCEPTION 'log locked' USING ERRCODE = 'EB001';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER meeting_log_in_time AFTER INSERT OR UPDATE ON meeting_log
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION committed_in_time();
CREATE CONSTRAINT TRIGGER log_photo_in_time AFTER INSERT OR UPDATE ON log_photo
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION committed_in_time();
CREATE CONSTRAINT TRIGGER meeting_in_time AFTER UPDATE ON meeting
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION committed_in_time();
CREATE CONSTRAINT TRIGGER attendance_in_time AFTER INSERT OR UPDATE ON attendance
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION committed_in_time();

-- An explanation begins open and is closed once; 已更改 only by a version.
CREATE FUNCTION amendment_guard() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> '待处理' THEN
            RAISE EXCEPTION 'an explanation begins open' USING ERRCODE = 'EB005';
        END IF;
        NEW.explained_at := ebranch_clock();
    ELSIF OLD.state <> '待处理' OR NEW.state = '已更改' AND NOT EXISTS (
            SELECT FROM version WHERE subject_kind = 'meeting_log' AND subject_id = OLD.meeting_id
            AND explanation_id = OLD.id) THEN
        RAISE EXCEPTION 'an explanation is closed once, by a version or with a reason' USING ERRCODE = 'EB005';
    ELSE
        NEW.closed_at := ebranch_clock();
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER amendment_guard BEFORE INSERT OR UPDATE ON amendment
    FOR EACH ROW EXECUTE FUNCTION amendment_guard();

-- After the lock only an appended version changes the log: of an open explanation, by a committee above the branch.
CREATE FUNCTION version_guard() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.subject_kind = 'meeting_log' AND NOT EXISTS (
        SELECT FROM amendment a
        JOIN meeting m ON m.id = a.meeting_id AND m.lock_at <= ebranch_clock()
        JOIN role_grant g ON g.id = NEW.grant_id AND g.account_id = NEW.account_id AND g.until IS NULL
            AND g.role = '党委管理员'
        JOIN organisation o ON o.id = g.organisation_id AND o.kind = '基层党委' AND o.closed_at IS NULL
            AND starts_with(m.branch_path, o.path)
        WHERE a.id = NEW.explanation_id AND a.meeting_id = NEW.subject_id AND a.state = '待处理'
    ) THEN
        RAISE EXCEPTION 'a locked log changes only by its committee, on an explanation' USING ERRCODE = 'EB005';
    END IF;
    IF NEW.number <> 1 + (SELECT coalesce(max(number), 0) FROM version
                          WHERE subject_kind = NEW.subject_kind AND subject_id = NEW.subject_id) THEN
        RAISE EXCEPTION 'versions are numbered one after the other' USING ERRCODE = 'EB005';
    END IF;
    NEW.at := ebranch_clock();
    RETURN NEW;
END $$;
CREATE TRIGGER version_guard BEFORE INSERT ON version FOR EACH ROW EXECUTE FUNCTION version_guard();
"""


async def forwards() -> MigrationManager:
    return sql_migration(ID, DESCRIPTION, SQL)
