"""An officer's unsaved texts, when somebody else takes over the office."""
import json

from asyncpg import Record

from server.core.database import row, rows


async def drafts_of(path: str, person_id: int) -> list[Record]:
    """The meetings (id, topic) at and below `path` that somebody has an unsaved text of."""
    return await rows("""
        SELECT m.id, m.topic FROM log_draft d JOIN meeting m ON m.id = d.meeting_id
        WHERE d.person_id = $2 AND m.branch_path LIKE $1 || '%' ORDER BY m.begins_at, m.id""", path, person_id)


async def pass_on_drafts(path: str, person_id: int, successor_id: int) -> None:
    """Gives somebody's drafts at and below `path` to a successor, in the caller's transaction; where that one has a
    draft already, both stand in it, one after the other."""
    for left in await rows("""
            DELETE FROM log_draft d USING meeting m WHERE m.id = d.meeting_id AND d.person_id = $2
                AND m.branch_path LIKE $1 || '%' RETURNING d.meeting_id, d.log_version, d.fields::text, d.saved_at""",
                           path, person_id):
        there = await row("SELECT fields::text FROM log_draft WHERE meeting_id = $1 AND person_id = $2",
                          left["meeting_id"], successor_id)
        own = json.loads(there["fields"]) if there else {}
        both = {name: "\n\n".join(filter(None, (own.get(name), text)))
                for name, text in json.loads(left["fields"]).items()}
        await rows("""
            INSERT INTO log_draft (meeting_id, person_id, log_version, fields, saved_at) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (meeting_id, person_id) DO UPDATE SET fields = $4""", left["meeting_id"], successor_id,
                   left["log_version"], json.dumps(own | both, ensure_ascii=False), left["saved_at"])
