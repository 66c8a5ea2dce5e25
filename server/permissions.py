"""Who may do what, as data. A handler declares `can=`; GRANTS says which role holds it; nothing else decides."""
from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    """What an account is at one organisation; the value is the word on the screen."""

    VILLAGER = "村民"
    SUPERVISOR = "村务监督委员会"
    APPLICANT = "入党申请人"
    PROBATIONARY = "预备党员"
    MEMBER = "正式党员"
    VILLAGE_ADMIN = "村（社区）管理员"  # publishes matters (M3§8)
    SECRETARY = "书记"
    ORGANISER = "组织委员"
    BRANCH_ADMIN = "e支部管理员"
    COMMITTEE_ADMIN = "党委管理员"
    COMMITTEE_ORGANISER = "组织员"
    COUNTY_ADMIN = "县级管理员"
    CITY_ADMIN = "市级管理员"
    PROVINCE_ADMIN = "省级管理员"
    SAFETY_OFFICER = "安全员"
    AUDITOR = "审计员"


class Can(StrEnum):
    """One thing somebody may be allowed to do."""

    PUBLIC = "public"  # no sign-in asked
    SIGNED_IN = "signed-in"  # own settings, own roles, own sessions
    THREAD_READ = "thread:read"
    THREAD_WRITE = "thread:write"
    ENTRY_TAKE_DOWN = "entry:take-down"
    TODO_READ = "to-do:read"
    ORGANISATION_READ = "organisation:read"
    MEETING_READ = "meeting:read"  # meetings and what the branch has been shown of their logs
    MEETING_ATTEND = "meeting:attend"  # reply, check in
    MEETING_KEEP = "meeting:keep"  # plan, move, cancel, take attendance, write the log, explain (M2§5-6)
    LOG_READ = "log:read"  # a log not yet checked, and drafts
    LOG_CHECK = "log:check"  # 审核把关 (M2§5)
    ACCOUNT_KEEP = "account:keep"  # officers' accounts: open, close, grant, end (M3§5)
    OFFICER_NOMINATE = "officer:nominate"  # 上报 an officer to the safety officer (G2.1)
    NOMINATION_READ = "nomination:read"
    MEMBER_READ = "member:read"  # the register of the branch's or subtree's members, their pages
    NUMBER_OPEN = "number:open"  # a masked ID number or phone, with a reason
    PHONE_CONFIRM = "phone:confirm"  # another phone in the register, face to face
    AUDIT_READ = "audit:read"  # the evidence of the own subtree, its verification, its checkpoints
    LOG_AMEND = "log:amend"  # a locked log, on the branch's explanation (M2§6)
    MESSAGE_READ = "message:read"  # SMS that did not arrive, and what they cost; never their words
    MESSAGE_RESEND = "message:resend"
    VILLAGE_HOME = "village:home"  # the village is where one is at home here: its tab
    DISCLOSURE_READ = "disclosure:read"  # what the village has published
    DISCLOSURE_ASK = "disclosure:ask"  # 问这一笔, 向镇里反映
    QUESTION_READ = "question:read"  # one's own questions, or those one answers or oversees
    QUESTION_ANSWER = "question:answer"  # 答复
    QUESTION_HIDE = "question:hide"  # abuse, with a reason; it is kept
    DISCLOSURE_KEEP = "disclosure:keep"  # draft, submit, correct, declare what did not occur (M3§8)
    DISCLOSURE_SIGN = "disclosure:sign"  # before it is submitted: 村务监督委员会, 书记
    DISCLOSURE_REVIEW = "disclosure:review"  # 审核把关 (M3§8)
    LEDGER_DELIVER = "ledger:deliver"  # many villages' books, from the township that keeps them (村账镇代管)
    LEDGER_IMPORT = "ledger:import"  # how an import of a ledger goes on
    DISCLOSURE_WITHDRAW = "disclosure:withdraw"  # ask for a matter to be taken down, or take it down
    DISCLOSURE_OVERSEE = "disclosure:oversee"  # how villages keep to it, level by level (M3§10)
    VILLAGE_OPEN = "village:open"  # a village's disclosure, or the opinion on its exemption (M3§4)
    EXEMPTION_ASK = "exemption:ask"  # the village says why it can't publish yet (M3§4)
    EXEMPTION_FILE = "exemption:file"  # 审批备案 (M3§4)
    READER_KEEP = "reader:keep"  # query accounts of the village: open, verify, end (M3§9)
    READER_OWN = "reader:own"  # the own query account, whom the household reads for
    SPOT_CHECK = "spot-check:make"  # the wall against what is online; closing what was mended (M3§10)
    SPOT_CHECK_READ = "spot-check:read"
    MENDING_DO = "mending:do"  # 整改
    CATALOGUE_KEEP = "catalogue:keep"  # 公开目录 (M3§7)


EVERYONE = {Can.SIGNED_IN, Can.THREAD_READ}
READS_BOOKS = {Can.DISCLOSURE_READ, Can.DISCLOSURE_ASK, Can.QUESTION_READ}
IN_BRANCH = EVERYONE | READS_BOOKS | {Can.THREAD_WRITE, Can.ORGANISATION_READ, Can.MEETING_READ, Can.MEETING_ATTEND}
NOMINATES = {Can.OFFICER_NOMINATE, Can.NOMINATION_READ}
KEEPS_BRANCH = IN_BRANCH | {Can.TODO_READ, Can.MEETING_KEEP, Can.LOG_READ, Can.ENTRY_TAKE_DOWN,
                            Can.MEMBER_READ, Can.NUMBER_OPEN, Can.PHONE_CONFIRM, Can.READER_KEEP}
