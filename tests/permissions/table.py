"""Who gets which answer, sentence by sentence: written by hand from what the product is to be, not from its code, so
that the two can disagree.

A sentence: an address | a group of roles, where the thing stands as seen from them, and the answer | the next group …
Where: own (the role's organisation), below, above, sibling, elsewhere, mine (the person's own); no word: anywhere.
A stage of the thing before an answer makes it that stage's answer; `else`: the answer in all other stages.
Who stands in no group gets 403; a thing that stands nowhere named is 404. Who isn't signed in is sent to /sign-in by
a page and gets 401 for a change, unless the sentence says `anonymous`. The first group somebody belongs to counts."""
from dataclasses import dataclass, field

from tests.permissions.village_sentences import READERS, VILLAGES
from tests.permissions.village_sentences import STAGES as VILLAGE_STAGES

ROLES = ("村民", "村务监督委员会", "入党申请人", "预备党员", "正式党员", "村（社区）管理员", "书记", "组织委员",
         "e支部管理员", "党委管理员", "组织员", "县级管理员", "市级管理员", "省级管理员", "安全员", "审计员")
GROUPS = {
    "everyone": ROLES,
    "anybody": ROLES[:-2],  # 安全员 and 审计员 have no business screens
    "branch": ("预备党员", "正式党员", "书记", "组织委员", "e支部管理员"),
    "officer": ("书记", "组织委员", "e支部管理员"),
    "overseer": ("党委管理员", "组织员", "县级管理员", "市级管理员", "省级管理员"),
    "committee": ("党委管理员",),
    "nominator": ("书记", "党委管理员", "县级管理员", "市级管理员", "省级管理员"),
} | READERS | {role: (role,) for role in ROLES}
WHERE = ("own", "below", "above", "sibling", "elsewhere", "mine")
MEETING = ("planned", "running", "held", "locked", "explained", "amended", "cancelled")
STAGES = (("meeting_id", "", MEETING), ("token", "", MEETING), *VILLAGE_STAGES)
WORDS = {stage for *_, stages in STAGES for stage in stages}

