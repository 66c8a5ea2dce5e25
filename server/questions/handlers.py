"""Addresses of questions: asking about a matter or an entry, one's own and those to be answered, the wall's QR code."""
from typing import Any

from asyncpg import Record
from litestar import Request, Response, get, post
from litestar.exceptions import ClientException, NotFoundException, PermissionDeniedException
from litestar.params import FromPath, FromQuery

from server.core import forms
from server.core.calendar_days import calendar
from server.core.clock import now
from server.core.dates import moment
from server.core.deadline_tables import find
from server.core.deadline_words import describe
from server.core.forms import Filled, Refused
from server.core.keyset import IDS_END, below
from server.core.moves import WrongState
from server.core.page import page, see_other
from server.disclosure.private import without_numbers
from server.disclosure.show import shown
from server.disclosure.sight import editions_for, the_matter
from server.ledgers.rules import signed
from server.ledgers.tables import line_of
from server.permissions import Can
from server.questions import actions
from server.questions.rules import ANSWER_MAX, HIDING, TEXT_MAX, TONES, WHY_MAX, Kind, Of, State
from server.questions.tables import PAGE, asker, question_seen_by, questions_seen_by
from server.villages.tables import county_of, settings_of

ASK = (
    forms.text("text", "想问什么", most=TEXT_MAX), forms.choice("of", "问谁", Of),
    forms.flag("named", "让村里知道我的名字"), forms.flag("agrees", "答复可以公开在旁边"),
    forms.number("line", "哪一笔", most=2**63 - 1), forms.number("number", "第几版", most=2**31 - 1, required=False),
)
ANSWER = (forms.text("answer", "答复", most=ANSWER_MAX), forms.flag("offered", "同意公开在旁边"))
AGREE = (forms.flag("agrees", "同意公开"),)
WHO_HIDES = {Of.VILLAGE: "辱骂、诬告的，请镇街隐藏；问村里的，村里自己不能隐藏。",
             Of.TOWNSHIP: "辱骂、诬告的，请县里隐藏；问镇里的，镇里自己不能隐藏。",
             Of.COUNTY: "辱骂、诬告的，答复以后可以隐藏。"}
HIDE = (forms.text("why", "隐藏的原因", most=WHY_MAX),)
TO = {"township": Of.TOWNSHIP, "county": Of.COUNTY}


# Asking ---------------------------------------------------------------------------------------------------------------

@get("/disclosures/{matter_id:int}/questions/new", can=Can.DISCLOSURE_ASK)
async def new(request: Request, matter_id: FromPath[int], line: FromQuery[int] = 0,
              to: FromQuery[str] = "") -> Response[Any]:
    matter = await asked_about(request, matter_id)
    return await ask_page(request, matter, Filled(typed={
        "of": str(TO.get(to, Of.VILLAGE)), "line": str(max(0, line)), "number": str(matter["number"])}))


async def asked_about(request: Request, matter_id: int) -> Record:
    """A published matter the actor reads, but for what was taken down: WrongState for what was sent from its page, and
    NotFoundException, also for who still reads it."""
    matter = await the_matter(request.user, matter_id)
    if matter["withdrawn_at"] is not None and request.method == "POST":
        raise WrongState("这项内容刚才撤下了，不能再就它提问；有话可以到镇里当面反映")
    if matter["edition_id"] is None or matter["withdrawn_at"] is not None:
        raise NotFoundException
    return matter


async def words_of_line(edition_id: int, line: int) -> str:
    """An entry as it is read: 10月9日 村内路灯维修 6 盏 −3,860.00; nothing for none. NotFoundException for a name that
    the edition has not."""
    if not line:
        return ""
    found = await line_of(edition_id, line) if line < IDS_END else None
    if found is None:
        raise NotFoundException
    return f"{found.day.month}月{found.day.day}日 {found.summary} {signed(found)}"


async def edition_read(request: Request, matter: Record, typed: str | None) -> tuple[int, int]:
    """Number and id of the edition somebody had open while asking: a correction meanwhile takes no entry from under
    the question. NotFoundException for one the actor may not read."""
    number = int(typed or matter["number"])
    if number == matter["number"]:
        return number, matter["edition_id"]
    found = next((one for one in await editions_for(request.user, matter) if one["number"] == number), None)
    if found is None:
        raise NotFoundException
    return number, found["id"]


