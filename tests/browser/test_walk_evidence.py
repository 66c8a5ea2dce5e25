"""The auditor finds who opened an ID number; a tampered row is found."""
import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import asyncpg
from playwright.sync_api import Page, expect

from server.settings import socket_folder
from tests.browser.stacks import Demonstration
from tests.browser.visitors import SECRETARY, Visitors

AUDITOR, SAFETY_OFFICER = "13700000005", "13700000004"
TAMPERED = "UPDATE audit_event SET why = $2 WHERE id = $1"


def as_superuser(stack: Demonstration, sql: str, *values: Any) -> list[asyncpg.Record]:
    """What somebody can do who holds the machine: one statement, with every guard switched off."""
    async def done() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(f"postgresql://postgres@/ebranch?host={socket_folder(stack.data)}")
        try:
            await connection.execute("SET session_replication_role = replica")
            return await connection.fetch(sql, *values)
        finally:
            await connection.close()
    with ThreadPoolExecutor(1) as aside:  # the browser's loop runs in this thread
        return aside.submit(asyncio.run, done()).result()


def verified(page: Page) -> None:
    page.goto("/audit/verification")
    page.get_by_role("button", name="核验").click()
    expect(page.locator(".verdict__title")).to_be_visible(timeout=20_000)


def test_the_auditor_finds_who_opened_an_id_number(visitors: Visitors):
    secretary = visitors.enter(SECRETARY)
    secretary.goto("/members")
    secretary.get_by_text("王秀英").first.click()
    secretary.locator(".opening summary").click()
    secretary.locator(".choice__one", has_text="身份证号").click()
    secretary.locator("#reason .choice__one").first.click()
    secretary.get_by_label("具体事由").fill("核对转接介绍信")
    secretary.get_by_role("button", name="查看一次").click()
    expect(secretary.get_by_text("已连同理由记入审计")).to_be_visible()

    auditor = visitors.enter(AUDITOR)
    auditor.goto("/")
    expect(auditor).to_have_url(visitors.address + "/audit")
    visitors.picture(auditor, "audit")
    auditor.locator(".sift summary").click()
    auditor.get_by_label("事项").select_option(label="查看身份证号")
    visitors.picture(auditor, "audit-search")
    auditor.get_by_role("button", name="查找").click()
    first = auditor.locator(".row").first
    expect(first).to_contain_text("赵德山 · 查看身份证号")
    expect(first).to_contain_text("王秀英")
    expect(first).to_contain_text("核对转接介绍信")
    visitors.picture(auditor, "audit-found")
    first.click()
    expect(auditor.locator(".story__one").first).to_contain_text("前村支部")
    visitors.picture(auditor, "audit-story")
    assert auditor.locator("a[href^='/threads'], a[href^='/meetings']").count() == 0


def test_a_tampered_row_is_found_by_the_auditor(visitors: Visitors, stack: Demonstration):
    auditor = visitors.enter(AUDITOR)
    verified(auditor)
    expect(auditor.locator(".verdict--well")).to_be_visible()
    visitors.picture(auditor, "verification", full_page=True)
    row = as_superuser(stack, """SELECT s.event_id, s.number, e.why FROM audit_seal s JOIN audit_event e
                                 ON e.id = s.event_id WHERE s.chain <> 'platform' ORDER BY s.number DESC LIMIT 1""")[0]
    try:
        as_superuser(stack, TAMPERED, row["event_id"], "改过")
        verified(auditor)
        expect(auditor.locator(".verdict--ill")).to_contain_text(
            f"链第 {row['number']} 条：记录 {row['event_id']} 与封存时不一致")
        expect(auditor.locator(".chain--broken")).to_have_count(1)
        visitors.picture(auditor, "verification-broken", full_page=True)
    finally:
        as_superuser(stack, TAMPERED, row["event_id"], row["why"])
    verified(auditor)
    expect(auditor.locator(".verdict--well")).to_be_visible()
    with auditor.expect_download() as coming:
        auditor.locator("a[download]").first.click()
    assert coming.value.suggested_filename.startswith("checkpoint-")


def test_the_safety_officer_has_no_business_screens(visitors: Visitors):
    page = visitors.enter(SAFETY_OFFICER)
    page.goto("/")
    assert not page.url.endswith("/threads")
    assert page.locator("a[href^='/threads'], a[href^='/meetings']").count() == 0
