"""三务公开 from the county's catalogue to the villager's question: everybody at his own phone."""
import re
from datetime import date
from io import BytesIO

from openpyxl import load_workbook
from playwright.sync_api import Page, expect

from server.ledgers.templates import template
from server.people.rules import check_character
from tests.browser.visitors import (
    BRANCH_ADMIN,
    COMMITTEE,
    COUNTY,
    SECRETARY,
    THREE_ROLES,
    VILLAGER,
    Visitors,
    type_picture,
)

SUPERVISOR = "13700000018"
QIANCUN, OCTOBER = "370921102201", date(2026, 10, 1)
LINES = (  # of 前村's October: day, voucher, summary, category, income, expense
    ("2026-10-09", "10-01", "机动地承包费", "发包及上交收入", "12,000.00", ""),
    ("2026-10-16", "10-02", "村内路灯维修 6 盏", "公益性支出", "", "3,860.00"),
    ("2026-10-27", "10-03", "打印机墨盒", "办公费", "", "260.00"))
ASKED, ANSWERED = "6 盏灯 3,860 元，换的是灯头还是整灯？", "换的是整灯，发票在凭证里，质保两年。"
NAME, PHONE, PASSWORD = "魏长顺", "13900771234", "Qiancun2026"
_DIGITS = "37092119660606995"
ID_NUMBER = _DIGITS + check_character(_DIGITS)


def test_the_county_publishes_a_catalogue(visitors: Visitors):
    page = visitors.enter(COUNTY)
    page.goto("/catalogues/370921")
    visitors.picture(page, "90-catalogue")
    page.get_by_role("button", name="起草新的一版").click()
    page.get_by_role("link", name="停水停电、就业、农技等信息").click()
    page.get_by_label("公开内容").fill("停水、停电、招工、农技、防汛")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_text("停水、停电、招工、农技、防汛")).to_be_visible()
    visitors.picture(page, "90-draft", full_page=True)
    page.get_by_label("更新说明").fill("便民服务加上防汛")
    page.get_by_role("button", name="发布").click()
    expect(page.get_by_text("便民服务加上防汛").first).to_be_visible()
    visitors.picture(page, "90-published")


def test_a_month_of_books_goes_from_the_township_to_the_villagers(visitors: Visitors):
    the_township_imports(visitors)
    matter = the_village_confirms(visitors)
    signed_by_both(visitors, matter)
    returned_with_a_reason(visitors, matter)
    mended_and_signed_again(visitors, matter)
    approved(visitors, matter)
    question = read_and_asked(visitors, matter)
    answered(visitors, question)
    corrected(visitors, matter)
    nobody_else_reads_it(visitors, matter, question)


def books() -> bytes:
    """The township's sheet for October, with 前村's lines."""
    book = load_workbook(BytesIO(template(OCTOBER, ["前村"])))
    for number, line in enumerate(LINES, 3):
        for column, value in enumerate(("前村", *line, "", "钱永军", "高振华", "赵德山", ""), 1):
            book.worksheets[0].cell(number, column).value = value
    written = BytesIO()
    book.save(written)
    return written.getvalue()


def the_township_imports(visitors: Visitors) -> None:
    page = visitors.enter(THREE_ROLES, "组织员")
    page.goto("/ledger-imports")
    page.get_by_label("哪个月的账").fill("2026-10")
    page.locator("input[type=file]").set_input_files(
        {"name": "十月.xlsx", "mimeType": "application/vnd.ms-excel", "buffer": books()})
    visitors.picture(page, "91-import")
    page.get_by_role("button", name="开始导入").click()
    expect(page.get_by_text("已完成")).to_be_visible(timeout=20_000)
    visitors.picture(page, "91-imported", full_page=True)


def keeper(visitors: Visitors) -> Page:
    """The village's administrator."""
    return visitors.enter(BRANCH_ADMIN, "村（社区）管理员")


def the_village_confirms(visitors: Visitors) -> str:
    """Looks through what the township sent, and hands it on to be signed; the matter's address."""
    page = keeper(visitors)
    page.goto("/to-dos")
    visitors.picture(page, "92-to-dos")
    page.get_by_text("核对确认").click()
    page.wait_for_url("**/ledger")
    expect(page.get_by_text("村内路灯维修 6 盏")).to_be_visible()
    visitors.picture(page, "92-ledger", full_page=True)
    submit(visitors, page, "92")
    return page.url


def submit(visitors: Visitors, page: Page, number: str) -> None:
    page.get_by_role("link", name="预览并提交").click()
    visitors.picture(page, f"{number}-preview", full_page=True)
    page.get_by_role("button", name="提交签字").click()
    page.wait_for_url(re.compile(r".*/disclosures/\d+$"))