async def ask_page(request: Request, matter: Record, filled: Filled) -> Response[Any]:
    line = int(filled.typed.get("line") or 0)
    _, edition_id = await edition_read(request, matter, filled.typed.get("number"))
    settled = await settings_of(county_of(matter["village_code"]))
    return await page(
        request, "questions/new.html", status=filled.status, form=filled.typed, errors=filled.errors,
        matter={"id": matter["id"], "title": matter["title"]}, about=await words_of_line(edition_id, line),
        days=settled["answer_days"],
        options=[{"value": str(Of.VILLAGE), "label": "问村里"}, {"value": str(Of.TOWNSHIP), "label": "向镇里反映"},
                 {"value": str(Of.COUNTY), "label": "向县里反映"}])


@post("/disclosures/{matter_id:int}/questions", can=Can.DISCLOSURE_ASK, status_code=200)
async def ask(request: Request, matter_id: FromPath[int]) -> Response[Any]:
    matter = await asked_about(request, matter_id)
    filled = await forms.fill(request, ASK)
    for name in ("line", "number"):
        if name in filled.errors:
            raise ClientException(filled.errors[name], status_code=422)
    if not filled.errors:
        number, edition_id = await edition_read(request, matter, filled.typed.get("number"))
        try:
            made = await actions.ask(
                request.user, matter, Of(filled["of"]), filled["text"], line=filled["line"] or None,
                line_words=await words_of_line(edition_id, filled["line"]), number=number,
                named=filled["named"], agrees=filled["agrees"])
            return see_other(f"/questions/{made}")
        except Refused as refused:
            filled.errors[refused.field] = str(refused)
    return await ask_page(request, matter, filled)


# The wall -------------------------------------------------------------------------------------------------------------

@get("/disclosures/{matter_id:int}/versions/{number:int}/wall", can=Can.DISCLOSURE_READ)
async def wall(request: Request, matter_id: FromPath[int], number: FromPath[int]) -> Response[Any]:
    """What the wall's QR code opens: exactly the edition that hangs there; of what was taken down, the notice."""
    matter = await the_matter(request.user, matter_id)
    if matter["withdrawn_at"] is not None:
        return see_other(f"/disclosures/{matter_id}")
    if matter["edition_id"] is None:
        raise NotFoundException
    if not any(one["number"] == number for one in await editions_for(request.user, matter)):
        raise NotFoundException
    context = await shown(request.user, matter, number)
    hangs = None if number == matter["number"] else f"墙上贴的是第 {number} 版，网上现在是第 {matter['number']} 版。"
    return await page(request, "questions/wall.html", **context | {"asks": []}, number=number, hangs=hangs,
                      may_tell=request.user.may(Can.DISCLOSURE_ASK))


@post("/disclosures/{matter_id:int}/versions/{number:int}/mismatch", can=Can.DISCLOSURE_ASK, status_code=200)
async def mismatch(request: Request, matter_id: FromPath[int], number: FromPath[int]) -> Response[Any]:
    """墙上和网上不一样, in one tap: the township hears of it."""
    matter = await asked_about(request, matter_id)
    await forms.nothing(request)
    if not any(one["number"] == number for one in await editions_for(request.user, matter)):
        raise NotFoundException
    try:
        made = await actions.ask(request.user, matter, Of.TOWNSHIP, f"墙上和网上第 {number} 版不一样",
                                 kind=Kind.MISMATCH, number=number, named=False, agrees=False)
    except Refused as refused:
        raise ClientException(str(refused), status_code=422) from None
    return see_other(f"/questions/{made}")


# Reading and answering ------------------------------------------------------------------------------------------------

@get("/questions", can=Can.QUESTION_READ)
async def index(request: Request, status: FromQuery[str] = "", before: FromQuery[int] = 0) -> Response[Any]:
    wanted = State(status) if status in set(State) else None
    found = await questions_seen_by(request.user, wanted, below(before))
    base = f"/questions?status={wanted}&" if wanted else "/questions?"
    return await page(
        request, "questions/list.html", here="/questions", answers=request.user.may(Can.QUESTION_ANSWER),
        chips=[{"label": "全部", "href": "/questions", "current": wanted is None}] + [
            {"label": str(one), "href": f"/questions?status={one}", "current": one is wanted} for one in State],
        questions=[{"href": f"/questions/{one['id']}", "title": one["text"][:40], "state": one["state"],
                    "tone": TONES[State(one["state"])], "line": " · ".join((
                        asker(request.user, one), f"问{one['asked_of']}", one["village"],
                        moment(one["asked_at"], now())))}
                   for one in found[:PAGE]],
        more=f"{base}before={found[PAGE - 1]['id']}" if len(found) > PAGE else None)


