"""公开事项: matters, their editions, files, signatures and reviews (M3§8)."""
from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from server.migrations import sql_migration

ID = "0017"
VERSION = "1.38.0"
DESCRIPTION = "matters, editions, signatures, reviews, withdrawals"

SQL = """
-- 公开事项. What readers see of it is its newest published edition; `title`, `audience`, `published_at` are that one's.
CREATE TABLE matter (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    village_code text NOT NULL CONSTRAINT matter_village REFERENCES village ON DELETE RESTRICT,
    organisation_id bigint NOT NULL CONSTRAINT matter_organisation REFERENCES organisation ON DELETE RESTRICT,
    organisation_path text COLLATE "C" NOT NULL,
    duty_id bigint NOT NULL CONSTRAINT matter_duty REFERENCES duty ON DELETE RESTRICT,
    category text NOT NULL,
    form text NOT NULL,
    audience text NOT NULL,
    title text NOT NULL DEFAULT '',
    edition_id bigint, -- the published one
    published_at timestamptz,
    withdrawn_at timestamptz,
    withdrawn_why text,
    created_by bigint NOT NULL CONSTRAINT matter_creator REFERENCES person ON DELETE RESTRICT,
    created_at timestamptz NOT NULL DEFAULT ebranch_now(),
    CONSTRAINT matter_published CHECK ((edition_id IS NULL) = (published_at IS NULL)),
    CONSTRAINT matter_withdrawn CHECK ((withdrawn_at IS NULL) = (withdrawn_why IS NULL)
        AND (withdrawn_at IS NULL OR edition_id IS NOT NULL))
);
CREATE INDEX matter_of_duty ON matter (duty_id);
CREATE UNIQUE INDEX matter_once ON matter (duty_id) WHERE withdrawn_at IS NULL; -- what was taken down is published anew
CREATE INDEX matter_published_of_village ON matter (village_code, published_at DESC, id DESC)
    WHERE published_at IS NOT NULL;
GRANT SELECT, INSERT, UPDATE (title, form, audience, edition_id, published_at, withdrawn_at, withdrawn_why) ON matter
    TO ebranch_app;
GRANT USAGE ON SEQUENCE matter_id_seq TO ebranch_app;

-- One text of a matter on its way: the first, or a correction (更正). Once published it never changes.
CREATE TABLE edition (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    matter_id bigint NOT NULL CONSTRAINT edition_matter REFERENCES matter ON DELETE RESTRICT,
    number int NOT NULL CONSTRAINT edition_number CHECK (number > 0),
    state text NOT NULL DEFAULT '草稿' CONSTRAINT edition_state CHECK
        (state IN ('草稿', '待签字', '待审核', '审核不通过', '待公开', '已公开', '已作废')),
    item_id bigint NOT NULL CONSTRAINT edition_item REFERENCES catalogue_item ON DELETE RESTRICT, -- as it stood then
    version int NOT NULL DEFAULT 1, -- grows with every saving
    title text NOT NULL DEFAULT '',
    text text NOT NULL DEFAULT '', -- Markdown
    html text NOT NULL DEFAULT '', -- the text, cleaned
    lines jsonb NOT NULL DEFAULT '[]', -- of a table or a list: rows of cells, under the item's columns
    until date, -- how long it is good (便民服务)
    phone text NOT NULL DEFAULT '', -- whom to call about it
    publish_at timestamptz, -- not before
    why text NOT NULL DEFAULT '', -- of a correction
    delivered_version int, -- the version the township put there: another one, and the village has written since
    delivered boolean NOT NULL DEFAULT false, -- by the township (村账镇代管): the village confirms it
    authors bigint[] NOT NULL, -- the people who wrote in it
    saved_who text NOT NULL,
    saved_at timestamptz NOT NULL DEFAULT ebranch_now(),
    submitted_who text,
    submitted_at timestamptz,
    published_at timestamptz,
    fingerprint text, -- of what was published
    CONSTRAINT edition_once UNIQUE (matter_id, number),
    CONSTRAINT edition_published CHECK ((state = '已公开') = (num_nonnulls(published_at, fingerprint) = 2))
);
CREATE UNIQUE INDEX edition_one_open ON edition (matter_id)
    WHERE state IN ('草稿', '待签字', '待审核', '审核不通过', '待公开');
CREATE INDEX edition_on_its_way ON edition (state, submitted_at, id) WHERE state IN ('待签字', '待审核', '待公开');
GRANT SELECT, INSERT, UPDATE ON edition TO ebranch_app;
ALTER TABLE matter ADD CONSTRAINT matter_edition FOREIGN KEY (edition_id) REFERENCES edition ON DELETE RESTRICT;

-- What every reader of a published edition sees alike, rendered once; anew only when an answer appears beside it.
CREATE TABLE rendering (
    edition_id bigint PRIMARY KEY CONSTRAINT rendering_edition REFERENCES edition ON DELETE RESTRICT,
    html text NOT NULL,
    at timestamptz NOT NULL DEFAULT ebranch_now()
);
GRANT SELECT, INSERT, UPDATE (html, at) ON rendering TO ebranch_app;

CREATE TABLE edition_file (
    edition_id bigint NOT NULL CONSTRAINT edition_file_edition REFERENCES edition ON DELETE RESTRICT,
    file_id bigint NOT NULL CONSTRAINT edition_file_file REFERENCES file ON DELETE RESTRICT,
    place text NOT NULL, -- matter_files, wall_photos
    rank int NOT NULL,
    PRIMARY KEY (edition_id, file_id)
);
CREATE INDEX edition_file_of_file ON edition_file (file_id);
GRANT SELECT, INSERT, UPDATE (rank), DELETE ON edition_file TO ebranch_app;

-- 村务监督委员会 and 书记 say yes or no to one version of an edition, before it is submitted.
CREATE TABLE signature (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    edition_id bigint NOT NULL CONSTRAINT signature_edition REFERENCES edition ON DELETE RESTRICT,
    edition_version int NOT NULL,
    seat text NOT NULL CONSTRAINT signature_seat CHECK (seat IN ('村务监督委员会', '书记')),
    verdict text NOT NULL CONSTRAINT signature_verdict CHECK (verdict IN ('同意公开', '不同意')),
    reason text NOT NULL DEFAULT '',
    account_id bigint NOT NULL CONSTRAINT signature_account REFERENCES account ON DELETE RESTRICT,
    grant_id bigint NOT NULL CONSTRAINT signature_grant REFERENCES role_grant ON DELETE RESTRICT,
    who text NOT NULL,
    at timestamptz NOT NULL DEFAULT ebranch_now(),
    CONSTRAINT signature_once UNIQUE (edition_id, edition_version, seat),
    CONSTRAINT signature_refusal_says_why CHECK (verdict = '同意公开' OR reason <> '')
);
CREATE TRIGGER signature_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON signature
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
GRANT SELECT, INSERT ON signature TO ebranch_app;

-- 审核把关: consistency, completeness, secrecy. reasons: by the name of a field.
CREATE TABLE review (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    edition_id bigint NOT NULL CONSTRAINT review_edition REFERENCES edition ON DELETE RESTRICT,
    edition_version int NOT NULL,
    verdict text NOT NULL CONSTRAINT review_verdict CHECK (verdict IN ('审核通过', '审核不通过')),
    reasons jsonb NOT NULL DEFAULT '{}',
    checked text[] NOT NULL DEFAULT '{}', -- what of the secrecy list was looked at
    account_id bigint NOT NULL CONSTRAINT review_account REFERENCES account ON DELETE RESTRICT,
    grant_id bigint NOT NULL CONSTRAINT review_grant REFERENCES role_grant ON DELETE RESTRICT,
    who text NOT NULL,
    at timestamptz NOT NULL DEFAULT ebranch_now(),
    CONSTRAINT review_once UNIQUE (edition_id, edition_version),
    CONSTRAINT review_return_says_why CHECK ((verdict = '审核不通过') = (reasons <> '{}'))
);
CREATE TRIGGER review_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON review
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
GRANT SELECT, INSERT ON review TO ebranch_app;

-- 撤下: asked for by the village, decided by the township; what was read stays readable to officers, to all a notice.
CREATE TABLE withdrawal (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    matter_id bigint NOT NULL CONSTRAINT withdrawal_matter REFERENCES matter ON DELETE RESTRICT,
    state text NOT NULL DEFAULT '待审核' CONSTRAINT withdrawal_state CHECK (state IN ('待审核', '已撤下', '不同意')),
    reason text NOT NULL CONSTRAINT withdrawal_reason CHECK (reason <> ''),
    person_id bigint NOT NULL CONSTRAINT withdrawal_person REFERENCES person ON DELETE RESTRICT,
    who text NOT NULL,
    at timestamptz NOT NULL DEFAULT ebranch_now(),
    answer text NOT NULL DEFAULT '',
    answer_who text,
    answer_at timestamptz,
    CONSTRAINT withdrawal_answered CHECK ((state = '待审核') = (answer_who IS NULL)),
    CONSTRAINT withdrawal_refusal_says_why CHECK (state <> '不同意' OR answer <> '')
);
CREATE FUNCTION withdrawal_begins() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.state <> '待审核' THEN
        RAISE EXCEPTION 'it is asked for first' USING ERRCODE = 'EB043';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER withdrawal_begins BEFORE INSERT ON withdrawal FOR EACH ROW EXECUTE FUNCTION withdrawal_begins();
CREATE UNIQUE INDEX withdrawal_one_open ON withdrawal (matter_id) WHERE state = '待审核';
GRANT SELECT, INSERT, UPDATE (state, answer, answer_who, answer_at) ON withdrawal TO ebranch_app;

-- 审核分工: an office of the township, what it looks at, and who works there.
CREATE TABLE office (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    committee_id bigint NOT NULL CONSTRAINT office_committee REFERENCES organisation ON DELETE RESTRICT,
    name text NOT NULL CONSTRAINT office_name CHECK (name <> ''),
    items bigint[] NOT NULL DEFAULT '{}',
    accounts bigint[] NOT NULL DEFAULT '{}',
    closed_at timestamptz
);
CREATE UNIQUE INDEX office_once ON office (committee_id, name) WHERE closed_at IS NULL;
GRANT SELECT, INSERT, UPDATE (name, items, accounts, closed_at) ON office TO ebranch_app;

-- Whether a grant is, now, one of these roles at an organisation at or above the place of a matter.
CREATE FUNCTION holds_over(holder bigint, the_grant bigint, roles text[], place text) RETURNS boolean
LANGUAGE sql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM role_grant g JOIN organisation o ON o.id = g.organisation_id AND o.closed_at IS NULL
        JOIN account a ON a.id = g.account_id AND a.closed_at IS NULL
        WHERE g.id = the_grant AND g.account_id = holder AND g.role = ANY(roles) AND starts_with(place, o.path)
          AND g.since <= ebranch_clock() AND (g.until IS NULL OR g.until > ebranch_clock())) $$;

CREATE FUNCTION edition_is_open(edition bigint) RETURNS boolean LANGUAGE sql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS
$$ SELECT EXISTS (SELECT FROM edition e WHERE e.id = edition AND e.state IN ('草稿', '审核不通过')) $$;

CREATE FUNCTION edition_file_guard() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP <> 'INSERT' AND NOT edition_is_open(OLD.edition_id)
            OR TG_OP <> 'DELETE' AND NOT edition_is_open(NEW.edition_id) THEN
        RAISE EXCEPTION 'what was handed on stays as it is' USING ERRCODE = 'EB043';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER edition_file_guard BEFORE INSERT OR UPDATE OR DELETE ON edition_file
    FOR EACH ROW EXECUTE FUNCTION edition_file_guard();

-- The two seats are two people's, and who wrote it does not sign for the 村务监督委员会, and never reviews it.
CREATE FUNCTION signature_guard() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE its record;
BEGIN
    SELECT e.state, e.version, e.authors, m.organisation_path INTO its
    FROM edition e JOIN matter m ON m.id = e.matter_id
    WHERE e.id = NEW.edition_id FOR NO KEY UPDATE OF e;
    IF its.state IS DISTINCT FROM '待签字' OR its.version <> NEW.edition_version
            OR NOT holds_over(NEW.account_id, NEW.grant_id, ARRAY[NEW.seat], its.organisation_path) THEN
        RAISE EXCEPTION 'nothing to be signed here' USING ERRCODE = 'EB044';
    END IF;
    IF EXISTS (SELECT FROM signature WHERE edition_id = NEW.edition_id AND edition_version = NEW.edition_version
               AND account_id = NEW.account_id AND seat <> NEW.seat)
       OR NEW.seat = '村务监督委员会'
            AND (SELECT person_id FROM account WHERE id = NEW.account_id) = ANY(its.authors) THEN
        RAISE EXCEPTION 'somebody else signs' USING ERRCODE = 'EB051';
    END IF;
    NEW.at := ebranch_clock();
    RETURN NEW;
END $$;
CREATE TRIGGER signature_guard BEFORE INSERT ON signature FOR EACH ROW EXECUTE FUNCTION signature_guard();

CREATE FUNCTION review_guard() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE its record;
BEGIN
    SELECT e.state, e.version, e.authors, m.organisation_path INTO its
    FROM edition e JOIN matter m ON m.id = e.matter_id
    WHERE e.id = NEW.edition_id FOR NO KEY UPDATE OF e;
    IF its.state IS DISTINCT FROM '待审核' OR its.version <> NEW.edition_version
            OR NOT holds_over(NEW.account_id, NEW.grant_id, '{党委管理员,组织员}', its.organisation_path) THEN
        RAISE EXCEPTION 'nothing to be reviewed here' USING ERRCODE = 'EB045';
    END IF;
    IF (SELECT person_id FROM account WHERE id = NEW.account_id) = ANY(its.authors)
       OR EXISTS (
            SELECT FROM signature s JOIN account a ON a.id = s.account_id JOIN account b ON b.person_id = a.person_id
            WHERE s.edition_id = NEW.edition_id AND s.edition_version = NEW.edition_version
            AND b.id = NEW.account_id) THEN
        RAISE EXCEPTION 'nobody reviews what he wrote' USING ERRCODE = 'EB046';
    END IF;
    NEW.at := ebranch_clock();
    RETURN NEW;
END $$;
CREATE TRIGGER review_guard BEFORE INSERT ON review FOR EACH ROW EXECUTE FUNCTION review_guard();

-- An edition's way: content changes only while it is open; nothing is submitted unsigned where the county wants it
-- signed, nothing published without the township's yes to this very version, and what is published stays.
CREATE FUNCTION edition_guard() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    its matter;
    members boolean; -- for whom alone it is
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'an edition is never deleted' USING ERRCODE = 'EB043';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> '草稿' OR NEW.number <> 1 + (
                SELECT coalesce(max(number), 0) FROM edition WHERE matter_id = NEW.matter_id) THEN
            RAISE EXCEPTION 'an edition begins as a draft' USING ERRCODE = 'EB043';
        END IF;
        IF NEW.why = '' AND EXISTS (SELECT FROM matter WHERE id = NEW.matter_id AND edition_id IS NOT NULL) THEN
            RAISE EXCEPTION 'a correction says why' USING ERRCODE = 'EB043';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state IN ('已公开', '已作废') OR (NEW.matter_id, NEW.number) IS DISTINCT FROM (OLD.matter_id, OLD.number)
            OR OLD.state NOT IN ('草稿', '审核不通过') AND
            (NEW.version, NEW.title, NEW.text, NEW.html, NEW.lines, NEW.until, NEW.phone, NEW.publish_at, NEW.why,
             NEW.authors, NEW.item_id)
            IS DISTINCT FROM
            (OLD.version, OLD.title, OLD.text, OLD.html, OLD.lines, OLD.until, OLD.phone, OLD.publish_at, OLD.why,
             OLD.authors, OLD.item_id) THEN
        RAISE EXCEPTION 'what was handed on stays as it is' USING ERRCODE = 'EB043';
    END IF;
    IF NEW.state = OLD.state THEN
        RETURN NEW;
    END IF;
    SELECT * INTO its FROM matter WHERE id = NEW.matter_id;
    IF OLD.state IN ('草稿', '审核不通过') AND NEW.state IN ('待签字', '待审核') AND NEW.version <= OLD.version THEN
        RAISE EXCEPTION 'what was said of an earlier version holds for no later one' USING ERRCODE = 'EB043';
    END IF;
    IF NEW.state = '待审核' AND OLD.state NOT IN ('草稿', '审核不通过', '待签字')
            OR NEW.state IN ('待公开', '已公开') AND OLD.state NOT IN ('待审核', '待公开') THEN
        RAISE EXCEPTION 'an edition skips no step' USING ERRCODE = 'EB043';
    END IF;
    members := '党员' IN (its.audience, (SELECT audience FROM catalogue_item WHERE id = NEW.item_id));
    IF NEW.state = '待审核' AND (CASE WHEN members THEN 1 ELSE 2 END) > (
            SELECT count(*) FROM signature WHERE edition_id = NEW.id AND edition_version = NEW.version
            AND verdict = '同意公开' AND (NOT members OR seat = '书记'))
       AND its.category = ANY(coalesce(
            (SELECT signed FROM county_setting WHERE county_code = left(its.village_code, 6)), '{财务}')) THEN
        RAISE EXCEPTION 'it is not signed' USING ERRCODE = 'EB044';
    END IF;
    IF NEW.state IN ('待公开', '已公开') AND NOT EXISTS (
            SELECT FROM review WHERE edition_id = NEW.id AND edition_version = NEW.version
            AND verdict = '审核通过') THEN
        RAISE EXCEPTION 'it is not approved' USING ERRCODE = 'EB045';
    END IF;
    IF NEW.state = '已公开' THEN
        NEW.published_at := ebranch_clock();
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER edition_guard BEFORE INSERT OR UPDATE OR DELETE ON edition
    FOR EACH ROW EXECUTE FUNCTION edition_guard();

-- What readers see is a published edition of this matter, under that one's title and for its readers; withdrawn only by
-- the township's decision, and for good.
CREATE FUNCTION matter_guard() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF num_nonnulls(NEW.edition_id, NEW.published_at, NEW.withdrawn_at) > 0 THEN
            RAISE EXCEPTION 'nothing is published yet' USING ERRCODE = 'EB043';
        END IF;
        SELECT v.organisation_id, v.organisation_path INTO STRICT NEW.organisation_id, NEW.organisation_path
        FROM village v JOIN duty d ON d.id = NEW.duty_id AND d.village_code = v.code WHERE v.code = NEW.village_code;
        RETURN NEW;
    END IF;
    IF NEW.edition_id IS DISTINCT FROM OLD.edition_id AND NOT EXISTS (
            SELECT FROM edition WHERE id = NEW.edition_id AND matter_id = NEW.id AND state = '已公开'
            AND id > coalesce(OLD.edition_id, 0)) THEN
        RAISE EXCEPTION 'not published' USING ERRCODE = 'EB043';
    END IF;
    IF OLD.edition_id IS NOT NULL AND NEW.edition_id = OLD.edition_id
            AND (NEW.title, NEW.form, NEW.audience, NEW.published_at)
            IS DISTINCT FROM (OLD.title, OLD.form, OLD.audience, OLD.published_at) THEN
        RAISE EXCEPTION 'what is published stays as it is' USING ERRCODE = 'EB043';
    END IF;
    IF OLD.withdrawn_at IS NOT NULL OR NEW.withdrawn_at IS NOT NULL AND NOT EXISTS (
            SELECT FROM withdrawal WHERE matter_id = NEW.id AND state = '已撤下') THEN
        RAISE EXCEPTION 'withdrawn by the township only' USING ERRCODE = 'EB043';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER matter_guard BEFORE INSERT OR UPDATE ON matter FOR EACH ROW EXECUTE FUNCTION matter_guard();

-- What is owed is settled by what is published, or by somebody's word that nothing occurred.
CREATE FUNCTION duty_is_settled() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE its text := (SELECT state FROM duty WHERE id = NEW.id);
BEGIN
    IF its = '已公开' AND NOT EXISTS (
            SELECT FROM matter WHERE duty_id = NEW.id AND published_at IS NOT NULL AND withdrawn_at IS NULL)
        OR its = '本期无' AND NOT EXISTS (SELECT FROM declared WHERE duty_id = NEW.id AND undone_at IS NULL) THEN
        RAISE EXCEPTION 'it is still owed' USING ERRCODE = 'EB043';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER duty_is_settled AFTER UPDATE OF state ON duty DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.state IN ('已公开', '本期无')) EXECUTE FUNCTION duty_is_settled();
"""


async def forwards() -> MigrationManager:
    return sql_migration(ID, DESCRIPTION, SQL)