SENTENCES = """
GET  /                                                 | anonymous 303 | everyone 303
GET  /health                                           | anonymous 200 | everyone 200
GET  /static/{fingerprint:str}/{name:path}             | anonymous 200 | everyone 200
GET  /sign-in                                          | anonymous 200 | everyone 303
POST /sign-in                                          | anonymous 303 | everyone 303
GET  /activation                                       | anonymous 200 | everyone 200
POST /activation/code                                  | anonymous 200 | everyone 200
POST /activation                                       | anonymous 422 | everyone 422
POST /activation/request                               | anonymous 422 | everyone 422
GET  /registration                                     | anonymous 200 | everyone 200
POST /registration/code                                | anonymous 200 | everyone 200
POST /registration                                     | anonymous 422 | everyone 422
POST /registration/request                             | anonymous 200 | everyone 200
GET  /picture-codes/new                                | anonymous 200 | everyone 200
GET  /picture-codes/{token:str}                        | anonymous 200 | everyone 200
GET  /picture-codes/{token:str}/sound                  | anonymous 200 | everyone 200
GET  /demo/outbox                                      | anonymous 200 | everyone 200
POST /sign-out                                         | everyone 303
GET  /live                                             | everyone 200
GET  /tabs                                             | everyone 200
GET  /me                                               | everyone 200
POST /me/roles/{grant_id:int}                          | everyone mine 303
GET  /me/sessions                                      | everyone 200
POST /me/sessions/{session_id:int}/ending              | everyone mine 303
GET  /step-up                                          | everyone 303
POST /step-up                                          | everyone 422
POST /step-up/code                                     | everyone 303
GET  /password-reset                                   | anonymous 200 | everyone 200
POST /password-reset                                   | anonymous 303 | everyone 303
GET  /me/password                                      | everyone 200
POST /me/password                                      | everyone 422
GET  /parked/{key:str}                                 | everyone mine 200
POST /settings/large                                   | everyone 303
GET  /me/attendance                                    | branch 200
GET  /to-dos                                           | officer 200 | overseer 200 | keeper 200 | signer 200
GET  /organisations                                    | branch 303 | overseer 303
GET  /organisations/{organisation_id:int}              | branch own 200 below 200 | overseer own 200 below 200
GET  /members                                          | officer 200 | overseer 200
POST /members/search                                   | officer 200 | overseer 200
GET  /members/{person_id:int}
    | officer own 200 mine 200 | overseer below 200 mine 200 | everyone mine 200
POST /members/{person_id:int}/openings
    | officer own 200 mine 200 | committee below 200 mine 200 | 县级管理员 below 200 mine 200
GET  /members/{person_id:int}/phone                    | officer own 200 mine 200
POST /members/{person_id:int}/phone                    | officer own 303 mine 422

GET  /accounts/messages                                | 安全员 200
GET  /accounts/messages/{sms_id:int}                   | 安全员 own 200 below 200
POST /accounts/messages/{sms_id:int}/resending         | 安全员 own 303 below 303

GET  /threads                                          | anybody 200
GET  /threads/{thread_id:int} about meetings           | branch own 200 | anybody 404
GET  /threads/{thread_id:int} about forum              | branch own 200 | anybody 404
GET  /threads/{thread_id:int} about reports            | committee own 200 | anybody 404
GET  /threads/{thread_id:int} about reminders          | anybody mine 200
POST /threads/{thread_id:int}/entries about meetings   | branch own 303
POST /threads/{thread_id:int}/entries about forum      | branch own 303
POST /threads/{thread_id:int}/entries about reports    | branch 404
POST /threads/{thread_id:int}/entries about reminders  | branch 404
POST /threads/{thread_id:int}/entries/{entry_id:int}/withdrawal about forum    | officer own 303
POST /threads/{thread_id:int}/entries/{entry_id:int}/withdrawal about meetings | officer 404

GET  /audit                                            | 审计员 200
POST /audit                                            | 审计员 200
GET  /audit/{kind:str}/{subject_id:int}                | 审计员 own 200 below 200
GET  /audit/verification                               | 审计员 200
POST /audit/verification                               | 审计员 303
GET  /audit/verification/checkpoints/{number:int}      | 审计员 200

GET  /meetings                                         | branch 200 | overseer 200
GET  /meetings/new                                     | officer 200
POST /meetings                                         | officer 303
POST /meetings/held                                    | officer 303
GET  /meetings/{meeting_id:int}                        | branch own 200 | overseer below 200
GET  /meetings/{meeting_id:int}/move                   | officer own planned 200 else 409
POST /meetings/{meeting_id:int}/move                   | officer own planned 303 else 409
GET  /meetings/{meeting_id:int}/facts                  | officer own planned 200 running 200 held 200 else 409
POST /meetings/{meeting_id:int}/facts                  | officer own planned 303 running 303 held 303 else 409
GET  /meetings/{meeting_id:int}/cancellation           | officer own planned 200 running 200 else 409
POST /meetings/{meeting_id:int}/cancellation           | officer own planned 303 running 303 else 409
POST /meetings/{meeting_id:int}/reply                  | branch own planned 303 else 409

GET  /c/{token:str}                                    | anonymous 303 | everyone 200
POST /c/{token:str}
    | branch own planned 409 cancelled 409 else 303 sibling 409 elsewhere 409
GET  /meetings/{meeting_id:int}/check-in               | branch own 200
POST /meetings/{meeting_id:int}/check-in               | branch own running 200 else 409
GET  /meetings/{meeting_id:int}/check-in-wall          | officer own 200
GET  /wall/{token:str}
    | anonymous planned 200 running 200 else 404
    | everyone planned 200 running 200 else 404
GET  /wall/{token:str}/live
    | anonymous planned 200 running 200 else 404
    | everyone planned 200 running 200 else 404
GET  /meetings/{meeting_id:int}/attendance             | officer own 200
POST /meetings/{meeting_id:int}/attendance             | officer own running 303 held 303 else 409
POST /meetings/{meeting_id:int}/attendance/rest        | officer own running 303 held 303 else 409
POST /meetings/{meeting_id:int}/attendance/people      | officer own running 303 held 303 else 409

GET  /meetings/{meeting_id:int}/log                    | officer own running 200 held 200 else 409
POST /meetings/{meeting_id:int}/log                    | officer own running 303 held 303 else 409
POST /meetings/{meeting_id:int}/log/draft              | officer own running 204 held 204 else 409
GET  /meetings/{meeting_id:int}/photos/{file_id:int}
    | officer own planned 404 running 404 cancelled 404 else 200
    | branch own planned 404 running 404 held 404 cancelled 404 else 200
    | overseer below planned 404 running 404 cancelled 404 else 200
GET  /meetings/{meeting_id:int}/attachments/{file_id:int}
    | officer own planned 404 running 404 cancelled 404 else 200
    | branch own planned 404 running 404 held 404 cancelled 404 else 200
    | overseer below planned 404 running 404 cancelled 404 else 200
POST /meetings/{meeting_id:int}/log/check about secretary
    | 组织委员 own held 303 else 409
    | 书记 own planned 409 running 409 cancelled 409 else 403
POST /meetings/{meeting_id:int}/log/check about organiser
    | 组织委员 own planned 409 running 409 cancelled 409 else 403
    | 书记 own held 303 else 409

POST /uploads                                          | officer 200
GET  /uploads/{upload_id:int}/file                     | everyone mine 200
POST /uploads/{upload_id:int}/pieces/{number:int}      | everyone mine 409
POST /uploads/{upload_id:int}/check                    | everyone mine 200
POST /uploads/{upload_id:int}/removal                  | everyone mine 204

GET  /meetings/{meeting_id:int}/amendments
    | branch own locked 200 explained 200 amended 200 else 409
    | overseer below locked 200 explained 200 amended 200 else 409
POST /meetings/{meeting_id:int}/amendments             | officer own locked 303 amended 303 else 409
POST /meetings/{meeting_id:int}/amendments/{amendment_id:int}/preview
    | committee below explained 200 amended 409 else 404
POST /meetings/{meeting_id:int}/amendments/{amendment_id:int}/version
    | committee below explained 303 amended 409 else 404
POST /meetings/{meeting_id:int}/amendments/{amendment_id:int}/return
    | committee below explained 303 amended 409 else 404

GET  /accounts                                         | 安全员 200
POST /accounts                                         | 安全员 303
POST /accounts/search                                  | 安全员 200
GET  /accounts/new                                     | 安全员 200
GET  /accounts/register                                | 安全员 200
GET  /accounts/{account_id:int}                        | 安全员 own 200 below 200
POST /accounts/{account_id:int}/codes                  | 安全员 own 303 below 303
GET  /accounts/{account_id:int}/roles/new              | 安全员 own 200 below 200
POST /accounts/{account_id:int}/roles                  | 安全员 own 303 below 303
GET  /accounts/{account_id:int}/phone                  | 安全员 own 200 below 200
POST /accounts/{account_id:int}/phone                  | 安全员 own 303 below 303
POST /accounts/{account_id:int}/roles/{grant_id:int}/end | 安全员 own 303 below 303
GET  /accounts/{account_id:int}/roles/{grant_id:int}/hand-over | 安全员 own 200 below 200
POST /accounts/{account_id:int}/roles/{grant_id:int}/hand-over | 安全员 own 303 below 303
GET  /accounts/{account_id:int}/roles/{grant_id:int}/substitution | 安全员 own 200 below 200
POST /accounts/{account_id:int}/roles/{grant_id:int}/substitution | 安全员 own 303 below 303
GET  /accounts/hand-overs/{hand_over_id:int}           | 安全员 own 200 below 200
POST /accounts/{account_id:int}/closure                | 安全员 own 303 below 303
POST /accounts/{account_id:int}/reopening              | 安全员 own 303 below 303
GET  /accounts/nominations                             | nominator 200 | 安全员 200
GET  /accounts/nominations/new                         | nominator 200
POST /accounts/nominations                             | nominator 303
GET  /accounts/nominations/{nomination_id:int}         | nominator own 200 | 安全员 own 200 below 200
POST /accounts/nominations/{nomination_id:int}/opening | 安全员 own 303 below 303
POST /accounts/nominations/{nomination_id:int}/return  | 安全员 own 303 below 303
POST /accounts/nominations/{nomination_id:int}/withdrawal | nominator own 303
GET  /accounts/imports                                 | 安全员 200
POST /accounts/imports                                 | 安全员 303
GET  /accounts/imports/template                        | 安全员 200
GET  /accounts/imports/{import_id:int}                 | 安全员 own 200
GET  /accounts/imports/{import_id:int}/wrong-rows      | 安全员 own 200
POST /accounts/imports/{import_id:int}/pause           | 安全员 own 303
POST /accounts/imports/{import_id:int}/resumption      | 安全员 own 303
"""


