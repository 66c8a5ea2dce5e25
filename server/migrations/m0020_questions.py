"""问这一笔, 向镇里反映: what readers ask about what is published, and what is answered (M3§1, §9)."""
from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from server.migrations import sql_migration

ID = "0020"
VERSION = "1.38.0"
DESCRIPTION = "questions"

SQL = """
-- asked_of: the village, its township, or its county. named: whether the village learns who asks; other villagers never
-- do. A question stays as it was asked; what is hidden is kept, with the reason.
CREATE TABLE question (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    matter_id bigint NOT NULL CONSTRAINT question_matter REFERENCES matter ON DELETE RESTRICT,
    village_code text NOT NULL,
    organisation_id bigint NOT NULL CONSTRAINT question_organisation REFERENCES organisation ON DELETE RESTRICT,
    organisation_path text COLLATE "C" NOT NULL, -- of the village's branch
    edition_number int NOT NULL, -- which edition was read
    line bigint, -- which entry of a ledger
    line_words text NOT NULL DEFAULT '', -- as it was read
    asked_of text NOT NULL CONSTRAINT question_asked_of CHECK (asked_of IN ('村里', '镇里', '县里')),
    kind text NOT NULL DEFAULT '提问' CONSTRAINT question_kind CHECK (kind IN ('提问', '墙上和网上不一样')),
    text text NOT NULL CONSTRAINT question_text CHECK (text <> ''),
    named boolean NOT NULL,
    person_id bigint NOT NULL CONSTRAINT question_person REFERENCES person ON DELETE RESTRICT,
    who text NOT NULL,
    agrees boolean NOT NULL DEFAULT false, -- that question and answer may stand beside it, without the name
    asked_at timestamptz NOT NULL DEFAULT ebranch_now(),
    state text NOT NULL DEFAULT '待答复' CONSTRAINT question_state CHECK (state IN ('待答复', '已答复', '已隐藏')),
    answer text NOT NULL DEFAULT '',
    answered_by bigint CONSTRAINT question_answerer REFERENCES person ON DELETE RESTRICT,
    answer_who text,
    answered_at timestamptz,
    offered boolean NOT NULL DEFAULT false, -- who answers agrees to that, too
    shown boolean NOT NULL GENERATED ALWAYS AS (agrees AND offered AND state = '已答复') STORED,
    hidden_why text,
    hidden_who text,
    hidden_at timestamptz,
    CONSTRAINT question_answered CHECK ((answer <> '') = (num_nonnulls(answer_who, answered_at) = 2)),
    CONSTRAINT question_state_follows CHECK (state <> '已答复' OR answer <> ''),
    CONSTRAINT question_hidden CHECK ((state = '已隐藏') = (num_nonnulls(hidden_why, hidden_who, hidden_at) = 3))
);
CREATE INDEX question_of_matter ON question (matter_id, id);
CREATE INDEX question_of_person ON question (person_id, id);
CREATE INDEX question_of_village ON question (village_code, id);
CREATE INDEX question_in_tree ON question (organisation_path, id);
CREATE INDEX question_open ON question (organisation_path, id) WHERE state = '待答复';
GRANT SELECT, INSERT, UPDATE (state, answer, answered_by, answer_who, answered_at, offered, agrees, hidden_why,
    hidden_who, hidden_at) ON question TO ebranch_app;

CREATE FUNCTION question_guard() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT m.village_code, m.organisation_id, m.organisation_path
        INTO STRICT NEW.village_code, NEW.organisation_id, NEW.organisation_path
        FROM matter m WHERE m.id = NEW.matter_id;
        RETURN NEW;
    END IF;
    IF OLD.answer <> '' AND (NEW.answer, NEW.answer_who, NEW.answered_at)
            IS DISTINCT FROM (OLD.answer, OLD.answer_who, OLD.answered_at) OR OLD.state = '已隐藏' THEN
        RAISE EXCEPTION 'an answer stays as it was given' USING ERRCODE = 'EB050';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER question_guard BEFORE INSERT OR UPDATE ON question FOR EACH ROW EXECUTE FUNCTION question_guard();
"""


async def forwards() -> MigrationManager:
    return sql_migration(ID, DESCRIPTION, SQL)