def signed_by_both(visitors: Visitors, matter: str) -> None:
    for phone, seat in ((SUPERVISOR, "村务监督委员会"), (SECRETARY, "书记")):
        page = visitors.enter(phone)
        page.goto(f"{matter}/signature")
        visitors.picture(page, f"93-sign-{phone[-2:]}", full_page=True)
        page.get_by_role("button", name=f"{seat}签字：同意公开").click()
        page.wait_for_url(matter)


def returned_with_a_reason(visitors: Visitors, matter: str) -> None:
    page = visitors.enter(COMMITTEE)
    page.goto("/reviews")
    visitors.picture(page, "94-queue")
    page.goto(f"{matter}/review")
    visitors.picture(page, "94-review", full_page=True)
    page.get_by_text("有问题，写退回原因").click()
    page.get_by_label("标题").fill("标题里写上前村")
    page.get_by_role("button", name="审核不通过").click()
    page.wait_for_url("**/reviews")


def mended_and_signed_again(visitors: Visitors, matter: str) -> None:
    """The reason stands on the desk, nothing that was written is lost."""
    page = keeper(visitors)
    page.goto(f"{matter}/ledger")
    expect(page.get_by_text("标题里写上前村")).to_be_visible()
    expect(page.get_by_text("村内路灯维修 6 盏")).to_be_visible()
    page.get_by_role("link", name="附件、公开栏照片").click()
    page.get_by_label("标题", exact=True).fill("前村 2026 年 10 月收支逐笔明细")
    visitors.picture(page, "95-mended", full_page=True)
    page.get_by_role("button", name="保存并预览").click()
    page.wait_for_url("**/preview")
    page.get_by_role("button", name="提交签字").click()
    page.wait_for_url(matter)
    signed_by_both(visitors, matter)


def approved(visitors: Visitors, matter: str) -> None:
    """What changed since the last month is marked; every line of the secrecy list is ticked."""
    page = visitors.enter(COMMITTEE)
    page.goto(f"{matter}/review")
    for tick in page.locator("input[name=checked]").all():
        tick.check()
    visitors.picture(page, "96-approve", full_page=True)
    page.get_by_role("button", name="审核通过").click()
    page.wait_for_url("**/reviews")


def read_and_asked(visitors: Visitors, matter: str) -> str:
    """The villager reads, enlarges, listens, and asks about one line; the question's address."""
    page = visitors.enter(VILLAGER)
    page.goto("/threads")
    page.get_by_text("财务公开").click()
    card = page.locator("article", has_text="前村 2026 年 10 月收支逐笔明细").last
    expect(card).to_be_visible()
    visitors.picture(page, "97-thread")
    card.get_by_role("link", name="查看详情").click()
    page.wait_for_url(matter)
    expect(page.get_by_text("村内路灯维修 6 盏")).to_be_visible()
    visitors.picture(page, "97-read", full_page=True)
    large(page)
    page.goto(matter)
    expect(page.get_by_role("button", name="读给我听")).to_be_visible()
    visitors.picture(page, "97-large", full_page=True)
    large(page)
    page.goto(matter)
    page.get_by_role("link", name="广播稿").click()
    expect(page.get_by_text("各位村民")).to_be_visible()
    visitors.picture(page, "97-loudspeaker", full_page=True)
    page.goto(matter)
    page.locator("li", has_text="村内路灯维修 6 盏").get_by_role("link", name="问这一笔").click()
    page.get_by_label("想问什么").fill(ASKED)
    page.get_by_label("答复可以公开在旁边").check()
    visitors.picture(page, "97-ask", full_page=True)
    page.get_by_role("button", name="提交").click()
    page.wait_for_url(re.compile(r".*/questions/\d+$"))
    visitors.picture(page, "97-asked")
    return page.url


def large(page: Page) -> None:
    page.goto("/me")
    page.get_by_role("button", name="大字版").click()
    page.wait_for_load_state()


def answered(visitors: Visitors, question: str) -> None:
    page = keeper(visitors)
    page.goto(question)
    expect(page.get_by_text("一位村民")).to_be_visible()
    page.get_by_label("答复", exact=True).fill(ANSWERED)
    page.get_by_label("问题和答复公开在旁边").check()
    page.get_by_role("button", name="答复", exact=True).click()
    expect(page.get_by_text(ANSWERED)).to_be_visible()
    visitors.picture(page, "98-answered", full_page=True)


