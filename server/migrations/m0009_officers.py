"""Officers' accounts: who grants which role where, the three duties kept apart, nominations, codes, imports."""
from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from server.migrations import sql_migration

ID = "0009"
VERSION = "1.38.0"
DESCRIPTION = "officers' accounts"

SQL = """
CREATE EXTENSION IF NOT EXISTS btree_gist;

-- Whether whoever asks is the owner, who migrates; the guards below are for everybody else.
CREATE FUNCTION asks_as_owner() RETURNS boolean LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS
$$ SELECT pg_has_role(current_user, relowner, 'USAGE') FROM pg_class WHERE oid = 'public.role_grant'::regclass $$;

-- The department in whose care an organisation is: the next one above it. A county's safety officer answers for the
-- county's townships and branches; the county itself is the city's care, and its own.
ALTER TABLE organisation ADD COLUMN department_id bigint
    CONSTRAINT organisation_department REFERENCES organisation ON DELETE RESTRICT;
CREATE FUNCTION is_department(kind text) RETURNS boolean LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, public, pg_temp AS
$$ SELECT kind IN ('省委组织部', '市委组织部', '县委组织部') $$;
UPDATE organisation o SET department_id = (
    SELECT a.id FROM organisation a WHERE is_department(a.kind) AND a.id <> o.id AND starts_with(o.path, a.path)
    ORDER BY length(a.path) DESC LIMIT 1);
CREATE INDEX organisation_in_care ON organisation (department_id, path);

CREATE OR REPLACE FUNCTION organisation_place_in_tree() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE above organisation;
BEGIN
    SELECT * INTO above FROM organisation WHERE id = NEW.parent_id;
    NEW.path := coalesce(above.path, '') || NEW.id || '/';
    NEW.committee_id := CASE WHEN NEW.kind = '基层党委' THEN NEW.id ELSE above.committee_id END;
    NEW.department_id := CASE WHEN is_department(above.kind) THEN above.id ELSE above.department_id END;
    RETURN NEW;
END $$;

-- Which roles there are at which kind of organisation, and where they come from.
CREATE TABLE role_place (
    role text NOT NULL,
    kind text NOT NULL,
    comes_from text NOT NULL CONSTRAINT role_place_source CHECK (comes_from IN ('安全员', '名册', '本村')),
    PRIMARY KEY (role, kind)
);
INSERT INTO role_place (kind, role, comes_from) VALUES
    ('省委组织部', '省级管理员', '安全员'), ('省委组织部', '安全员', '安全员'), ('省委组织部', '审计员', '安全员'),
    ('市委组织部', '市级管理员', '安全员'), ('市委组织部', '安全员', '安全员'), ('市委组织部', '审计员', '安全员'),
    ('县委组织部', '县级管理员', '安全员'), ('县委组织部', '安全员', '安全员'), ('县委组织部', '审计员', '安全员'),
    ('基层党委', '党委管理员', '安全员'), ('基层党委', '组织员', '安全员'),
    ('党支部', '书记', '安全员'), ('党支部', '组织委员', '安全员'), ('党支部', 'e支部管理员', '安全员'),
    ('党支部', '村（社区）管理员', '安全员'),
    ('党支部', '正式党员', '名册'), ('党支部', '预备党员', '名册'),
    ('党支部', '入党申请人', '本村'), ('党支部', '村民', '本村'), ('党支部', '村务监督委员会', '本村');
GRANT SELECT ON role_place TO ebranch_app;

-- The grants that make an officer, present and past: those a safety officer gives.
CREATE VIEW officer_grant AS
    SELECT g.id, g.account_id, o.id AS organisation_id, o.department_id,
           g.until IS NULL OR g.until > ebranch_now() AS live
    FROM role_grant g JOIN organisation o ON o.id = g.organisation_id
    JOIN role_place r ON (r.role, r.kind, r.comes_from) = (g.role, o.kind, '安全员');
GRANT SELECT ON officer_grant TO ebranch_app;

-- 三员分立: from county up administrator, safety officer and auditor are three persons, whatever the organisations.
CREATE FUNCTION duty_of(role text) RETURNS text LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, public, pg_temp AS
$$ SELECT CASE WHEN role IN ('省级管理员', '市级管理员', '县级管理员') THEN '管理员'
               WHEN role IN ('安全员', '审计员') THEN role END $$;

ALTER TABLE role_grant
    ADD COLUMN granted_by bigint CONSTRAINT role_grant_granter REFERENCES account ON DELETE RESTRICT,
    ADD COLUMN why text NOT NULL DEFAULT '',
    ADD COLUMN ended_by bigint CONSTRAINT role_grant_ender REFERENCES account ON DELETE RESTRICT,
    ADD COLUMN end_why text NOT NULL DEFAULT '',
    ADD COLUMN acting_for bigint CONSTRAINT role_grant_substituted REFERENCES account ON DELETE RESTRICT,
    ADD CONSTRAINT role_grant_span CHECK (until >= since),
    ADD CONSTRAINT role_grant_by_another CHECK (granted_by <> account_id),
    ADD CONSTRAINT role_grant_for_another CHECK (acting_for <> account_id),
    ADD CONSTRAINT role_grant_three_duties EXCLUDE USING gist
        (account_id WITH =, duty_of(role) WITH <>, tstzrange(since, until) WITH &&) WHERE (duty_of(role) IS NOT NULL),
    ADD CONSTRAINT role_grant_once_at_a_time EXCLUDE USING gist
        (account_id WITH =, organisation_id WITH =, role WITH =, tstzrange(since, until) WITH &&)
        WHERE (until IS NOT NULL);
CREATE INDEX role_grant_of_account ON role_grant (account_id);
CREATE INDEX role_grant_history ON role_grant (organisation_id, since);
GRANT INSERT (account_id, role, organisation_id, since, until, granted_by, why, acting_for),
      UPDATE (until, ended_by, end_why) ON role_grant TO ebranch_app;

ALTER TABLE account
    ALTER COLUMN password_hash DROP NOT NULL, -- not activated yet
    ADD COLUMN switched_by bigint CONSTRAINT account_switcher REFERENCES account ON DELETE RESTRICT,
    ADD COLUMN switch_why text NOT NULL DEFAULT '';
GRANT INSERT (id, person_id), UPDATE (password_hash, closed_at, switched_by, switch_why) ON account TO ebranch_app;

-- Whether an account is, now, the safety officer of the department that has this organisation in its care.
CREATE FUNCTION safety_officer_of(officer bigint, place bigint) RETURNS boolean LANGUAGE sql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM organisation o
        JOIN role_grant g ON g.organisation_id IN (o.id, o.department_id) AND g.account_id = officer
            AND g.role = '安全员' AND g.since <= ebranch_clock() AND (g.until IS NULL OR g.until > ebranch_clock())
        JOIN organisation d ON d.id = g.organisation_id AND d.closed_at IS NULL AND is_department(d.kind)
        JOIN account a ON a.id = officer AND a.closed_at IS NULL
        WHERE o.id = place) $$;

-- Whether a safety officer may close an account: it is an officer's, and all of its officer's roles are in his care; or
-- it is no officer's (any more), and something it is or was is in his care.
CREATE FUNCTION safety_officer_covers(officer bigint, subject bigint) RETURNS boolean LANGUAGE sql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
    WITH role AS (
        SELECT safety_officer_of(officer, o.id) AS in_care,
            p.comes_from = '安全员' AND (g.until IS NULL OR g.until > ebranch_clock()) AS officers
        FROM role_grant g JOIN organisation o ON o.id = g.organisation_id
        JOIN role_place p ON (p.role, p.kind) = (g.role, o.kind) WHERE g.account_id = subject)
    SELECT officer <> subject
        AND EXISTS (SELECT FROM role WHERE in_care AND (officers OR NOT EXISTS (SELECT FROM role WHERE officers)))
        AND NOT EXISTS (SELECT FROM role WHERE officers AND NOT in_care) $$;

-- Whether somebody whose account is open, activated and not `leaving`'s is the department's safety officer for good:
-- a time-limited grant runs out by itself. One leaves after the other, so that the last two can't leave at once.
CREATE FUNCTION keeps_safety_officer(department bigint, leaving bigint) RETURNS boolean LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('safety officers of ' || department, 0));
    RETURN EXISTS (
        SELECT FROM role_grant g JOIN account a ON a.id = g.account_id
        WHERE g.organisation_id = department AND g.role = '安全员' AND g.since <= ebranch_clock() AND g.until IS NULL
          AND a.id <> leaving AND a.closed_at IS NULL AND a.password_hash IS NOT NULL);
END $$;

-- From the register come 正式党员 and 预备党员, to whoever is one there.
CREATE FUNCTION stands_in_register(subject bigint, place bigint, as_role text) RETURNS boolean LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM account a JOIN member m ON m.person_id = a.person_id AND m.left_on IS NULL
                   WHERE a.id = subject AND m.branch_id = place AND m.standing = as_role) $$;

CREATE FUNCTION role_grant_guard() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE source text; leaver account;
BEGIN
    IF asks_as_owner() THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF OLD.until <= ebranch_clock() THEN
            RAISE EXCEPTION 'what has ended stays ended' USING ERRCODE = 'EB013';
        END IF;
        IF NEW.until IS NULL OR NEW.until > OLD.until THEN
            RAISE EXCEPTION 'a grant is only ever shortened' USING ERRCODE = 'EB013';
        END IF;
        NEW.until := greatest(NEW.until, ebranch_clock(), OLD.since);
        SELECT comes_from INTO source FROM role_place p JOIN organisation o ON o.kind = p.kind
            WHERE o.id = OLD.organisation_id AND p.role = OLD.role;
        IF NOT (coalesce(safety_officer_of(NEW.ended_by, OLD.organisation_id), false) AND source = '安全员'
                OR source = '名册' AND NOT stands_in_register(OLD.account_id, OLD.organisation_id, OLD.role)) THEN
            RAISE EXCEPTION 'a role is ended by the safety officer in charge' USING ERRCODE = 'EB011';
        END IF;
        SELECT * INTO leaver FROM account WHERE id = OLD.account_id;
        IF OLD.role = '安全员' AND OLD.until IS NULL AND leaver.closed_at IS NULL AND leaver.password_hash IS NOT NULL
                AND NOT keeps_safety_officer(OLD.organisation_id, OLD.account_id) THEN
            RAISE EXCEPTION 'the last safety officer stays' USING ERRCODE = 'EB012';
        END IF;
        RETURN NEW;
    END IF;
    NEW.since := greatest(NEW.since, ebranch_clock());
    SELECT p.comes_from INTO source FROM role_place p JOIN organisation o ON o.kind = p.kind
        WHERE o.id = NEW.organisation_id AND o.closed_at IS NULL AND p.role = NEW.role;
    IF source IS NULL OR source = '本村' THEN
        RAISE EXCEPTION 'there is no such role at this organisation' USING ERRCODE = 'EB014';
    END IF;
    IF source = '安全员' AND NOT coalesce(safety_officer_of(NEW.granted_by, NEW.organisation_id), false)
            OR source = '名册' AND NOT stands_in_register(NEW.account_id, NEW.organisation_id, NEW.role) THEN
        RAISE EXCEPTION 'a role is granted by the safety officer in charge' USING ERRCODE = 'EB011';
    END IF;
    IF NEW.role = '安全员' AND NEW.until IS NOT NULL
            AND NOT keeps_safety_officer(NEW.organisation_id, NEW.account_id) THEN
        RAISE EXCEPTION 'a safety officer for a time stands beside a lasting one' USING ERRCODE = 'EB012';
    END IF;
    IF NEW.acting_for IS NOT NULL AND NOT EXISTS (
            SELECT FROM role_grant g WHERE g.account_id = NEW.acting_for AND g.role = NEW.role
            AND g.organisation_id = NEW.organisation_id AND (g.until IS NULL OR g.until > ebranch_clock())) THEN
        RAISE EXCEPTION 'one acts for somebody who holds the role' USING ERRCODE = 'EB014';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER role_grant_guard BEFORE INSERT OR UPDATE ON role_grant
    FOR EACH ROW EXECUTE FUNCTION role_grant_guard();

CREATE FUNCTION account_guard() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE department bigint;
BEGIN
    IF asks_as_owner() THEN
        RETURN NEW;
    END IF;
    IF OLD.password_hash IS NOT NULL AND NEW.password_hash IS NULL THEN
        RAISE EXCEPTION 'an activated account stays activated' USING ERRCODE = 'EB013';
    END IF;
    IF (NEW.closed_at IS NULL) = (OLD.closed_at IS NULL) THEN
        NEW.closed_at := OLD.closed_at;
        RETURN NEW;
    END IF;
    IF NOT coalesce(safety_officer_covers(NEW.switched_by, OLD.id), false) THEN
        RAISE EXCEPTION 'an account is closed and opened by the safety officer in charge' USING ERRCODE = 'EB011';
    END IF;
    IF NEW.closed_at IS NULL THEN
        RETURN NEW;
    END IF;
    NEW.closed_at := ebranch_clock();
    FOR department IN SELECT organisation_id FROM role_grant WHERE account_id = OLD.id AND role = '安全员'
            AND until IS NULL AND OLD.password_hash IS NOT NULL ORDER BY organisation_id LOOP
        IF NOT keeps_safety_officer(department, OLD.id) THEN
            RAISE EXCEPTION 'the last safety officer stays' USING ERRCODE = 'EB012';
        END IF;
    END LOOP;
    RETURN NEW;
END $$;
CREATE TRIGGER account_guard BEFORE UPDATE ON account FOR EACH ROW EXECUTE FUNCTION account_guard();

-- 上报: from below to the safety officer. ID number and phone as in the register: encrypted, found by a blind index.
CREATE TABLE nomination (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL CONSTRAINT nomination_organisation REFERENCES organisation ON DELETE RESTRICT,
    role text NOT NULL,
    name text NOT NULL CONSTRAINT nomination_name CHECK (name <> ''),
    id_number bytea NOT NULL,
    id_number_index bytea NOT NULL CONSTRAINT nomination_id_number_index CHECK (length(id_number_index) = 32),
    phone bytea NOT NULL,
    reason text NOT NULL CONSTRAINT nomination_reason CHECK (reason <> ''),
    state text NOT NULL DEFAULT '待开通' CONSTRAINT nomination_state
        CHECK (state IN ('待开通', '已开通', '已退回', '已撤回')),
    nominated_by bigint NOT NULL CONSTRAINT nomination_nominator REFERENCES account ON DELETE RESTRICT,
    nominated_at_id bigint NOT NULL CONSTRAINT nomination_from REFERENCES organisation ON DELETE RESTRICT,
    who text NOT NULL,
    nominated_at timestamptz NOT NULL DEFAULT ebranch_now(),
    answer text NOT NULL DEFAULT '',
    answered_by bigint CONSTRAINT nomination_answerer REFERENCES account ON DELETE RESTRICT,
    answered_who text,
    answered_at timestamptz,
    account_id bigint CONSTRAINT nomination_account REFERENCES account ON DELETE RESTRICT,
    CONSTRAINT nomination_answered_whole
        CHECK ((state = '待开通') = (answered_by IS NULL AND answered_who IS NULL AND answered_at IS NULL)),
    CONSTRAINT nomination_return_says_why CHECK (state <> '已退回' OR answer <> ''),
    CONSTRAINT nomination_opened_for_somebody CHECK ((state = '已开通') = (account_id IS NOT NULL))
);
CREATE UNIQUE INDEX nomination_once ON nomination (organisation_id, role, id_number_index) WHERE state = '待开通';
CREATE INDEX nomination_waiting ON nomination (organisation_id) WHERE state = '待开通';
CREATE INDEX nomination_reported ON nomination (nominated_at_id, id);
GRANT SELECT, INSERT, UPDATE (state, answer, answered_by, answered_who, answered_at, account_id,
    id_number, id_number_index, phone) ON nomination TO ebranch_app;
CREATE FUNCTION nomination_guard() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF asks_as_owner() THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'INSERT' AND (NEW.state <> '待开通' OR NOT EXISTS (
            SELECT FROM role_place p JOIN organisation o ON o.kind = p.kind AND o.closed_at IS NULL
            WHERE o.id = NEW.organisation_id AND p.role = NEW.role AND p.comes_from = '安全员')) THEN
        RAISE EXCEPTION 'a nomination begins open, for a role there is' USING ERRCODE = 'EB014';
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.state <> '待开通' AND NEW.state IS DISTINCT FROM OLD.state THEN
        RAISE EXCEPTION 'a nomination is answered once' USING ERRCODE = 'EB013';
    END IF;
    IF NEW.state = '已开通' AND TG_OP = 'UPDATE' AND OLD.state = '待开通' AND NOT EXISTS (
            SELECT FROM role_grant WHERE account_id = NEW.account_id AND role = NEW.role
            AND organisation_id = NEW.organisation_id AND (until IS NULL OR until > ebranch_clock())) THEN
        RAISE EXCEPTION 'opened is who holds the role' USING ERRCODE = 'EB014';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER nomination_guard BEFORE INSERT OR UPDATE ON nomination
    FOR EACH ROW EXECUTE FUNCTION nomination_guard();

-- 授权码 (G2.1): one that is good at a time; only its HMAC is kept.
CREATE TABLE authorisation (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id bigint NOT NULL CONSTRAINT authorisation_account REFERENCES account ON DELETE RESTRICT,
    code_hash bytea NOT NULL CONSTRAINT authorisation_hmac CHECK (length(code_hash) = 32),
    issued_at timestamptz NOT NULL DEFAULT ebranch_now(),
    expires_at timestamptz NOT NULL,
    issued_by bigint NOT NULL CONSTRAINT authorisation_issuer REFERENCES account ON DELETE RESTRICT,
    used_at timestamptz,
    replaced_at timestamptz,
    asked_again_at timestamptz,
    CONSTRAINT authorisation_span CHECK (expires_at > issued_at),
    CONSTRAINT authorisation_used_or_replaced CHECK (num_nonnulls(used_at, replaced_at) < 2)
);
CREATE UNIQUE INDEX authorisation_one_good ON authorisation (account_id) WHERE used_at IS NULL AND replaced_at IS NULL;
CREATE INDEX authorisation_history ON authorisation (account_id, id);
GRANT SELECT, INSERT (account_id, code_hash, issued_at, expires_at, issued_by),
      UPDATE (used_at, replaced_at, asked_again_at) ON authorisation TO ebranch_app;
CREATE FUNCTION authorisation_guard() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF asks_as_owner() THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'INSERT' AND NOT EXISTS (
            SELECT FROM account a JOIN role_grant g ON g.account_id = a.id
                AND (g.until IS NULL OR g.until > ebranch_clock())
            WHERE a.id = NEW.account_id AND a.closed_at IS NULL AND a.password_hash IS NULL
              AND safety_officer_of(NEW.issued_by, g.organisation_id)) THEN
        RAISE EXCEPTION 'a code is issued by the safety officer in charge' USING ERRCODE = 'EB011';
    END IF;
    IF TG_OP = 'UPDATE' AND ((OLD.used_at IS NOT NULL AND NEW.used_at IS DISTINCT FROM OLD.used_at)
            OR (OLD.replaced_at IS NOT NULL
                AND (NEW.replaced_at IS DISTINCT FROM OLD.replaced_at OR NEW.used_at IS NOT NULL))
            OR (NEW.used_at IS NOT NULL AND OLD.used_at IS NULL AND OLD.expires_at <= ebranch_clock())) THEN
        RAISE EXCEPTION 'a code is good once, and only while it lasts' USING ERRCODE = 'EB013';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER authorisation_guard BEFORE INSERT OR UPDATE ON authorisation
    FOR EACH ROW EXECUTE FUNCTION authorisation_guard();

-- An .xlsx of officers: its rows wait here, encrypted, until each has been opened or told what is wrong with it.
CREATE TABLE officer_import (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    department_id bigint NOT NULL CONSTRAINT officer_import_department REFERENCES organisation ON DELETE RESTRICT,
    grant_id bigint NOT NULL CONSTRAINT officer_import_grant REFERENCES role_grant ON DELETE RESTRICT,
    account_id bigint NOT NULL CONSTRAINT officer_import_account REFERENCES account ON DELETE RESTRICT,
    begun_by bigint NOT NULL CONSTRAINT officer_import_beginner REFERENCES account ON DELETE RESTRICT,
    who text NOT NULL,
    source text NOT NULL, -- where the request came from, for the evidence of each row
    file_name text NOT NULL,
    sha256 bytea NOT NULL CONSTRAINT officer_import_sha256 CHECK (length(sha256) = 32),
    why text NOT NULL CONSTRAINT officer_import_why CHECK (why <> ''),
    state text NOT NULL DEFAULT '导入中'
        CONSTRAINT officer_import_state CHECK (state IN ('导入中', '已暂停', '已完成')),
    turn int NOT NULL DEFAULT 0,
    total int NOT NULL CONSTRAINT officer_import_total CHECK (total > 0),
    opened int NOT NULL DEFAULT 0,
    known int NOT NULL DEFAULT 0,
    wrong int NOT NULL DEFAULT 0,
    at timestamptz NOT NULL DEFAULT ebranch_now(),
    done_at timestamptz,
    CONSTRAINT officer_import_done CHECK ((state = '已完成') = (done_at IS NOT NULL)),
    CONSTRAINT officer_import_counts CHECK (opened + known + wrong <= total)
);
CREATE UNIQUE INDEX officer_import_under_way_once ON officer_import (department_id, sha256) WHERE state <> '已完成';
CREATE INDEX officer_import_of_department ON officer_import (department_id, id);
GRANT SELECT, INSERT, UPDATE (state, turn, opened, known, wrong, done_at, grant_id, account_id, who, source)
    ON officer_import TO ebranch_app;
CREATE TABLE officer_import_row (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    import_id bigint NOT NULL CONSTRAINT officer_import_row_import REFERENCES officer_import ON DELETE RESTRICT,
    number int NOT NULL, -- as the sheet counts
    content bytea, -- the cells, encrypted; emptied when what they say stands in the register
    state text NOT NULL DEFAULT '待导入' CONSTRAINT officer_import_row_state
        CHECK (state IN ('待导入', '已开通', '已有', '有误')),
    reason text NOT NULL DEFAULT '',
    account_id bigint CONSTRAINT officer_import_row_account REFERENCES account ON DELETE RESTRICT,
    CONSTRAINT officer_import_row_once UNIQUE (import_id, number),
    CONSTRAINT officer_import_row_wrong_says_why CHECK (state <> '有误' OR reason <> '')
);
CREATE INDEX officer_import_row_waiting ON officer_import_row (import_id, number) WHERE state = '待导入';
CREATE INDEX officer_import_row_wrong ON officer_import_row (import_id, number) WHERE state = '有误';
GRANT SELECT, INSERT, UPDATE (content, state, reason, account_id) ON officer_import_row TO ebranch_app;
GRANT USAGE ON SEQUENCE account_id_seq, nomination_id_seq, officer_import_row_id_seq TO ebranch_app;
"""


async def forwards() -> MigrationManager:
    return sql_migration(ID, DESCRIPTION, SQL)