async def seen(request: Request, question_id: int) -> Record:
    """A question the actor sees; NotFoundException else."""
    found = await question_seen_by(request.user, question_id)
    if found is None:
        raise NotFoundException
    return found


@get("/questions/{question_id:int}", can=Can.QUESTION_READ)
async def show(request: Request, question_id: FromPath[int]) -> Response[Any]:
    return await question_page(request, await seen(request, question_id), Filled())


async def question_page(request: Request, question: Record, filled: Filled) -> Response[Any]:
    """One question with its answer, and what the viewer may do about it."""
    own, state = question["person_id"] == request.user.person_id, State(question["state"])
    due = await find("question_answer", "question", question["id"])
    facts = [["事项", question["title"]]] + ([["哪一笔", question["line_words"]]] if question["line_words"] else [])
    facts += [["提出", f"{asker(request.user, question)} · {moment(question['asked_at'], now())}"],
              ["问谁", question["asked_of"]]]
    if own:
        facts.append(["署名", "村里知道是谁问的" if question["named"] and question["asked_of"] == Of.VILLAGE else
                      "没有告诉村里"])
    hidden = f"{question['hidden_who']}：{without_numbers(question['hidden_why'])}" if state is State.HIDDEN else None
    return await page(
        request, "questions/show.html", status=filled.status, form=filled.typed, errors=filled.errors,
        question={"id": question["id"], "text": question["text"], "state": str(state), "tone": TONES[state],
                  "kind": question["kind"], "facts": facts, "answer": question["answer"], "shown": question["shown"],
                  "answered": f"{question['answer_who']} · {moment(question['answered_at'], now())}"
                  if question["answer_who"] else None, "hidden": hidden, "agrees": question["agrees"]},
        matter=f"/disclosures/{question['matter_id']}" + (f"#line-{question['line']}" if question["line"] else ""),
        due=describe(due, now(), await calendar()) if due and due.state == "open" else None, own=own,
        check=f"/spot-checks/new?matter={question['matter_id']}"
        if question["kind"] != Kind.QUESTION and request.user.may(Can.SPOT_CHECK) else None,
        more=f"/disclosures/{question['matter_id']}/questions/new?to=township"
        if own and question["kind"] == Kind.MISMATCH and state is State.OPEN else None,
        may_answer=actions.is_of(request.user, question),
        may_hide=actions.may_hide(request.user, question),
        goes_up=WHO_HIDES[Of(question["asked_of"])] if actions.is_of(request.user, question) else None,
        may_agree=own and state is State.ANSWERED)


@post("/questions/{question_id:int}/answer", can=Can.QUESTION_ANSWER, status_code=200)
async def answer(request: Request, question_id: FromPath[int]) -> Response[Any]:
    question = await seen(request, question_id)
    if not actions.is_of(request.user, question) and question["state"] == State.OPEN:
        own = question["person_id"] == request.user.person_id
        raise PermissionDeniedException("自己提的问题，请由别的同志答复" if own else
                                        f"这个问题问的是{question['asked_of']}，由那边答复")
    filled = await forms.fill(request, ANSWER)
    if filled.errors:
        return await question_page(request, question, filled)
    await actions.answer(request.user, question, filled["answer"], filled["offered"])
    return see_other(f"/questions/{question_id}")


@post("/questions/{question_id:int}/agreement", can=Can.QUESTION_READ, status_code=200)
async def agree(request: Request, question_id: FromPath[int]) -> Response[Any]:
    question = await seen(request, question_id)
    if question["person_id"] != request.user.person_id:
        raise NotFoundException
    filled = await forms.pressed(request, AGREE)
    await actions.agree(request.user, question, filled["agrees"])
    return see_other(f"/questions/{question_id}")


@post("/questions/{question_id:int}/hiding", can=Can.QUESTION_HIDE, status_code=200)
async def hide(request: Request, question_id: FromPath[int]) -> Response[Any]:
    question = await seen(request, question_id)
    if not actions.may_hide(request.user, question) and question["state"] in HIDING.frm:
        raise PermissionDeniedException("只有被问单位的上级能隐藏；问县里的，县里答复以后才能隐藏")
    filled = await forms.fill(request, HIDE)
    if filled.errors:
        return await question_page(request, question, filled)
    await actions.hide(request.user, question, filled["why"])
    return see_other(f"/questions/{question_id}")


ROUTES = [new, ask, wall, mismatch, index, show, answer, agree, hide]