def corrected(visitors: Visitors, matter: str) -> None:
    """更正 goes the same way; both editions stay readable, the difference is marked."""
    page = keeper(visitors)
    page.goto(matter)
    expect(page.get_by_text(ANSWERED)).to_be_visible()
    page.get_by_role("link", name="更正").click()
    page.get_by_label("原因").fill("路灯维修多记了 60 元，另补记一笔")
    page.get_by_role("button", name="开始更正").click()
    page.wait_for_url("**/ledger")
    page.get_by_role("link", name="修改第 2 笔").click()
    page.get_by_label("金额（元）").fill("3800")
    page.get_by_role("button", name="保存", exact=True).click()
    page.wait_for_url("**/ledger")
    visitors.picture(page, "99-correction", full_page=True)
    submit(visitors, page, "99")
    signed_by_both(visitors, matter)
    approved(visitors, matter)
    page = visitors.enter(VILLAGER)
    page.goto(matter)
    expect(page.get_by_text("与第 1 版的不同")).to_be_visible()
    visitors.picture(page, "99-corrected", full_page=True)
    page.get_by_role("link", name="第 1 版").click()
    expect(page.get_by_text("−3,860.00")).to_be_visible()


def nobody_else_reads_it(visitors: Visitors, matter: str, question: str) -> None:
    """A villager of the next village finds nothing at any of its addresses."""
    visitors.expect(404)
    page = visitors.enter(THREE_ROLES, "村民")
    for address in (matter, f"{matter}/versions/1", f"{matter}/versions/1/sheet", f"{matter}/versions/1/wall",
                    f"{matter}/versions/1/lines", f"{matter}/broadcast", f"{matter}/questions/new", question,
                    f"/ledgers/{QIANCUN}", f"/ledgers/{QIANCUN}/2026-10", f"/disclosures?village={QIANCUN}"):
        answer = page.goto(address)
        assert answer
        assert answer.status == 404, address


def test_a_new_villager_applies_and_gets_in(visitors: Visitors):
    visitors.expect(422)
    page = visitors.enter(None)
    page.goto("/query-accounts/new")
    for name in ("泰安市", "宁阳县", "东疏镇", "前村"):
        page.get_by_role("link", name=name, exact=True).first.click()
    visitors.picture(page, "100-place-chosen", full_page=True)
    who(page)
    page.get_by_label("我是户代表").check()
    page.get_by_label("家庭成员").fill("李桂芝 妻子\n魏小川 孙子")
    page.get_by_role("button", name="提交申请").click()
    expect(page.get_by_text("前村核实后开通")).to_be_visible()
    visitors.picture(page, "100-applied")
    verified(visitors)
    register(visitors, page)
    page.goto("/sign-in")
    page.get_by_label("手机号").fill(PHONE)
    page.get_by_label("密码", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.wait_for_url("**/threads")
    visitors.picture(page, "100-in")
    page.goto("/disclosures")
    expect(page.get_by_role("heading", name="前村")).to_be_visible()
    visitors.picture(page, "100-own-village", full_page=True)


def who(page: Page) -> None:
    page.get_by_label("姓名").fill(NAME)
    page.get_by_label("身份证号").fill(ID_NUMBER)
    page.get_by_label("手机号码").fill(PHONE)
    type_picture(page)


def verified(visitors: Visitors) -> None:
    page = keeper(visitors)
    page.goto("/query-accounts")
    visitors.picture(page, "100-list")
    page.get_by_text(NAME).click()
    visitors.picture(page, "100-application", full_page=True)
    page.get_by_role("button", name="核实无误，开通").click()
    expect(page.get_by_text("还没有设密码")).to_be_visible()


def register(visitors: Visitors, page: Page) -> None:
    """The first password, after the code that came by SMS."""
    outbox = visitors.enter(None)
    outbox.goto("/demo/outbox")
    page.goto(re.search(r"首次使用请打开 \S+?(/registration\S+)", outbox.inner_text("body"))[1])
    expect(page.get_by_role("heading", name="查询账号设密码")).to_be_visible()
    who(page)
    page.get_by_role("button", name="获取验证码").click()
    code = None
    while code is None:
        outbox.goto("/demo/outbox")
        code = re.search(r"注册验证码 (\d{6})", outbox.inner_text("body"))
    page.get_by_label("短信验证码").fill(code[1])
    page.get_by_label("密码", exact=True).fill(PASSWORD)
    page.get_by_label("确认密码").fill(PASSWORD)
    visitors.picture(page, "100-password", full_page=True)
    page.get_by_role("button", name="设密码", exact=True).last.click()
    expect(page.get_by_text("密码已设好")).to_be_visible()


def test_what_lapsed_is_in_supervision_and_is_pressed_once(visitors: Visitors):
    page = visitors.enter(COMMITTEE)
    page.goto("/supervision")
    visitors.picture(page, "101-supervision", full_page=True)
    page.get_by_role("link", name="后村").click()
    expect(page.get_by_text("财务收支逐笔明细（2026年10月）")).to_be_visible()
    visitors.picture(page, "101-village", full_page=True)
    page.goto("/pressing")
    page.get_by_role("button", name="提醒选中的村").click()
    expect(page.get_by_text("今天已提醒").first).to_be_visible()
    expect(page.get_by_role("button", name="提醒选中的村")).to_have_count(0)
    visitors.picture(page, "101-pressed")
