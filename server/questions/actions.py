"""What happens to a question: asked, answered, shown beside the entry when both agree, hidden for abuse."""
from typing import Any

from asyncpg import Record

from server.core import audit, deadlines, live
from server.core.actor import Actor
from server.core.clock import now
from server.core.database import row, rows, the_row, transaction
from server.core.dates import moment
from server.core.forms import Refused
from server.core.moves import WrongState
from server.core.workdays import working_days
from server.disclosure import publication
from server.disclosure.private import without_numbers
from server.disclosure.tables import matter_by_id
from server.questions.rules import A_DAY, ANSWER, ANSWERING, ASKED, HIDING, SENT_TWICE, Kind, Of, State
from server.threads import actions as threads
from server.threads.reminders import remind
from server.villages.tables import county_of, settings_of

QUESTION = "question"  # the kind of the deadline's subject, and of the card
ASKING_LOCK = 7_030  # advisory, with the person's id


async def ask(actor: Actor, matter: Record, of: Of, text: str, *, kind: Kind = Kind.QUESTION, line: int | None = None,
              line_words: str = "", number: int, named: bool, agrees: bool) -> int:
    """Asks the village, its township or county about a matter or one entry of it; the question's id, of the one that
    is there where it was sent twice or the same words still wait for their answer.

    number: of the edition that was read; named: whether the village learns who asks; agrees: that it may stand beside
    the entry. Refused for the twenty-first question of a day."""
    async with transaction():
        await rows("SELECT pg_advisory_xact_lock($1, ($2::bigint % 2147483647)::int)", ASKING_LOCK, actor.person_id)
        there = await row("""SELECT id FROM question WHERE person_id = $1 AND matter_id = $2 AND asked_of = $3
                             AND line IS NOT DISTINCT FROM $4 AND text = $5
                             AND (asked_at > ebranch_now() - $6::interval OR state = '待答复')""",
                          actor.person_id, matter["id"], str(of), line, text, SENT_TWICE)
        if there is not None:
            return there["id"]
        today = await the_row("""SELECT count(*) AS many FROM question WHERE person_id = $1
                                 AND asked_at > ebranch_now() - interval '1 day'""", actor.person_id)
        if today["many"] >= A_DAY:
            raise Refused("text", f"一天最多问 {A_DAY} 次，请先等答复")
        made = await the_row("""
            INSERT INTO question (matter_id, village_code, organisation_id, organisation_path, edition_number, line,
                                  line_words, asked_of, kind, text, named, person_id, who, agrees)
            VALUES ($1, '', 0, '', $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING *""",
                             matter["id"], number, line, line_words, str(of), str(kind), text, named, actor.person_id,
                             actor.signature, agrees)
        asked = await start_clock(matter, made)
        await audit.record(actor, "ask", "question", made["id"], after={
            "matter": matter["id"], "line": line, "asked_of": of, "text": audit.personal(text)})
        await post(actor, made, chip=f"问{of}" if kind is Kind.QUESTION else str(kind), tone="blue")
        live.changed(asked["path"], "questions", "todos")
    return made["id"]


async def who_is_asked(organisation_id: int, of: str) -> Record:
    """Id and path of the village's organisation, or of its township or county. Nobody below hears of the question."""
    return await the_row("""
        SELECT a.id, a.path FROM organisation o JOIN organisation c ON c.id = o.committee_id
        JOIN organisation a ON a.id = CASE $2 WHEN '村里' THEN o.id WHEN '镇里' THEN c.id ELSE c.department_id END
        WHERE o.id = $1""", organisation_id, of)


async def tell_changed(question: Record) -> None:
    """Open pages of who is asked, and of the asker, renew themselves."""
    asked = await who_is_asked(question["organisation_id"], question["asked_of"])
    live.changed(asked["path"], "questions", "todos")
    live.changed(f"person-{question['person_id']}", "questions")


async def start_clock(matter: Record, question: Record) -> Record:
    """The answer is owed from now on, by whoever is asked, within what the county has settled; who that is."""
    by = await who_is_asked(matter["organisation_id"], question["asked_of"])
    days = (await settings_of(county_of(matter["village_code"])))["answer_days"]
    await deadlines.start(
        ANSWER, QUESTION, question["id"], organisation_id=by["id"], organisation_path=by["path"], starts_at=now(),
        title=f"答复 · {matter['village']} {question['line_words'] or matter['title']}"[:120],
        href=f"/questions/{question['id']}", now=now(), length=working_days(days))
    return by


