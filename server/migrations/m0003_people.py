"""Places, organisations, people, accounts and sessions."""
from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from server.migrations import sql_migration

ID = "0003"
VERSION = "1.38.0"
DESCRIPTION = "units, organisations, people, accounts, sessions"

SQL = """
-- 单位目录树 (M3§6): the code tells 前村 of one township from another; the path is its codes from the province down.
CREATE TABLE unit (
    code text PRIMARY KEY,
    parent_code text CONSTRAINT unit_parent REFERENCES unit ON DELETE RESTRICT,
    level text NOT NULL CONSTRAINT unit_level CHECK (level IN ('province', 'city', 'county', 'township', 'village')),
    name text NOT NULL CONSTRAINT unit_name CHECK (name <> ''),
    official_name text NOT NULL CONSTRAINT unit_official_name CHECK (official_name <> ''),
    path text COLLATE "C" NOT NULL CONSTRAINT unit_path UNIQUE,
    CONSTRAINT unit_root CHECK ((level = 'province') = (parent_code IS NULL))
);
CREATE INDEX unit_children ON unit (parent_code, code);
GRANT SELECT ON unit TO ebranch_app;

-- 党组织结构目录树 (M5§4): path is '1/17/301/', its own id last, so that a subtree is one prefix.
CREATE TABLE organisation (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    parent_id bigint CONSTRAINT organisation_parent REFERENCES organisation ON DELETE RESTRICT,
    unit_code text NOT NULL CONSTRAINT organisation_unit REFERENCES unit ON DELETE RESTRICT,
    kind text NOT NULL CONSTRAINT organisation_kind CHECK
        (kind IN ('省委组织部', '市委组织部', '县委组织部', '基层党委', '党总支', '党支部', '党小组')),
    name text NOT NULL CONSTRAINT organisation_name CHECK (name <> ''),
    official_name text NOT NULL,
    path text COLLATE "C" NOT NULL CONSTRAINT organisation_path UNIQUE,
    committee_id bigint CONSTRAINT organisation_committee REFERENCES organisation ON DELETE RESTRICT,
    functional boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT ebranch_now(),
    closed_at timestamptz,
    CONSTRAINT organisation_root CHECK ((kind = '省委组织部') = (parent_id IS NULL))
);
CREATE INDEX organisation_children ON organisation (parent_id, id);
CREATE INDEX organisation_place ON organisation (unit_code);

CREATE FUNCTION organisation_place_in_tree() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE above organisation;
BEGIN
    SELECT * INTO above FROM organisation WHERE id = NEW.parent_id;
    NEW.path := coalesce(above.path, '') || NEW.id || '/';
    NEW.committee_id := CASE WHEN NEW.kind = '基层党委' THEN NEW.id ELSE above.committee_id END;
    RETURN NEW;
END $$;
CREATE TRIGGER organisation_place_in_tree BEFORE INSERT ON organisation
    FOR EACH ROW EXECUTE FUNCTION organisation_place_in_tree();

-- The path of the next level, to which what is overdue goes up. A general branch is no level: it decides nothing.
CREATE FUNCTION level_above(below bigint) RETURNS text LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
    WITH RECURSIVE above AS (
        SELECT a.* FROM organisation o JOIN organisation a ON a.id = o.parent_id WHERE o.id = below
        UNION ALL
        SELECT a.* FROM above JOIN organisation a ON a.id = above.parent_id WHERE above.kind = '党总支')
    SELECT path FROM above WHERE kind <> '党总支' $$;
GRANT SELECT ON organisation TO ebranch_app;

CREATE TABLE person (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL CONSTRAINT person_name CHECK (name <> ''),
    sort_key text COLLATE "C" NOT NULL,
    created_at timestamptz NOT NULL DEFAULT ebranch_now()
);
GRANT SELECT ON person TO ebranch_app;

-- 党员名册 (M2§4): one membership at a time; who has left stands in the branch's history.
CREATE TABLE member (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person_id bigint NOT NULL CONSTRAINT member_person REFERENCES person ON DELETE RESTRICT,
    branch_id bigint NOT NULL CONSTRAINT member_branch REFERENCES organisation ON DELETE RESTRICT,
    group_id bigint CONSTRAINT member_group REFERENCES organisation ON DELETE RESTRICT,
    standing text NOT NULL CONSTRAINT member_standing CHECK (standing IN ('正式党员', '预备党员')),
    since date NOT NULL,
    left_on date,
    CONSTRAINT member_dates CHECK (left_on >= since)
);
CREATE UNIQUE INDEX member_once ON member (person_id) WHERE left_on IS NULL;
CREATE INDEX member_branch_list ON member (branch_id) WHERE left_on IS NULL;
GRANT SELECT ON member TO ebranch_app;

-- 支部委员会: who holds which seat; rank orders them as they are named (书记 first).
CREATE TABLE seat (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    branch_id bigint NOT NULL CONSTRAINT seat_branch REFERENCES organisation ON DELETE RESTRICT,
    person_id bigint NOT NULL CONSTRAINT seat_person REFERENCES person ON DELETE RESTRICT,
    office text NOT NULL CONSTRAINT seat_office CHECK
        (office IN ('书记', '副书记', '组织委员', '宣传委员', '纪检委员', '委员')),
    rank int NOT NULL,
    since date NOT NULL,
    until date,
    CONSTRAINT seat_dates CHECK (until >= since)
);
CREATE UNIQUE INDEX seat_once ON seat (branch_id, person_id, office) WHERE until IS NULL;
CREATE UNIQUE INDEX seat_one_secretary ON seat (branch_id) WHERE until IS NULL AND office = '书记';
GRANT SELECT ON seat TO ebranch_app;

-- One person is one account; one phone number may serve two people.
CREATE TABLE account (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person_id bigint NOT NULL CONSTRAINT account_person REFERENCES person ON DELETE RESTRICT
        CONSTRAINT account_once UNIQUE,
    phone text NOT NULL CONSTRAINT account_phone CHECK (phone ~ '^1[3-9][0-9]{9}$'),
    password_hash text NOT NULL,
    large boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT ebranch_now(),
    closed_at timestamptz
);
CREATE INDEX account_by_phone ON account (phone);
GRANT SELECT, UPDATE (large) ON account TO ebranch_app;

CREATE TABLE role_grant (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id bigint NOT NULL CONSTRAINT role_grant_account REFERENCES account ON DELETE RESTRICT,
    role text NOT NULL,
    organisation_id bigint NOT NULL CONSTRAINT role_grant_organisation REFERENCES organisation ON DELETE RESTRICT,
    since timestamptz NOT NULL DEFAULT ebranch_now(),
    until timestamptz
);
CREATE UNIQUE INDEX role_grant_once ON role_grant (account_id, role, organisation_id) WHERE until IS NULL;
CREATE INDEX role_grant_at ON role_grant (organisation_id, role) WHERE until IS NULL;
GRANT SELECT ON role_grant TO ebranch_app;

-- Sessions: only the SHA-256 of the token is kept; a revoked one can't come back.
CREATE TABLE session (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    token_hash bytea NOT NULL CONSTRAINT session_token UNIQUE CONSTRAINT session_sha256 CHECK (length(token_hash) = 32),
    account_id bigint NOT NULL CONSTRAINT session_account REFERENCES account ON DELETE RESTRICT,
    grant_id bigint NOT NULL CONSTRAINT session_grant REFERENCES role_grant ON DELETE RESTRICT,
    device text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT ebranch_now(),
    used_at timestamptz NOT NULL DEFAULT ebranch_now(),
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz
);
CREATE INDEX session_of_account ON session (account_id) WHERE revoked_at IS NULL;
GRANT SELECT, INSERT, UPDATE (grant_id, used_at, revoked_at) ON session TO ebranch_app;

CREATE FUNCTION session_guard() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF OLD.revoked_at IS NOT NULL THEN
        RAISE EXCEPTION 'an ended session stays ended' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NEW.grant_id <> OLD.grant_id
            AND NOT EXISTS (SELECT FROM role_grant WHERE id = NEW.grant_id AND account_id = NEW.account_id) THEN
        RAISE EXCEPTION 'a session keeps to its own account' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER session_guard BEFORE UPDATE ON session FOR EACH ROW EXECUTE FUNCTION session_guard();

-- Half a sign-in: the password was right, the one-time code is awaited (G1.3.3). The code itself is derived from the
-- token and a key, and stored nowhere.
CREATE TABLE half_sign_in (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    token_hash bytea NOT NULL CONSTRAINT half_sign_in_token UNIQUE,
    account_id bigint NOT NULL CONSTRAINT half_sign_in_account REFERENCES account ON DELETE RESTRICT,
    expires_at timestamptz NOT NULL,
    tries int NOT NULL DEFAULT 0,
    used_at timestamptz
);
GRANT SELECT, INSERT, UPDATE ON half_sign_in TO ebranch_app;
"""


async def forwards() -> MigrationManager:
    return sql_migration(ID, DESCRIPTION, SQL)