OVERSEES = EVERYONE | {Can.TODO_READ, Can.ORGANISATION_READ, Can.MEETING_READ, Can.LOG_READ, Can.MEMBER_READ,
                       Can.DISCLOSURE_READ, Can.DISCLOSURE_OVERSEE, Can.QUESTION_READ, Can.SPOT_CHECK_READ}

ANSWERS = {Can.QUESTION_READ, Can.QUESTION_ANSWER}
KEEPS_VILLAGE = {Can.VILLAGE_HOME, Can.TODO_READ, Can.DISCLOSURE_READ, Can.DISCLOSURE_KEEP, Can.DISCLOSURE_WITHDRAW,
                 Can.LEDGER_IMPORT, Can.EXEMPTION_ASK, Can.READER_KEEP, Can.SPOT_CHECK_READ, Can.MENDING_DO} | ANSWERS
REVIEWS = {Can.DISCLOSURE_REVIEW, Can.DISCLOSURE_WITHDRAW, Can.LEDGER_DELIVER, Can.LEDGER_IMPORT} | ANSWERS

GRANTS: Mapping[Role, frozenset[Can]] = {
    role: frozenset(grants)
    for role, grants in {
        Role.VILLAGER: EVERYONE | READS_BOOKS | {Can.VILLAGE_HOME, Can.READER_OWN},
        Role.SUPERVISOR: EVERYONE | READS_BOOKS | {
            Can.VILLAGE_HOME, Can.READER_OWN, Can.TODO_READ, Can.DISCLOSURE_SIGN},
        Role.APPLICANT: EVERYONE,
        Role.PROBATIONARY: IN_BRANCH,
        Role.MEMBER: IN_BRANCH,
        Role.VILLAGE_ADMIN: EVERYONE | KEEPS_VILLAGE,
        # The 书记 checks where there is no 组织委员, or he wrote it himself.
        Role.SECRETARY: KEEPS_BRANCH | NOMINATES | ANSWERS | {
            Can.LOG_CHECK, Can.DISCLOSURE_SIGN, Can.EXEMPTION_ASK, Can.SPOT_CHECK_READ},
        Role.ORGANISER: KEEPS_BRANCH | {Can.LOG_CHECK},
        Role.BRANCH_ADMIN: KEEPS_BRANCH,
        Role.COMMITTEE_ADMIN: OVERSEES | NOMINATES | REVIEWS | {
            Can.LOG_AMEND, Can.NUMBER_OPEN, Can.VILLAGE_OPEN, Can.QUESTION_HIDE, Can.READER_KEEP, Can.SPOT_CHECK},
        Role.COMMITTEE_ORGANISER: OVERSEES | REVIEWS,
        Role.COUNTY_ADMIN: OVERSEES | NOMINATES | ANSWERS | {
            Can.NUMBER_OPEN, Can.EXEMPTION_FILE, Can.CATALOGUE_KEEP, Can.QUESTION_HIDE, Can.SPOT_CHECK},
        Role.CITY_ADMIN: OVERSEES | NOMINATES | {Can.SPOT_CHECK},
        Role.PROVINCE_ADMIN: OVERSEES | NOMINATES | {Can.SPOT_CHECK},
        # No business screens under these two.
        Role.SAFETY_OFFICER: {
            Can.SIGNED_IN, Can.ACCOUNT_KEEP, Can.NOMINATION_READ, Can.MESSAGE_READ, Can.MESSAGE_RESEND},
        Role.AUDITOR: {Can.SIGNED_IN, Can.AUDIT_READ},
    }.items()
}

OFFICERS: frozenset[Role] = frozenset(Role) - {
    Role.VILLAGER, Role.SUPERVISOR, Role.APPLICANT, Role.PROBATIONARY, Role.MEMBER,
}  # these confirm each sign-in by a one-time code (G1.3.3)
BRANCH_OFFICERS: frozenset[Role] = frozenset({Role.SECRETARY, Role.ORGANISER, Role.BRANCH_ADMIN})

# Officers who keep the member's long session, and so confirm by a code what is in STEP_UP: ID numbers, approvals,
# exports. The others' sessions are short.
LONG_SESSION: frozenset[Role] = BRANCH_OFFICERS | {Role.VILLAGE_ADMIN}
STEP_UP: frozenset[Can] = frozenset({Can.LOG_CHECK, Can.NUMBER_OPEN, Can.PHONE_CONFIRM, Can.DISCLOSURE_SIGN})


def may(role: Role, can: Can) -> bool:
    """Whether `role` holds `can`; PUBLIC is everybody's."""
    return can is Can.PUBLIC or can in GRANTS[role]


def holders(*rights: Can) -> list[str]:
    """The roles that hold any of `rights`, as they are stored."""
    return [str(role) for role in Role if any(may(role, right) for right in rights)]


def wants_code(role: Role, can: Can) -> bool:
    """Whether `role` must have entered a one-time code lately to do this."""
    return can in STEP_UP and role in LONG_SESSION