@dataclass(frozen=True)
class Sentence:
    """One line. answers: group → where ("" anywhere) → stage ("" any) → status."""

    method: str
    path: str
    about: str
    anonymous: dict[str, int] | None = None
    answers: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.method} {self.path}" + (f" about {self.about}" if self.about else "")

    @property
    def route(self) -> tuple[str, str]:
        return self.method, self.path

    def group_of(self, role: str) -> str | None:
        """The first group of the line that `role` belongs to; None: 403."""
        return next((group for group in self.answers if role in GROUPS[group]), None)

    def same_everywhere(self, role: str) -> bool:
        """Whether it makes no difference to this role where the thing stands."""
        group = self.group_of(role)
        return group is not None and set(self.answers[group]) == {""}

    @property
    def every_stage(self) -> tuple[str, ...]:
        """The stages a thing of this address has; one nameless stage where it has none."""
        return next((stages for part, about, stages in STAGES
                     if part in self.path and about in ("", self.about)), ("",))

    @property
    def open_stage(self) -> tuple[str, ...]:
        """The first stage in which somebody is let through: who sees nothing here sees nothing even then."""
        through = [stage for stage in self.every_stage for said in self.answers.values() for by_stage in said.values()
                   if by_stage.get(stage, by_stage.get("", 404)) < 400]
        return (*through, *self.every_stage)[:1]

    def stages(self, role: str, where: str) -> tuple[str, ...]:
        """The stages in which this role is to be tried on a thing that stands there."""
        group = self.group_of(role)
        answers = self.answers[group] if group else {}
        return self.every_stage if where in answers or "" in answers else self.open_stage

    def answer(self, role: str, where: str, stage: str) -> int:
        """The status that `role` gets for a thing that stands there, in that stage."""
        group = self.group_of(role)
        if group is None:
            return 403
        by_stage = self.answers[group].get(where, self.answers[group].get(""))
        return 404 if by_stage is None else by_stage[stage if stage in by_stage else ""]


def read(line: str) -> Sentence:
    """One line of SENTENCES; ValueError for a word that means nothing."""
    address, *clauses = (part.strip() for part in line.split("|"))
    route, _, about = address.partition(" about ")
    method, path = route.split()
    anonymous, answers = None, {}
    for clause in clauses:
        group, *words = clause.split()
        said, where, stage = {}, "", ""
        for word in words:
            if word in WHERE:
                where = word
            elif word in WORDS:
                stage = word
            elif word != "else":
                said.setdefault(where, {})[stage] = int(word)
                stage = ""
        if group == "anonymous":
            anonymous = said[""]
        elif group in GROUPS:
            answers[group] = said
        else:
            raise ValueError(f"{line}: who is {group}?")
    return Sentence(method, path, about, anonymous, answers)


TABLE = tuple(read(line) for line in (SENTENCES + VILLAGES).replace("\n    |", " |").splitlines() if line)
