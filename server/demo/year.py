"""A year of a branch's meetings, as it could have been: what each was, who came, what was written, and when."""
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random

from server.core.clock import BEIJING
from server.core.periods import month_after
from server.demo import minutes
from server.meetings.rules import Kind, Mark
from server.organisations.rules import Office
from server.permissions import Role

MONTHS_BACK = 12
SIGNS_AS = {Office.SECRETARY: Role.SECRETARY, Office.ORGANISER: Role.ORGANISER, Office.PUBLICITY: Role.BRANCH_ADMIN}


@dataclass(frozen=True)
class Listed:
    """A member as the branch's list has him or her."""

    person_id: int
    name: str
    standing: str
    group_id: int | None
    office: str | None
    place: int  # in the list

    @property
    def signature(self) -> str:
        return f"{self.name} · {SIGNS_AS[Office(self.office)] if self.office in SIGNS_AS else self.standing}"


@dataclass(frozen=True)
class Branch:
    id: int
    path: str
    name: str
    village: str
    members: list[Listed]

    def holder(self, office: Office) -> Listed:
        return next(member for member in self.members if member.office == office)

    @property
    def secretary(self) -> Listed:
        return self.holder(Office.SECRETARY)

    @property
    def organiser(self) -> Listed:
        return self.holder(Office.ORGANISER)

    @property
    def keeper(self) -> Listed:
        """Who keeps the e-branch: the 宣传委员 here."""
        return self.holder(Office.PUBLICITY)

    @property
    def committee(self) -> list[Listed]:
        return [member for member in self.members if member.office]

    def group(self, group_id: int) -> list[Listed]:
        return [member for member in self.members if member.group_id == group_id]

    @property
    def groups(self) -> list[int]:
        return sorted({member.group_id for member in self.members if member.group_id})


@dataclass
class Held:
    """One gathering. What never happened is None: not recorded, not written, not checked."""

    branch: Branch
    kinds: list[Kind]
    topic: str
    place: str
    begins: datetime
    ends: datetime
    expected: list[Listed]
    planned_at: datetime | None  # None: entered afterwards (补记)
    log: dict[str, str]
    marks: dict[int, tuple[Mark, str, datetime, int | None]] = field(default_factory=dict)  # mark, how, when, by whom
    replies: dict[int, tuple[str, str, datetime]] = field(default_factory=dict)  # reply, note, when
    recorded_at: datetime | None = None
    written_at: datetime | None = None
    checked_at: datetime | None = None


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """A moment of the Beijing clock."""
    return datetime.combine(day, time(hour, minute), BEIJING)


def year_of(branch: Branch, now: datetime, seed: int) -> list[Held]:
    """The branch's gatherings that are over or called by `now`, the oldest first. The same seed gives the same year."""
    rng = Random(f"{seed} {branch.name} {branch.village}")
    theme_day = rng.randint(8, 22)  # 每月相对固定1天
    today = now.astimezone(BEIJING).date()
    held = [one for back in range(1 - MONTHS_BACK, 1)  # months, this one included
            for one in month_of(branch, month_after(today, back), theme_day, rng)
            if one.ends < now or (one.planned_at and one.planned_at < now)]
    for one in held:
        fill_in(one, now, rng)
    return sorted(held, key=lambda one: one.begins)


def month_of(branch: Branch, month: date, theme_day: int, rng: Random) -> Iterator[Held]:
    """What a branch holds in one month by the rules of frequency (支部工作条例): monthly 支委会, 党小组会 and 主题党日,
    quarterly 支部党员大会 and 党课, once a year 组织生活会 with 民主评议."""
    early = rng.randint(3, 6) + (6 if month.month == 10 else 0)  # not in the holidays
    yield meeting(branch, rng, [Kind.COMMITTEE], rng.choice(minutes.COMMITTEE), month.replace(day=early),
                  branch.committee, hour=19)
    for group in branch.groups:
        yield meeting(branch, rng, [Kind.GROUP], rng.choice(minutes.GROUPS), month.replace(day=rng.randint(23, 27)),
                      branch.group(group), hour=19)
    day = month.replace(day=theme_day)
    if month.month % 3 == 0:  # the lecture of the quarter goes with the 主题党日 of its last month
        topic, substance = rng.choice(minutes.LECTURES)
        yield meeting(branch, rng, [Kind.THEME_DAY, Kind.LECTURE],
                      (f"{minutes.MONTHS[month.month - 1]}月主题党日暨党课：{topic}", substance), day, branch.members,
                      hour=19)
    else:
        yield meeting(branch, rng, [Kind.THEME_DAY], minutes.theme_day(month.month), day, branch.members,
                      hour=rng.choice((9, 15, 19)))
    if month.month % 3 == 2:
        about = minutes.YEAR_PLAN if month.month == 11 else rng.choice(minutes.ASSEMBLIES)
        yield meeting(branch, rng, [Kind.ASSEMBLY], about, month.replace(day=rng.choice((7, 23))), branch.members,
                      hour=19)
    if month.month == 1:
        topic, substance = minutes.LIFE_MEETING
        yield meeting(branch, rng, [Kind.LIFE_MEETING, Kind.APPRAISAL], (topic.format(year=month.year - 1), substance),
                      month.replace(day=rng.randint(23, 28)), branch.members, hour=14)


