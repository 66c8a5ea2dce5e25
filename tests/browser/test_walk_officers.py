"""From nomination to the 授权码: a branch reports its new officer, the safety officer opens; a sheet of many."""
import io
import re

from openpyxl import load_workbook
from playwright.sync_api import Page, expect

from tests.browser.visitors import SECRETARY, Visitors
from tests.officers.stories import id_number

SAFETY = "13700000004"
NEW = {"姓名": "柳青山", "身份证号": id_number(900), "手机号码": "13811112222", "事由": "2026年换届任职"}


def fill(page: Page, words: dict[str, str]) -> None:
    for label, value in words.items():
        page.get_by_label(label, exact=True).fill(value)


def test_a_nominated_officer_is_opened_and_gets_the_code(visitors: Visitors):
    secretary = visitors.enter(SECRETARY)
    secretary.goto("/to-dos")
    secretary.get_by_role("link", name="管理员账号上报").click()
    secretary.get_by_role("link", name="上报", exact=True).click()
    visitors.expect(422)
    fill(secretary, NEW | {"身份证号": id_number(900)[:17] + "Y"})
    secretary.get_by_role("button", name="上报").click()
    expect(secretary.locator("main")).to_contain_text("17 位数字")
    expect(secretary.get_by_label("姓名")).to_have_value("柳青山")
    visitors.picture(secretary, "officers-01-nominate", full_page=True)
    secretary.get_by_label("身份证号").fill(NEW["身份证号"])
    secretary.get_by_label("组织委员", exact=True).check()
    secretary.get_by_role("button", name="上报").click()
    expect(secretary.locator(".chip").first).to_have_text("待开通")
    visitors.picture(secretary, "officers-02-nominated", full_page=True)
    safety = visitors.enter(SAFETY)
    safety.goto("/")
    safety.get_by_role("link", name="账号").first.click()
    visitors.picture(safety, "officers-03-accounts", full_page=True)
    safety.get_by_role("link", name="柳青山").click()
    visitors.picture(safety, "officers-04-nomination", full_page=True)
    safety.get_by_role("button", name="开通").click()
    expect(safety.get_by_role("heading", name="柳青山")).to_be_visible()
    expect(safety.locator("main")).to_contain_text("待激活")
    expect(safety.locator("main")).to_contain_text("138****2222")
    assert NEW["身份证号"] not in safety.content()
    visitors.picture(safety, "officers-05-opened", full_page=True)
    safety.goto("/demo/outbox")
    expect(safety.locator("main")).to_contain_text(re.compile("前村支部组织委员账号已开通。授权码 [2-9A-HJ-NP-Z]{8}"))
    secretary.reload()
    expect(secretary.locator("main")).to_contain_text("已开通")


def test_a_sheet_of_officers_goes_in_and_its_wrong_row_comes_back(visitors: Visitors):
    safety = visitors.enter(SAFETY)
    safety.goto("/accounts/imports")
    with safety.expect_download() as download:
        safety.get_by_role("link", name="下载模板").click()
    book = load_workbook(io.BytesIO(download.value.path().read_bytes()))
    sheet = book.worksheets[0]
    for number in range(2, 62):
        values = [f"名单{number}", id_number(2000 + number), f"138777{number:05}", "后村支部", "组织委员", None]
        for column, value in enumerate(values, 1):
            sheet.cell(number, column).value = value
    sheet.cell(30, 2).value = "370921198001019"
    filled = io.BytesIO()
    book.save(filled)
    safety.get_by_label("表格").set_input_files({
        "name": "换届名单.xlsx", "buffer": filled.getvalue(),
        "mimeType": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"})
    safety.get_by_label("事由").fill("2026年换届任职")
    safety.get_by_role("button", name="开始导入").click()
    expect(safety.get_by_role("heading", name="导入")).to_be_visible()
    visitors.picture(safety, "officers-06-importing", full_page=True)
    expect(safety.locator("main")).to_contain_text("已完成", timeout=20_000)
    expect(safety.locator(".tally")).to_contain_text("59")
    expect(safety.locator("main")).to_contain_text("18 位")
    visitors.picture(safety, "officers-07-imported", full_page=True)
    with safety.expect_download() as wrong:
        safety.get_by_role("link", name="下载有误的行").click()
    assert load_workbook(io.BytesIO(wrong.value.path().read_bytes())).worksheets[0]["A2"].value == "名单30"