async def post(actor: Actor | None, question: Record, *, chip: str, tone: str) -> None:
    """The card in the asker's own thread, with the title of what was read. actor: the asker, to whom it is no news."""
    read = await the_row("SELECT title FROM edition WHERE matter_id = $1 AND number = $2",
                         question["matter_id"], question["edition_number"])
    card = {"chip": chip, "tone": tone, "title": question["text"][:60], "text": question["answer"][:200],
            "facts": [["事项", question["line_words"] or read["title"]],
                      ["提出", moment(question["asked_at"], now())]]}
    asker = question["person_id"]
    thread = await threads.thread_of("questions", person_id=asker)
    await threads.put(actor, thread, QUESTION, question["id"], card, question["answer"] or question["text"],
                      f"person-{asker}")


async def answer(actor: Actor, question: Record, text: str, offered: bool) -> None:
    """Answers what is asked of the actor's village, township or county; the asker is told. offered: that question and
    answer may stand beside the entry, should the asker agree. WrongState when somebody was faster."""
    async with transaction():
        done = await row("""
            UPDATE question SET state = '已答复', answer = $2, answered_by = $3, answer_who = $4,
                answered_at = ebranch_now(), offered = $5 WHERE id = $1 AND state = ANY($6) RETURNING *""",
                         question["id"], text, actor.person_id, actor.signature, offered, sorted(ANSWERING.frm))
        if done is None:
            raise WrongState("这个问题刚才已经答复了")
        await deadlines.meet(ANSWER, QUESTION, question["id"], closed_at=now())
        await audit.record(actor, "answer", "question", question["id"], after={
            "answer": audit.personal(text), "offered": offered})
        matter = await matter_by_id(question["matter_id"])
        await threads.supersede(QUESTION, question["id"])
        await post(None, done, chip="已答复", tone="green")
        await remind(question["person_id"], "有答复", question["text"][:30], f"/questions/{question['id']}")
        await show_beside(matter, done["shown"])
        await tell_changed(question)


async def agree(actor: Actor, question: Record, agrees: bool) -> None:
    """The asker lets it stand beside the entry, or takes that back."""
    async with transaction():
        was_shown = await hold(question)
        done = await row("""UPDATE question SET agrees = $2 WHERE id = $1 AND agrees <> $2 AND state <> '已隐藏'
                            RETURNING *""", question["id"], agrees)
        if done is None:
            return
        await audit.record(actor, "agree_to_show", "question", question["id"], after={"agrees": agrees})
        await show_beside(await matter_by_id(question["matter_id"]), done["shown"] or was_shown)


async def hide(actor: Actor, question: Record, why: str) -> None:
    """Takes abuse out of sight, with a reason the asker reads; it is kept. WrongState when it is hidden already."""
    async with transaction():
        was_shown = await hold(question)
        hidden = await row("""
            UPDATE question SET state = '已隐藏', hidden_why = $2, hidden_who = $3, hidden_at = ebranch_now()
            WHERE id = $1 AND state = ANY($4) RETURNING *""", question["id"], why, actor.signature, sorted(HIDING.frm))
        if hidden is None:
            raise WrongState("这个问题已经隐藏了")
        await deadlines.withdraw(ANSWER, QUESTION, question["id"], at=now())
        await audit.record(actor, "hide_question", "question", question["id"], why=why)
        await threads.supersede(QUESTION, question["id"])
        await show_beside(await matter_by_id(question["matter_id"]), was_shown)
        await remind(question["person_id"], "已隐藏", without_numbers(why)[:30], f"/questions/{question['id']}")
        await tell_changed(question)


async def hold(question: Record) -> bool:
    """Lets nobody else change the question in the meantime; whether it stands beside the entry until now."""
    return (await the_row("SELECT shown FROM question WHERE id = $1 FOR NO KEY UPDATE", question["id"]))["shown"]


async def show_beside(matter: Record, differs: bool) -> None:
    """The published page is rendered anew where what stands beside it has changed."""
    if differs and matter["edition_id"]:
        await publication.render_anew(matter)


def may_hide(actor: Actor, question: Any) -> bool:
    """Whether this actor may take it out of sight: who stands above those who are asked; the county what it has
    answered itself. Nobody silences a complaint that goes past them, or one they still owe an answer."""
    above = {Of.VILLAGE: (*ASKED[Of.TOWNSHIP], *ASKED[Of.COUNTY]), Of.TOWNSHIP: ASKED[Of.COUNTY],
             Of.COUNTY: ASKED[Of.COUNTY] if question["state"] == State.ANSWERED else ()}
    return actor.may(HIDING.can) and question["state"] in HIDING.frm and (
        actor.organisation_kind in above[Of(question["asked_of"])])


def is_of(actor: Actor, question: Any) -> bool:
    """Whether it is this actor who is asked, and so answers: nobody answers what they asked themselves."""
    return actor.may(ANSWERING.can) and actor.organisation_kind in ASKED[Of(question["asked_of"])] and (
        question["state"] == State.OPEN and question["person_id"] != actor.person_id)