def meeting(branch: Branch, rng: Random, kinds: list[Kind], about: tuple[str, str], day: date,
            expected: list[Listed], *, hour: int, planned: bool | None = None) -> Held:
    """One gathering with what was said at it; whether it was planned is chance unless told."""
    begins = at(day, hour, rng.choice((0, 30)))
    chair, recorder = branch.secretary.name, branch.keeper.name
    place, votes = "村委会会议室", Kind.ASSEMBLY in kinds
    if kinds == [Kind.GROUP]:
        chair, place = rng.choice(expected).name, rng.choice(("村委会东屋", "党员活动室", "文化大院"))
    full = sum(member.standing == "正式党员" for member in expected)
    called = begins - timedelta(days=rng.randint(2, 5), hours=rng.randint(1, 9))
    by_chance = rng.random() < 0.9
    log = {
        "chair": chair, "recorder": recorder, "guests": "", "agenda": minutes.AGENDAS[kinds[0]],
        "minutes": minutes.told(rng, about[1], chair, recorder, rng.choice(expected).name),
        "decisions": "表决通过。" if votes else "", "votes": f"有表决权的正式党员 {full} 名" if votes else ""}
    return Held(branch, kinds, about[0], place, begins, begins + timedelta(minutes=rng.choice((60, 75, 90, 120))),
                expected, called if (by_chance if planned is None else planned) else None, log)


def fill_in(held: Held, now: datetime, rng: Random) -> None:
    """Who came, and when it was recorded, written and checked; what would lie after `now` has not happened yet."""
    come_in(held, rng, likely=rng.uniform(0.8, 1.0))
    held.replies = {person: reply for person, reply in held.replies.items() if reply[2] < now}
    recorded = held.ends + timedelta(minutes=rng.choice((15, 40, 90, 14 * 60, 20 * 60, 40 * 60)))
    written = recorded + timedelta(minutes=rng.randint(5, 90))
    checked = written + timedelta(hours=rng.randint(1, 30))
    if recorded >= now:
        held.marks = {person: mark for person, mark in held.marks.items() if mark[1] != "名单" and mark[2] < now}
        return
    held.recorded_at = recorded
    held.written_at = written if written < now else None
    held.checked_at = checked if checked < now and rng.random() < 0.97 else None
    votes(held)


def come_in(held: Held, rng: Random, likely: float) -> None:
    """Marks of those expected: most come, the committee always; of the others nearly all have asked for leave. One in
    four is marked on the list, the rest scan."""
    least = -(-3 * len(held.expected) // 4)
    coming = {member.person_id for member in held.expected if rng.random() < likely or member.office
              or member.name == held.log["chair"]}
    for member in rng.sample(held.expected, len(held.expected)):
        if len(coming) < least:
            coming.add(member.person_id)
    by_list = held.planned_at is None or len(held.expected) < 8
    for member in held.expected:
        came = member.person_id in coming
        mark = Mark.PRESENT if came else Mark.EXCUSED if rng.random() < 0.9 else Mark.ABSENT
        how = "名单" if by_list or not came or rng.random() < 0.25 else "扫码" if rng.random() < 0.9 else "数字码"
        moment = held.begins + timedelta(seconds=rng.randint(-1500, 300)) if how != "名单" else held.ends
        held.marks[member.person_id] = (
            mark, how, moment, held.branch.keeper.person_id if how == "名单" else None)
        if held.planned_at and mark is not Mark.ABSENT and rng.random() < 0.7:
            answered = held.planned_at + (held.begins - held.planned_at) * rng.random()
            held.replies[member.person_id] = (mark.value, "", answered)


def votes(held: Held) -> None:
    """Writes the vote of an assembly from who was there."""
    if held.log["votes"]:
        there = sum(held.marks[member.person_id][0] is Mark.PRESENT for member in held.expected
                    if member.standing == "正式党员")
        held.log["votes"] += f"，实到 {there} 名，赞成 {there}，反对 0，弃权 0"
