"""公开事项 (M3§8): its states and the moves between them, who signs, what is looked at before publishing. No I/O."""
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from server.catalogues.rules import CONVENIENCE, PUBLISH, Audience, Category, Form
from server.core import kinds
from server.core.deadlines import Rule, declare
from server.core.moves import Move
from server.core.workdays import working_days
from server.permissions import Can, Role

PUBLISHED_LATER_MOST = timedelta(days=15)  # a moment that is chosen lies no further ahead
TITLE_MAX, TEXT_MAX, WHY_MAX, REASON_MAX, PHONE_MAX = 60, 20_000, 300, 300, 20  # characters
ROWS_MOST, CELL_MAX = 2_000, 60  # rows of a table or list; characters of one cell
PAGE = 30  # matters a page

FILES = kinds.declare(kinds.Place(
    "matter_files", "附件", kinds.DOCUMENTS + kinds.PICTURES, most=10, can=Can.DISCLOSURE_KEEP))
WALL = kinds.declare(kinds.Place(  # 网上网下一致 (M3§7-8)
    "wall_photos", "公开栏照片", kinds.PICTURES, most=4, can=Can.DISCLOSURE_KEEP, scans=True))
PLACES = (FILES, WALL)

REVIEW_TIME = declare(Rule(
    name="disclosure_review", label="三务公开审核", length=working_days(2), source="M3§8", remind=(1,),
    cascades=False, can=Can.DISCLOSURE_REVIEW))


class State(StrEnum):
    """Where an edition stands; the value is stored and shown."""

    DRAFT = "草稿"
    SIGNING = "待签字"
    SUBMITTED = "待审核"
    RETURNED = "审核不通过"
    APPROVED = "待公开"
    PUBLISHED = "已公开"
    DROPPED = "已作废"


TONES = {State.DRAFT: "grey", State.SIGNING: "amber", State.SUBMITTED: "amber", State.RETURNED: "red",
         State.APPROVED: "blue", State.PUBLISHED: "green", State.DROPPED: "grey"}
OPEN = frozenset({State.DRAFT, State.RETURNED})  # may be written in
ON_ITS_WAY = frozenset({State.SIGNING, State.SUBMITTED, State.APPROVED})

SUBMISSION = Move("submission", "提交", OPEN, State.SUBMITTED, Can.DISCLOSURE_KEEP)
SIGNING = Move("signature", "签字", frozenset({State.SIGNING}), State.SUBMITTED, Can.DISCLOSURE_SIGN)
TAKING_BACK = Move("taking-back", "撤回修改", ON_ITS_WAY, State.DRAFT, Can.DISCLOSURE_KEEP)
REVIEW = Move("review", "审核", frozenset({State.SUBMITTED}), State.PUBLISHED, Can.DISCLOSURE_REVIEW)
DROPPING = Move("dropping", "作废", OPEN, State.DROPPED, Can.DISCLOSURE_KEEP)
MOVES = (SUBMISSION, SIGNING, TAKING_BACK, REVIEW, DROPPING)


class Verdict(StrEnum):
    PASSED = "审核通过"
    RETURNED = "审核不通过"


class Signed(StrEnum):
    AGREED = "同意公开"
    REFUSED = "不同意"


def rule_of(matter: Mapping[str, Any]) -> Rule:
    """The deadline by which a matter is to be published."""
    return CONVENIENCE if matter["category"] == Category.CONVENIENCE else PUBLISH


SEATS = (Role.SUPERVISOR, Role.SECRETARY)  # who signs, where the county wants it


def seats_for(audience: str) -> tuple[Role, ...]:
    """Who signs what is for that audience: what is for members alone the 村务监督委员会 does not read, nor sign."""
    return SEATS if audience != Audience.MEMBERS else (Role.SECRETARY,)


# 涉密信息不上网，上网信息不涉密 (M3§11): what the reviewer has looked at, item by item.
SECRECY = (
    "没有国家秘密、内部文件和工作秘密",
    "没有完整的身份证号、银行卡号、手机号，没有病情",
    "没有未成年人、举报人等不应公开的个人信息",
    "网上内容与公开栏、会议决议一致（M3§8）",
)

TOTAL = re.compile(r"(?:本[月页年村期]|全[镇乡])?[合总小累]\s*计[:：]?")  # what a row that sums up others is called

# What a reason of a return can be about.
FIELDS = {"title": "标题", "text": "正文", "lines": "表格", "ledger": "账目", "files": "附件", "wall": "公开栏照片",
          "until": "有效期", "phone": "联系电话"}
OF_FORM = {"lines": (Form.TABLE, Form.LIST), "ledger": (Form.LEDGER,), "text": (Form.TEXT, Form.TABLE, Form.LIST),
           "until": (Form.TEXT, Form.TABLE, Form.LIST), "phone": (Form.TEXT, Form.TABLE, Form.LIST)}
# What a check can be about.
LABELS = FIELDS | {"catalogue": "公开目录", "category": "项目", "closing": "本月结余", "day": "日期",
                   "income": "收支金额", "month": "月份", "note": "说明", "opening": "上月结余", "period": "时期",
                   "pictures": "凭证照片", "publish_at": "定时公开", "summary": "摘要", "why": "更正原因",
                   "voucher": "凭证号", "handler": "经手、证明、审批",
                   "witness": "证明人", "approver": "审批人"}


def fields_of(form: str) -> list[tuple[str, str]]:
    """What a return can be about in a matter of this form: names and labels."""
    return [(name, label) for name, label in FIELDS.items() if form in OF_FORM.get(name, tuple(Form))]


def reasons_told(reasons: str) -> list[tuple[str, str]]:
    """Why something was returned, as it is kept, field by field: label and reason."""
    return [(FIELDS.get(name, name), reason) for name, reason in json.loads(reasons).items()]


def label_of(field: str) -> str:
    """What a check is about, as pages name it; of an entry (line-3-summary) what of it."""
    return LABELS[field.rpartition("-")[2]]


class Level(StrEnum):
    """How much a finding matters (逻辑校验)."""

    ERROR = "错误"  # it can't be handed on
    WARNING = "警告"  # it can, and the reviewer sees it
    REMINDER = "提醒"


LEVEL_TONES = {Level.ERROR: "red", Level.WARNING: "amber", Level.REMINDER: "blue"}


@dataclass(frozen=True)
class Finding:
    """What a check found: about which field, in words, after which article."""

    level: Level
    field: str
    words: str
    source: str


def errors(findings: Sequence[Finding]) -> list[Finding]:
    """Those that keep it from being handed on."""
    return [one for one in findings if one.level is Level.ERROR]


class WithdrawalState(StrEnum):
    ASKED = "待审核"
    WITHDRAWN = "已撤下"
    REFUSED = "不同意"
