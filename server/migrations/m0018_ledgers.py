"""Village ledgers: a month's lines, its balance, and what is brought in by a township for its villages."""
from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from server.migrations import sql_migration

ID = "0018"
VERSION = "1.38.0"
DESCRIPTION = "ledgers, their lines"

MOST_FEN = 10**13  # a thousand 亿元 in one line or balance is a slip of the pen

SQL = f"""
-- The month of an edition whose form is 账目. Amounts in 分. The balance holds by construction; that it is the sum of
-- the lines, and begins where the month before ended, is looked at when it is handed on.
CREATE TABLE ledger (
    edition_id bigint PRIMARY KEY CONSTRAINT ledger_edition REFERENCES edition ON DELETE RESTRICT,
    village_code text NOT NULL CONSTRAINT ledger_village REFERENCES village ON DELETE RESTRICT,
    month date NOT NULL CONSTRAINT ledger_month CHECK (extract(day FROM month) = 1),
    opening bigint NOT NULL CONSTRAINT ledger_opening CHECK (abs(opening) <= {MOST_FEN}),
    income bigint NOT NULL DEFAULT 0 CONSTRAINT ledger_income CHECK (income BETWEEN 0 AND {MOST_FEN}),
    expense bigint NOT NULL DEFAULT 0 CONSTRAINT ledger_expense CHECK (expense BETWEEN 0 AND {MOST_FEN}),
    closing bigint NOT NULL GENERATED ALWAYS AS (opening + income - expense) STORED,
    lines int NOT NULL DEFAULT 0
);
CREATE INDEX ledger_of_village ON ledger (village_code, month, edition_id);
GRANT SELECT, INSERT, UPDATE (opening, income, expense, lines) ON ledger TO ebranch_app;

-- `line` names one entry through all editions: what is asked about it stays beside it when another entry is corrected.
CREATE SEQUENCE ledger_line_name;
GRANT USAGE ON SEQUENCE ledger_line_name TO ebranch_app;
CREATE TABLE ledger_line (
    edition_id bigint NOT NULL CONSTRAINT ledger_line_ledger REFERENCES ledger ON DELETE RESTRICT,
    line bigint NOT NULL DEFAULT nextval('ledger_line_name'),
    place int NOT NULL, -- in the order in which it is read
    day date NOT NULL,
    voucher text NOT NULL,
    summary text NOT NULL CONSTRAINT ledger_line_summary CHECK (summary <> ''),
    category text NOT NULL,
    income bigint NOT NULL CONSTRAINT ledger_line_income CHECK (income BETWEEN 0 AND {MOST_FEN}),
    expense bigint NOT NULL CONSTRAINT ledger_line_expense CHECK (expense BETWEEN 0 AND {MOST_FEN}),
    handler text NOT NULL DEFAULT '',
    witness text NOT NULL DEFAULT '',
    approver text NOT NULL DEFAULT '',
    note text NOT NULL DEFAULT '', -- explains every 其他
    file_id bigint CONSTRAINT ledger_line_picture REFERENCES file ON DELETE RESTRICT, -- of the voucher
    PRIMARY KEY (edition_id, line),
    CONSTRAINT ledger_line_one_side CHECK ((income > 0) <> (expense > 0))
);
CREATE INDEX ledger_line_in_order ON ledger_line (edition_id, place, line);
CREATE INDEX ledger_line_of_file ON ledger_line (file_id) WHERE file_id IS NOT NULL;
GRANT SELECT, INSERT, UPDATE, DELETE ON ledger_line TO ebranch_app;

CREATE FUNCTION ledger_guard() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' AND TG_TABLE_NAME = 'ledger' THEN
        IF NOT EXISTS (SELECT FROM edition e JOIN matter m ON m.id = e.matter_id
                       WHERE e.id = NEW.edition_id AND m.village_code = NEW.village_code) THEN
            RAISE EXCEPTION 'the books of another village' USING ERRCODE = 'EB047';
        END IF;
    END IF;
    IF TG_OP <> 'INSERT' AND NOT edition_is_open(OLD.edition_id)
            OR TG_OP <> 'DELETE' AND NOT edition_is_open(NEW.edition_id) THEN
        RAISE EXCEPTION 'what was handed on stays as it is' USING ERRCODE = 'EB043';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER ledger_guard BEFORE INSERT OR UPDATE OR DELETE ON ledger
    FOR EACH ROW EXECUTE FUNCTION ledger_guard();
CREATE TRIGGER ledger_line_guard BEFORE INSERT OR UPDATE OR DELETE ON ledger_line
    FOR EACH ROW EXECUTE FUNCTION ledger_guard();

-- A ledger is handed on (to be signed or reviewed) only when its sums are those of its lines, every line lies in its
-- month, and it begins where the month before ended; the month before must have been handed on, or be the first.
CREATE FUNCTION ledger_fits() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    its ledger;
    before ledger;
    first_month date;
BEGIN
    IF NOT EXISTS (SELECT FROM matter WHERE id = NEW.matter_id AND form = '账目') THEN
        RETURN NEW;
    END IF;
    SELECT * INTO its FROM ledger WHERE edition_id = NEW.id;
    IF its.edition_id IS NULL THEN
        RAISE EXCEPTION 'a ledger without a month' USING ERRCODE = 'EB047';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('ledgers of ' || its.village_code, 0));
    IF EXISTS (SELECT FROM (SELECT coalesce(sum(income), 0) AS income, coalesce(sum(expense), 0) AS expense,
                                   count(*) AS lines FROM ledger_line WHERE edition_id = NEW.id) s
               WHERE (s.income, s.expense, s.lines) <> (its.income, its.expense, its.lines))
       OR EXISTS (SELECT FROM ledger_line WHERE edition_id = NEW.id
                  AND date_trunc('month', day)::date <> its.month) THEN
        RAISE EXCEPTION 'the sums are not those of the lines' USING ERRCODE = 'EB047';
    END IF;
    SELECT min(l.month) INTO first_month FROM ledger l JOIN edition e ON e.id = l.edition_id
    JOIN matter m ON m.id = e.matter_id AND m.withdrawn_at IS NULL
    WHERE l.village_code = its.village_code AND e.state IN ('待签字', '待审核', '待公开', '已公开');
    SELECT l.* INTO before FROM ledger l JOIN edition e ON e.id = l.edition_id
    JOIN matter m ON m.id = e.matter_id AND m.withdrawn_at IS NULL
    WHERE l.village_code = its.village_code AND l.month = (its.month - interval '1 month')::date
      AND e.state IN ('待签字', '待审核', '待公开', '已公开') ORDER BY e.number DESC LIMIT 1;
    IF before.edition_id IS NULL AND (first_month < its.month OR first_month > its.month + interval '1 month')
       OR before.edition_id IS NOT NULL AND before.closing <> its.opening THEN
        RAISE EXCEPTION 'it does not begin where the month before ended' USING ERRCODE = 'EB048';
    END IF;
    IF EXISTS (SELECT FROM ledger l JOIN edition e ON e.id = l.edition_id
               JOIN matter m ON m.id = e.matter_id AND m.withdrawn_at IS NULL
               WHERE l.village_code = its.village_code AND l.month = (its.month + interval '1 month')::date
                 AND e.state IN ('待签字', '待审核', '待公开', '已公开') AND l.opening <> its.closing) THEN
        RAISE EXCEPTION 'the month after begins elsewhere' USING ERRCODE = 'EB049';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ledger_fits BEFORE UPDATE ON edition FOR EACH ROW
    WHEN (NEW.state IN ('待签字', '待审核') AND OLD.state IN ('草稿', '审核不通过'))
    EXECUTE FUNCTION ledger_fits();

-- A ledger is published only beside its neighbours: after the month before it, unless it is the first that is owed, and
-- where both end and begin with the same sum. What is on its way does not count: it may come back.
CREATE FUNCTION ledger_meets() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE its ledger;
BEGIN
    IF NOT EXISTS (SELECT FROM matter WHERE id = NEW.matter_id AND form = '账目') THEN
        RETURN NEW;
    END IF;
    SELECT * INTO its FROM ledger WHERE edition_id = NEW.id;
    PERFORM pg_advisory_xact_lock(hashtextextended('ledgers of ' || its.village_code, 0));
    IF EXISTS (SELECT FROM duty d JOIN catalogue_item i ON i.id = d.item_id WHERE d.village_code = its.village_code
               AND i.form = '账目' AND d.state = '应公开' AND d.last < its.month) THEN
        RAISE EXCEPTION 'an earlier month is still owed' USING ERRCODE = 'EB048';
    END IF;
    IF EXISTS (SELECT FROM published_ledger l WHERE l.village_code = its.village_code AND l.month < its.month)
       AND NOT EXISTS (SELECT FROM published_ledger l WHERE l.village_code = its.village_code
                       AND l.month = (its.month - interval '1 month')::date AND l.closing = its.opening) THEN
        RAISE EXCEPTION 'it does not begin where the month before ended' USING ERRCODE = 'EB048';
    END IF;
    IF EXISTS (SELECT FROM published_ledger l WHERE l.village_code = its.village_code AND l.month > its.month)
       AND NOT EXISTS (SELECT FROM published_ledger l WHERE l.village_code = its.village_code
                       AND l.month = (its.month + interval '1 month')::date AND l.opening = its.closing) THEN
        RAISE EXCEPTION 'the month after begins elsewhere' USING ERRCODE = 'EB049';
    END IF;
    RETURN NEW;
END $$;
CREATE VIEW published_ledger AS SELECT l.* FROM ledger l JOIN matter m ON m.edition_id = l.edition_id
    AND m.withdrawn_at IS NULL;
GRANT SELECT ON published_ledger TO ebranch_app;
CREATE TRIGGER ledger_meets BEFORE UPDATE ON edition FOR EACH ROW
    WHEN (NEW.state = '已公开' AND OLD.state <> '已公开') EXECUTE FUNCTION ledger_meets();
"""


async def forwards() -> MigrationManager:
    return sql_migration(ID, DESCRIPTION, SQL)
