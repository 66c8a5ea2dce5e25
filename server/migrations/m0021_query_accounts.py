"""查询账号 (M3§9): who reads a village's books without being a member; households, applications, imports, the look."""
from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from server.migrations import sql_migration

ID = "0021"
VERSION = "1.38.0"
DESCRIPTION = "query accounts"

SQL = """
-- One query account at a village. The account is the person's one account, the grant what lets it read; members of the
-- Party read by their membership and have no row here.
CREATE TABLE reader (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    village_code text NOT NULL CONSTRAINT reader_village REFERENCES village ON DELETE RESTRICT,
    organisation_path text COLLATE "C" NOT NULL,
    person_id bigint NOT NULL CONSTRAINT reader_person REFERENCES person ON DELETE RESTRICT,
    grant_id bigint NOT NULL CONSTRAINT reader_grant REFERENCES role_grant ON DELETE RESTRICT
        CONSTRAINT reader_grant_once UNIQUE,
    standing text NOT NULL CONSTRAINT reader_standing CHECK
        (standing IN ('两委成员', '监督委员会成员', '小组长', '代表', '村（居）民')),
    household boolean NOT NULL DEFAULT false, -- for the household, whose members are listed
    how text NOT NULL CONSTRAINT reader_how CHECK (how IN ('导入', '名单', '申请', '演示')),
    who text NOT NULL,
    opened_at timestamptz NOT NULL DEFAULT ebranch_now(),
    confirmed_on date NOT NULL DEFAULT (ebranch_now() AT TIME ZONE 'Asia/Shanghai')::date, -- last looked at
    ended_at timestamptz,
    end_why text,
    CONSTRAINT reader_ended CHECK ((ended_at IS NULL) = (end_why IS NULL))
);
CREATE UNIQUE INDEX reader_once ON reader (village_code, person_id) WHERE ended_at IS NULL;
CREATE INDEX reader_of_village ON reader (village_code, id) WHERE ended_at IS NULL;
GRANT SELECT, INSERT, UPDATE (standing, household, confirmed_on, ended_at, end_why) ON reader TO ebranch_app;

-- 家人代看: who of a household is read for; each can be taken off by the household or the village.
CREATE TABLE household_member (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reader_id bigint NOT NULL CONSTRAINT household_member_reader REFERENCES reader ON DELETE RESTRICT,
    name text NOT NULL CONSTRAINT household_member_name CHECK (name <> ''),
    relation text NOT NULL,
    at timestamptz NOT NULL DEFAULT ebranch_now(),
    ended_at timestamptz,
    end_who text
);
CREATE INDEX household_member_of ON household_member (reader_id, id);
GRANT SELECT, INSERT, UPDATE (ended_at, end_who) ON household_member TO ebranch_app;

-- Who applies says who he is; all of it encrypted. A village that has not been opened yet answers once it is.
CREATE TABLE reader_application (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    village_code text NOT NULL CONSTRAINT reader_application_unit REFERENCES unit ON DELETE RESTRICT,
    id_number bytea NOT NULL,
    id_number_index bytea NOT NULL,
    content bytea NOT NULL, -- name, phone, household's members
    household boolean NOT NULL,
    others int NOT NULL DEFAULT 0, -- how often the same ID number came with another phone while this one waits
    state text NOT NULL DEFAULT '待核实'
        CONSTRAINT reader_application_state CHECK (state IN ('待核实', '已开通', '不同意')),
    at timestamptz NOT NULL DEFAULT ebranch_now(),
    answer text NOT NULL DEFAULT '',
    answer_who text,
    answer_at timestamptz,
    reader_id bigint CONSTRAINT reader_application_reader REFERENCES reader ON DELETE RESTRICT,
    CONSTRAINT reader_application_answered CHECK ((state = '待核实') = (answer_who IS NULL)),
    CONSTRAINT reader_application_refusal_says_why CHECK (state <> '不同意' OR answer <> ''),
    CONSTRAINT reader_application_opened CHECK ((state = '已开通') = (reader_id IS NOT NULL))
);
CREATE UNIQUE INDEX reader_application_one_open ON reader_application (village_code, id_number_index)
    WHERE state = '待核实';
CREATE INDEX reader_application_of_village ON reader_application (village_code, id);
GRANT SELECT, INSERT, UPDATE (state, answer, answer_who, answer_at, reader_id, others) ON reader_application
    TO ebranch_app;
GRANT USAGE ON SEQUENCE reader_application_id_seq TO ebranch_app;

CREATE TABLE reader_import (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL CONSTRAINT reader_import_organisation REFERENCES organisation ON DELETE RESTRICT,
    grant_id bigint NOT NULL CONSTRAINT reader_import_grant REFERENCES role_grant ON DELETE RESTRICT,
    account_id bigint NOT NULL CONSTRAINT reader_import_account REFERENCES account ON DELETE RESTRICT,
    who text NOT NULL,
    source text NOT NULL,
    file_name text NOT NULL,
    sha256 bytea NOT NULL CONSTRAINT reader_import_sha256 CHECK (length(sha256) = 32),
    state text NOT NULL DEFAULT '导入中' CONSTRAINT reader_import_state CHECK (state IN ('导入中', '已暂停', '已完成')),
    turn int NOT NULL DEFAULT 0,
    total int NOT NULL CONSTRAINT reader_import_total CHECK (total > 0),
    opened int NOT NULL DEFAULT 0,
    known int NOT NULL DEFAULT 0,
    wrong int NOT NULL DEFAULT 0,
    at timestamptz NOT NULL DEFAULT ebranch_now(),
    done_at timestamptz,
    CONSTRAINT reader_import_done CHECK ((state = '已完成') = (done_at IS NOT NULL)),
    CONSTRAINT reader_import_counts CHECK (opened + known + wrong <= total)
);
CREATE UNIQUE INDEX reader_import_under_way_once ON reader_import (organisation_id, sha256) WHERE state <> '已完成';
CREATE INDEX reader_import_of_organisation ON reader_import (organisation_id, id);
GRANT SELECT, INSERT, UPDATE (state, turn, opened, known, wrong, done_at, grant_id, account_id, who, source)
    ON reader_import TO ebranch_app;
CREATE TABLE reader_import_row (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    import_id bigint NOT NULL CONSTRAINT reader_import_row_import REFERENCES reader_import ON DELETE RESTRICT,
    number int NOT NULL, -- as the sheet counts
    content bytea, -- the cells, encrypted; emptied when what they say stands in the register
    state text NOT NULL DEFAULT '待导入' CONSTRAINT reader_import_row_state
        CHECK (state IN ('待导入', '已开通', '已有', '有误')),
    reason text NOT NULL DEFAULT '',
    CONSTRAINT reader_import_row_once UNIQUE (import_id, number),
    CONSTRAINT reader_import_row_wrong_says_why CHECK (state <> '有误' OR reason <> '')
);
CREATE INDEX reader_import_row_waiting ON reader_import_row (import_id, number) WHERE state = '待导入';
CREATE INDEX reader_import_row_wrong ON reader_import_row (import_id, number) WHERE state = '有误';
GRANT SELECT, INSERT, UPDATE (content, state, reason) ON reader_import_row TO ebranch_app;
GRANT USAGE ON SEQUENCE reader_import_row_id_seq TO ebranch_app;

-- The roles of query accounts, and who keeps them: the village's administrator, or the township's for it.
CREATE FUNCTION is_reader_role(role text) RETURNS boolean LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, public, pg_temp AS $$ SELECT role IN ('村民', '村务监督委员会') $$;

CREATE FUNCTION keeps_readers_of(officer bigint, place bigint) RETURNS boolean LANGUAGE sql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM organisation o JOIN role_grant g ON g.account_id = officer
            AND (g.organisation_id = o.id AND g.role IN ('村（社区）管理员', '书记', '组织委员', 'e支部管理员')
                 OR g.organisation_id = o.committee_id AND g.role = '党委管理员')
            AND g.since <= ebranch_clock() AND (g.until IS NULL OR g.until > ebranch_clock())
        JOIN account a ON a.id = officer AND a.closed_at IS NULL
        WHERE o.id = place AND EXISTS (SELECT FROM village v WHERE v.organisation_id = o.id)) $$;

CREATE OR REPLACE FUNCTION role_grant_guard() RETURNS trigger LANGUAGE plpgsql
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
                OR source = '名册' AND NOT stands_in_register(OLD.account_id, OLD.organisation_id, OLD.role)
                OR source = '本村' AND coalesce(keeps_readers_of(NEW.ended_by, OLD.organisation_id), false)) THEN
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
    IF source IS NULL OR source = '本村' AND NOT is_reader_role(NEW.role) THEN
        RAISE EXCEPTION 'there is no such role at this organisation' USING ERRCODE = 'EB014';
    END IF;
    IF source = '本村' AND NOT coalesce(keeps_readers_of(NEW.granted_by, NEW.organisation_id), false)
            OR source = '安全员' AND NOT coalesce(safety_officer_of(NEW.granted_by, NEW.organisation_id), false)
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

-- Who leaves a branch's register loses what he held by standing in it, its village's books among that (M3§9).
CREATE FUNCTION member_left() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp SECURITY DEFINER AS $$
BEGIN
    UPDATE role_grant g SET until = ebranch_clock(), end_why = '已不在本支部'
    FROM account a, organisation o, role_place p
    WHERE a.person_id = NEW.person_id AND g.account_id = a.id AND g.organisation_id = NEW.branch_id
      AND (g.until IS NULL OR g.until > ebranch_clock()) AND o.id = g.organisation_id
      AND p.kind = o.kind AND p.role = g.role AND p.comes_from = '名册'
      AND NOT stands_in_register(g.account_id, g.organisation_id, g.role);
    RETURN NULL;
END $$;
CREATE TRIGGER member_left AFTER UPDATE OF left_on ON member FOR EACH ROW
    WHEN (NEW.left_on IS NOT NULL) EXECUTE FUNCTION member_left();
"""


async def forwards() -> MigrationManager:
    return sql_migration(ID, DESCRIPTION, SQL)
