"""三务公开: the villages that publish, the counties' catalogues, and what each village owes from them (M3§4, §6-8)."""
from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from server.migrations import sql_migration

ID = "0016"
VERSION = "1.38.0"
DESCRIPTION = "villages, catalogues, duties"

SQL = """
-- 单位目录树 (M3§6) is `unit`; here stand the villages and communities of it that were opened (已开通), or that need
-- not publish for the time being (暂不开通, by an exemption on file). One that has no row is 未开通.
CREATE TABLE village (
    code text PRIMARY KEY CONSTRAINT village_unit REFERENCES unit ON DELETE RESTRICT,
    path text COLLATE "C" NOT NULL, -- the unit's
    community boolean NOT NULL, -- 社区: its words are 居务, 本社区
    state text NOT NULL CONSTRAINT village_state CHECK (state IN ('已开通', '暂不开通')),
    organisation_id bigint NOT NULL CONSTRAINT village_organisation REFERENCES organisation ON DELETE RESTRICT
        CONSTRAINT village_one_each UNIQUE,
    organisation_path text COLLATE "C" NOT NULL,
    opened_at timestamptz,
    CONSTRAINT village_opened CHECK ((state = '已开通') = (opened_at IS NOT NULL))
);
CREATE INDEX village_in_tree ON village (organisation_path);
CREATE INDEX village_in_units ON village (path);
GRANT SELECT, INSERT, UPDATE (community, state, opened_at, organisation_id) ON village TO ebranch_app;

-- Where a village stands in the tree is never typed: it follows from its unit and from the branch that answers for it,
-- which is chosen when the village is opened, and stays.
CREATE FUNCTION village_in_its_place() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NOT (OLD.state = '暂不开通' AND NEW.state = '已开通') THEN
        RAISE EXCEPTION 'who answers for a village is chosen when it is opened'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    SELECT path INTO NEW.path FROM unit WHERE code = NEW.code AND level = 'village';
    SELECT path INTO NEW.organisation_path FROM organisation
    WHERE id = NEW.organisation_id AND kind = '党支部' AND unit_code = NEW.code AND closed_at IS NULL;
    IF NEW.path IS NULL OR NEW.organisation_path IS NULL THEN
        RAISE EXCEPTION 'a village is a unit with a branch of its own' USING ERRCODE = 'EB041';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER village_in_its_place BEFORE INSERT OR UPDATE OF organisation_id ON village
    FOR EACH ROW EXECUTE FUNCTION village_in_its_place();

-- 暂不具备使用条件 (M3§4): why, the township's opinion, the county's approval with the day it is looked at again.
CREATE TABLE exemption (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    village_code text NOT NULL CONSTRAINT exemption_unit REFERENCES unit ON DELETE RESTRICT,
    organisation_id bigint NOT NULL CONSTRAINT exemption_branch REFERENCES organisation ON DELETE RESTRICT,
    organisation_path text COLLATE "C" NOT NULL,
    state text NOT NULL CONSTRAINT exemption_state CHECK
        (state IN ('待镇街意见', '待县级审批', '已备案', '已退回', '已结束')),
    reason text NOT NULL CONSTRAINT exemption_reason CHECK (reason <> ''),
    who text NOT NULL,
    at timestamptz NOT NULL DEFAULT ebranch_now(),
    opinion text NOT NULL DEFAULT '',
    opinion_who text,
    opinion_at timestamptz,
    answer text NOT NULL DEFAULT '',
    answer_who text,
    answer_at timestamptz,
    review_on date,
    ended_at timestamptz,
    CONSTRAINT exemption_has_opinion CHECK (state NOT IN ('待县级审批', '已备案') OR opinion <> ''),
    CONSTRAINT exemption_on_file CHECK (state <> '已备案' OR review_on IS NOT NULL AND answer_who IS NOT NULL),
    CONSTRAINT exemption_returned_says_why CHECK (state <> '已退回' OR answer <> '')
);
CREATE UNIQUE INDEX exemption_one_open ON exemption (village_code)
    WHERE state IN ('待镇街意见', '待县级审批', '已备案');
CREATE INDEX exemption_in_tree ON exemption (organisation_path, id);
GRANT SELECT, INSERT, UPDATE (state, opinion, opinion_who, opinion_at, answer, answer_who, answer_at, review_on,
    ended_at) ON exemption TO ebranch_app;

-- What a county settles for its villages.
CREATE TABLE county_setting (
    county_code text PRIMARY KEY CONSTRAINT county_setting_unit REFERENCES unit ON DELETE RESTRICT,
    signed text[] NOT NULL DEFAULT '{财务}', -- categories that 村务监督委员会 and 书记 sign before submission
    answer_days int NOT NULL DEFAULT 5 CONSTRAINT county_setting_answer_days CHECK (answer_days BETWEEN 1 AND 15),
    version int NOT NULL DEFAULT 1
);
GRANT SELECT, INSERT, UPDATE (signed, answer_days, version) ON county_setting TO ebranch_app;

-- 公开目录 (M3§7): drafted, published as a version with a date, never changed afterwards.
CREATE TABLE catalogue (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    county_code text NOT NULL CONSTRAINT catalogue_county REFERENCES unit ON DELETE RESTRICT,
    number int CONSTRAINT catalogue_number CHECK (number > 0),
    note text NOT NULL DEFAULT '', -- what this version changes, for those who publish
    version int NOT NULL DEFAULT 1,
    published_at timestamptz,
    who text,
    CONSTRAINT catalogue_once UNIQUE (county_code, number),
    CONSTRAINT catalogue_published CHECK (num_nonnulls(number, published_at, who) IN (0, 3))
);
CREATE UNIQUE INDEX catalogue_one_draft ON catalogue (county_code) WHERE number IS NULL;
GRANT SELECT, INSERT, UPDATE (number, note, version, published_at, who), DELETE ON catalogue TO ebranch_app;

-- `item` is the same in every version of a county's catalogue: what matters and duties hang on.
CREATE SEQUENCE catalogue_item_number;
GRANT USAGE ON SEQUENCE catalogue_item_number TO ebranch_app;
CREATE TABLE catalogue_item (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    catalogue_id bigint NOT NULL CONSTRAINT catalogue_item_catalogue REFERENCES catalogue ON DELETE RESTRICT,
    item bigint NOT NULL DEFAULT nextval('catalogue_item_number'),
    rank int NOT NULL,
    category text NOT NULL CONSTRAINT catalogue_item_category CHECK (category IN ('党务', '村务', '财务', '便民服务')),
    name text NOT NULL CONSTRAINT catalogue_item_name CHECK (name <> ''),
    content text NOT NULL DEFAULT '',
    form text NOT NULL CONSTRAINT catalogue_item_form CHECK (form IN ('文字', '表格', '账目', '名单')),
    columns text[] NOT NULL DEFAULT '{}', -- of a table or a list
    frequency text NOT NULL CONSTRAINT catalogue_item_frequency CHECK
        (frequency IN ('随时', '每月', '每季度', '每年', '长期')),
    audience text NOT NULL CONSTRAINT catalogue_item_audience CHECK (audience IN ('党员', '村（居）民')),
    department text NOT NULL DEFAULT '',
    guidance text NOT NULL DEFAULT '',
    variant text NOT NULL DEFAULT '都适用'
        CONSTRAINT catalogue_item_variant CHECK (variant IN ('都适用', '村', '社区')),
    CONSTRAINT catalogue_item_once UNIQUE (catalogue_id, item),
    CONSTRAINT catalogue_item_columns CHECK ((form IN ('表格', '名单')) = (cardinality(columns) > 0)),
    CONSTRAINT catalogue_item_ledger CHECK (form <> '账目' OR frequency = '每月' AND category = '财务'),
    CONSTRAINT catalogue_item_convenience CHECK (category <> '便民服务' OR frequency = '每月'), -- M3§8
    CONSTRAINT catalogue_item_members CHECK (audience <> '党员' OR category = '党务')
);
CREATE UNIQUE INDEX catalogue_item_one_ledger ON catalogue_item (catalogue_id, variant) WHERE form = '账目';
GRANT SELECT, INSERT, UPDATE, DELETE ON catalogue_item TO ebranch_app;

CREATE FUNCTION catalogue_guard() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF OLD.number IS NOT NULL THEN
        RAISE EXCEPTION 'a published catalogue stays as it is' USING ERRCODE = 'EB042';
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.number IS NOT NULL THEN
        NEW.number := 1 + (SELECT coalesce(max(number), 0) FROM catalogue WHERE county_code = NEW.county_code);
        NEW.published_at := ebranch_clock();
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER catalogue_guard BEFORE UPDATE OR DELETE ON catalogue
    FOR EACH ROW EXECUTE FUNCTION catalogue_guard();

CREATE FUNCTION catalogue_item_guard() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM catalogue WHERE number IS NOT NULL AND id IN (OLD.catalogue_id, NEW.catalogue_id)) THEN
        RAISE EXCEPTION 'a published catalogue stays as it is' USING ERRCODE = 'EB042';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER catalogue_item_guard BEFORE INSERT OR UPDATE OR DELETE ON catalogue_item
    FOR EACH ROW EXECUTE FUNCTION catalogue_item_guard();

-- 应公开: what a village owes, made from the catalogue and never typed: one row for each item and period, and one for
-- each thing that happened (随时), whose period is its matter's.
CREATE TABLE duty (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    village_code text NOT NULL CONSTRAINT duty_village REFERENCES village ON DELETE RESTRICT,
    organisation_path text COLLATE "C" NOT NULL,
    item bigint NOT NULL,
    item_id bigint NOT NULL CONSTRAINT duty_item REFERENCES catalogue_item ON DELETE RESTRICT, -- as it stood then
    period text NOT NULL CONSTRAINT duty_period CHECK (period <> ''),
    first date NOT NULL,
    last date NOT NULL,
    state text NOT NULL DEFAULT '应公开'
        CONSTRAINT duty_state CHECK (state IN ('应公开', '已公开', '本期无', '不再要求')),
    settled_at timestamptz,
    CONSTRAINT duty_once UNIQUE (village_code, item, period),
    CONSTRAINT duty_span CHECK (last >= first)
);
CREATE INDEX duty_of_village ON duty (village_code, last, id);
CREATE INDEX duty_of_item ON duty (item) WHERE state = '应公开';
GRANT SELECT, INSERT, UPDATE (state, settled_at, item_id) ON duty TO ebranch_app;

-- “本月没有发生”, said once a month for all items together.
CREATE TABLE declaration (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    village_code text NOT NULL CONSTRAINT declaration_village REFERENCES village ON DELETE RESTRICT,
    who text NOT NULL,
    account_id bigint NOT NULL CONSTRAINT declaration_account REFERENCES account ON DELETE RESTRICT,
    at timestamptz NOT NULL DEFAULT ebranch_now()
);
CREATE TABLE declared (
    declaration_id bigint NOT NULL CONSTRAINT declared_declaration REFERENCES declaration ON DELETE RESTRICT,
    duty_id bigint NOT NULL CONSTRAINT declared_duty REFERENCES duty ON DELETE RESTRICT,
    undone_why text, -- it did occur after all: who found out, and what
    undone_who text,
    undone_at timestamptz,
    PRIMARY KEY (declaration_id, duty_id),
    CONSTRAINT declared_undone CHECK (num_nulls(undone_why, undone_who, undone_at) IN (0, 3))
);
CREATE INDEX declared_of_duty ON declared (duty_id);
GRANT SELECT, INSERT ON declaration, declared TO ebranch_app;
GRANT UPDATE (undone_why, undone_who, undone_at) ON declared TO ebranch_app;
"""


async def forwards() -> MigrationManager:
    return sql_migration(ID, DESCRIPTION, SQL)
