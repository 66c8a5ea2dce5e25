"""The people one can sign in as. All of them are invented, and so are their numbers."""
from dataclasses import dataclass

from server.permissions import Role

PASSWORD = "Dengta2026"


@dataclass(frozen=True)
class Someone:
    phone: str
    who: str  # as the list of sign-ins says it
    name: str
    roles: tuple[tuple[Role, str], ...]  # with the organisation's name


CAST = (
    Someone("13700000001", "省委组织部 管理员", "周明远", ((Role.PROVINCE_ADMIN, "省委组织部"),)),
    Someone("13700000002", "泰安市委组织部 管理员", "刘海涛", ((Role.CITY_ADMIN, "泰安市委组织部"),)),
    Someone("13700000003", "宁阳县委组织部 管理员", "陈国栋", ((Role.COUNTY_ADMIN, "宁阳县委组织部"),)),
    Someone("13700000004", "宁阳县 安全员", "郑卫东", ((Role.SAFETY_OFFICER, "宁阳县委组织部"),)),
    Someone("13700000005", "宁阳县 审计员", "冯丽娟", ((Role.AUDITOR, "宁阳县委组织部"),)),
    Someone("13700000006", "东疏镇党委 管理员", "宋文斌", ((Role.COMMITTEE_ADMIN, "东疏镇党委"),)),
    Someone("13700000007", "前村支部 书记", "赵德山", ((Role.SECRETARY, "前村支部"),)),
    Someone("13700000008", "前村支部 组织委员", "孙桂兰", ((Role.ORGANISER, "前村支部"),)),
    Someone("13700000009", "前村支部 e支部管理员（兼 三务 管理员）", "钱永军",
            ((Role.BRANCH_ADMIN, "前村支部"), (Role.VILLAGE_ADMIN, "前村支部"))),
    Someone("13700000010", "前村支部 正式党员", "王秀英", ((Role.MEMBER, "前村支部"),)),
    Someone("13700000011", "前村支部 预备党员", "李晓燕", ((Role.PROBATIONARY, "前村支部"),)),
    Someone("13700000012", "前村 村民（查询账号，户代表）", "张建民", ((Role.VILLAGER, "前村支部"),)),
    Someone("13700000013", "后村支部 书记", "李长河", ((Role.SECRETARY, "后村支部"),)),
    Someone("13700000014", "后村支部 正式党员", "吴玉兰", ((Role.MEMBER, "后村支部"),)),
    Someone("13700000015", "泗店镇党委 管理员", "马志刚", ((Role.COMMITTEE_ADMIN, "泗店镇党委"),)),
    Someone("13700000016", "前村 入党申请人", "徐婷", ((Role.APPLICANT, "前村支部"),)),
    Someone("13700000017", "宁阳县 三务 未开通村 的村民（申请中）", "韩立春", ((Role.VILLAGER, "于庄支部"),)),
    Someone("13700000018", "前村 村务监督委员会 主任（查询账号，签字）", "高振华", ((Role.SUPERVISOR, "前村支部"),)),
    Someone("13700000019", "兼有三个身份的人：后村 村民、前村 党员、东疏镇 组织员", "丁海霞", (
        (Role.VILLAGER, "后村支部"), (Role.MEMBER, "前村支部"), (Role.COMMITTEE_ORGANISER, "东疏镇党委"))),
)
PEOPLE: tuple[tuple[str, str], ...] = tuple((someone.phone, someone.who) for someone in CAST)
# A member of 于庄支部 who has not registered yet: name, ID number and phone as they stand in the register.
NEWCOMER = ("张桂兰", "370921197511239985", "15900001254")
BY_PHONE = {someone.phone: someone for someone in CAST}
