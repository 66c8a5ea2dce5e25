"""What is going on in 前村 and 后村 at the demonstration's present, so that every state of a meeting can be seen."""
from datetime import date, datetime, timedelta
from random import Random

from asyncpg import Connection

from server.core.clock import BEIJING
from server.demo import minutes
from server.demo.records import Said
from server.demo.residents import SEED
from server.demo.year import Branch, Held, Listed, at, come_in, meeting, votes
from server.meetings.rules import Kind, Mark

BEGINS = timedelta(days=16)  # before now; up to here 前村's year is like every other branch's
ONE_ASSEMBLY = timedelta(days=45)
LAST_CALL = 18  # o'clock: a meeting of 19:30 is still called for today until then
NOT_ANSWERED = ("王秀英", "李晓燕", "张建国")  # they find the two buttons open
ANSWERED = 17
EXCUSES = ("在青岛打工，月底才回来", "孩子住院，走不开")
ROAD = ("研究北坡路的预算和施工", "比较了两家的报价，先修 320 米；预算在主题党日上念给大家听，同意后张榜公开。")
YEAR_PLAN = "表决通过《前村支部 {year} 年工作计划》。"


def tells_of(held: Held, now: datetime) -> bool:
    """Whether this gathering of 前村's year makes room for one that is told here."""
    month = to_come_on(now).replace(day=1)
    if Kind.THEME_DAY in held.kinds:
        return held.begins > at(month, 0)
    return held.ends > now - (ONE_ASSEMBLY if Kind.ASSEMBLY in held.kinds else BEGINS)


def to_come_on(now: datetime) -> date:
    """Tonight's date, or tomorrow's when it is too late to call anybody for today."""
    local = now.astimezone(BEIJING)
    return local.date() + timedelta(days=local.hour >= LAST_CALL)


async def gatherings(connection: Connection, branch: Branch, now: datetime) -> list[Held]:
    """前村: an assembly whose log locks on the next working day; a group meeting of the same day, not recorded yet;
    a committee meeting of two working days ago, not checked yet; a 主题党日 still to come, with answers."""
    rng = Random(f"{SEED} present")
    six, two = await working_days_ago(connection, 6, now), await working_days_ago(connection, 2, now)
    assembly = meeting(branch, rng, [Kind.ASSEMBLY], minutes.YEAR_PLAN, six, branch.members, hour=19, planned=True)
    assembly.log["decisions"] = YEAR_PLAN.format(year=now.astimezone(BEIJING).year + 1)
    take_attendance(assembly, rng, excused=3)
    recorded(assembly, assembly.ends + timedelta(hours=14))
    assembly.checked_at = at(now.astimezone(BEIJING).date() - timedelta(days=1), 16, 20)
    group = meeting(branch, rng, [Kind.GROUP], minutes.GROUPS[0], six, branch.group(branch.groups[0]), hour=8,
                    planned=True)
    committee = meeting(branch, rng, [Kind.COMMITTEE], ROAD, two, branch.committee, hour=19,
                        planned=True)
    take_attendance(committee, rng, excused=0)
    recorded(committee, committee.ends + timedelta(hours=11))
    return [assembly, group, committee, to_come(branch, now)]


async def working_days_ago(connection: Connection, count: int, now: datetime) -> date:
    """The working day from which `count` working days have passed."""
    return await connection.fetchval("""
        SELECT ago.day FROM calendar_day today JOIN calendar_day ago ON ago.working AND ago.ordinal = today.ordinal - $2
        WHERE today.day = $1""", now.astimezone(BEIJING).date(), count)


def take_attendance(held: Held, rng: Random, excused: int) -> None:
    """Everybody came but `excused` of those who hold no seat; most by QR code."""
    come_in(held, rng, likely=1.0)
    for member in rng.sample([one for one in held.expected if not one.office], excused):
        held.marks[member.person_id] = (Mark.EXCUSED, "名单", held.ends, held.branch.keeper.person_id)
        held.replies.pop(member.person_id, None)
    votes(held)


def recorded(held: Held, moment: datetime) -> None:
    held.recorded_at, held.written_at = moment, moment + timedelta(minutes=25)


def to_come(branch: Branch, now: datetime) -> Held:
    """The 主题党日 of tonight or tomorrow night, with what was answered so far."""
    day = to_come_on(now)
    called = at(now.astimezone(BEIJING).date() - timedelta(days=4), 9, 12)
    answers = [member for member in branch.members if member.name not in NOT_ANSWERED][:ANSWERED]
    excused = [member for member in answers if not member.office][-len(EXCUSES):]
    replies = {
        member.person_id: (
            "请假" if member in excused else "参加", EXCUSES[excused.index(member)] if member in excused else "",
            min(called + timedelta(hours=3 * place), now - timedelta(hours=1)))
        for place, member in enumerate(answers, 1)}
    topic = f"{minutes.MONTHS[day.month - 1]}月主题党日：学条例、看村账、议修路"
    return Held(branch, [Kind.THEME_DAY], topic, "村委会会议室", at(day, 19, 30), at(day, 21), branch.members, called,
                log={}, replies=replies)


def talk(qiancun: Branch, houcun: Branch, now: datetime) -> list[Said]:
    """What members say: under the coming 主题党日, and in the forums."""
    today = now.astimezone(BEIJING).date()

    def said(branch: Branch, thread: str, days: int, hour: int, minute: int, by: Listed, text: str) -> Said:
        return Said((thread, branch.id), at(today - timedelta(days=days), hour, minute), by, text)

    here = {member.name: member for member in qiancun.members}
    ordinary = [member for member in houcun.members if not member.office]
    return [
        said(qiancun, "meetings", 4, 9, 40, here["王秀英"], "参加。能不能把修路的预算也带来看看？"),
        said(qiancun, "meetings", 4, 10, 5, qiancun.organiser, "好，三务公开里十月的账也会投到屏上。"),
        said(qiancun, "forum", 12, 20, 31, here["陈𬶮"], "我在青岛换了住处，电话没变。月底回村，党费托二哥交了。"),
        said(qiancun, "forum", 12, 21, 2, qiancun.organiser, "收到，给你记上了。出门在外注意安全，回来补上学习。"),
        said(qiancun, "forum", 9, 12, 15, here["阿依努尔·吐尔逊"], "上次主题党日包饺子的照片谁有？老人们想要几张。"),
        said(qiancun, "forum", 9, 12, 40, qiancun.keeper, "我洗好了 12 张，放在村委会东屋，路过的来拿。"),
        said(qiancun, "forum", 5, 19, 8, here["张建国"], "北坡那条路什么时候修？下雨天车上不去。"),
        said(qiancun, "forum", 5, 19, 50, qiancun.secretary, "先修 320 米，预算这次主题党日上念，大家同意就开工。"),
        said(qiancun, "forum", 1, 18, 26, here["张建国"], "那我晚上早点到，把几处塌的地方的照片带上。"),
        said(houcun, "forum", 6, 18, 20, ordinary[0], "村口的路灯又灭了两盏，晚上孩子放学不好走。"),
        said(houcun, "forum", 6, 18, 55, houcun.secretary, "明天上午请电工来看，修好在这里说一声。"),
        said(houcun, "forum", 5, 11, 30, houcun.secretary, "两盏都修好了，换的新灯头，费用 86 元，从办公费里出。"),
    ]
