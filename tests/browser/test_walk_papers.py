"""Papers by phone: a HEIC that tells where it was taken, a blurred scan, a lost connection, an order, and no script."""
import re
from io import BytesIO

from PIL import Image, ImageDraw, ImageFilter
from pillow_heif import register_heif_opener
from playwright.sync_api import Page, expect

from tests.browser.stacks import Demonstration
from tests.browser.visitors import MEMBER, ORGANISER, SECRETARY, Visitors, act_as
from tests.papers import samples

register_heif_opener()
GPS = 0x8825
SIDE = 2400


def sheet(words: int = 1) -> Image.Image:
    """A page of handwriting, more or less, as large as a phone takes it."""
    page = Image.new("RGB", (3024, 4032), "#e8e2d4")
    pen = ImageDraw.Draw(page)
    for line in range(150, 3900, 130):
        for stroke in range(150, 2850, 60):
            bend = (stroke * 7 + line * 3 * words) % 70
            pen.line((stroke, line, stroke + bend, line + 70 - bend, stroke + 36, line + 76), fill="#303048", width=7)
    return page


def taken(page: Image.Image, name: str, kind: str) -> dict:
    """A photograph as a phone hands it over, with the place where it was taken."""
    exif, made = Image.Exif(), BytesIO()
    exif.get_ifd(GPS).update({1: "N", 2: (35.0, 46.0, 12.0), 3: "E", 4: (116.0, 48.0, 20.0)})
    page.save(made, kind, exif=exif, quality=80)
    assert b"Exif" in made.getvalue()
    return {"name": name, "mimeType": f"image/{kind.lower()}", "buffer": made.getvalue()}


def log_of_a_new_meeting(stack: Demonstration, page: Page, topic: str) -> str:
    """记组织生活 for now, and 写记录; the address of the meeting."""
    page.goto("/meetings/new")
    page.get_by_label("主题党日").check()
    page.get_by_label("主题", exact=True).fill(topic)
    page.get_by_label("开始时间").fill(stack.wall_time())
    page.get_by_label("结束时间").fill(stack.wall_time(hours=2))
    page.get_by_role("button", name="提交并通知大家").click()
    expect(page.get_by_role("heading", name=topic)).to_be_visible()
    meeting = page.url
    page.goto(f"{meeting}/log")
    return meeting


def test_photographs_from_a_phone_come_without_their_place_and_over_a_lost_connection(
    stack: Demonstration, visitors: Visitors,
):
    visitors.expect("ERR_INTERNET_DISCONNECTED")
    page = visitors.enter(SECRETARY)
    meeting = log_of_a_new_meeting(stack, page, "学条例、晒材料")
    page.get_by_label("会议记录").fill("赵德山同志领学条例。")
    photos = page.locator("#log_photos")
    photos.locator("input[type=file]").set_input_files(taken(sheet(), "IMG_2041.HEIC", "HEIF"))
    expect(photos.locator(".upload__one--done")).to_have_count(1, timeout=30_000)
    page.context.set_offline(True)
    blurred = sheet(2).filter(ImageFilter.GaussianBlur(14))
    photos.locator("input[type=file]").set_input_files(taken(blurred, "IMG_2042.jpg", "JPEG"))
    expect(photos.get_by_text("网络不通，恢复后会接着传")).to_be_visible(timeout=20_000)
    visitors.picture(page, "papers-1-offline")
    page.context.set_offline(False)
    expect(photos.get_by_text("可能看不清，建议重拍一张")).to_be_visible(timeout=30_000)
    page.locator("#log_attachments input[type=file]").set_input_files([
        {"name": "预算 2026.pdf", "mimeType": "application/pdf", "buffer": samples.pdf()},
        {"name": "笑话.svg", "mimeType": "image/svg+xml", "buffer": b"<svg/>"}])
    visitors.expect(422)
    expect(page.get_by_text("这种文件不能放在这里")).to_be_visible()
    page.locator("#log_attachments [data-upload-stop]").last.click()
    visitors.picture(page, "papers-2-sent", full_page=True)
    page.reload()  # nothing that was sent is lost
    expect(photos.locator("[data-upload-file]")).to_have_count(2)
    photos.get_by_role("button", name="往前移：IMG_2042.jpg").click()
    expect(photos.locator(".upload__name").first).to_have_text("IMG_2042.jpg")
    page.get_by_role("button", name="提交记录").click()
    expect(page.get_by_alt_text("手写记录第 2 页")).to_be_visible()
    expect(page.get_by_text("赵德山同志领学条例。")).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("预算 2026.pdf"))).to_be_visible()
    visitors.picture(page, "papers-3-saved", full_page=True)
    for number in (1, 2):
        link = page.locator(".photos__one").nth(number - 1).get_attribute("href")
        shown = Image.open(BytesIO(page.request.get(link or "").body()))
        assert (shown.format, max(shown.size), dict(shown.getexif())) == ("JPEG", SIDE, {})
    taken_off_and_checked(visitors, page, meeting)


def taken_off_and_checked(visitors: Visitors, page: Page, meeting: str) -> None:
    page.goto(f"{meeting}/log")
    page.locator("#log_photos [data-upload-file]").first.get_by_label("去掉").check(force=True)
    visitors.picture(page, "papers-4-taken-off", full_page=True)
    page.get_by_role("button", name="提交记录").click()
    expect(page.locator(".photos__one")).to_have_count(1)
    organiser = visitors.enter(ORGANISER)
    act_as(organiser, "组织委员")  # others' walks may have given her further duties
    organiser.goto(meeting)
    organiser.get_by_role("button", name="审核通过").click()
    expect(organiser.get_by_text("组织委员 审核通过")).to_be_visible()
    member = visitors.enter(MEMBER)
    member.goto(meeting)
    expect(member.get_by_alt_text("手写记录第 1 页")).to_be_visible()
    visitors.picture(member, "papers-5-member", full_page=True)


def test_without_script_a_plain_form_brings_photographs_and_takes_them_off(stack: Demonstration, visitors: Visitors):
    visitors.enter(SECRETARY).close()
    page = visitors.enter(SECRETARY, java_script_enabled=False)
    log_of_a_new_meeting(stack, page, "没有脚本也能传")
    page.get_by_label("会议记录").fill("照样能记。")
    page.locator("#log_photos_file").set_input_files(taken(sheet(3), "IMG_1.jpg", "JPEG"))
    visitors.picture(page, "papers-6-plain", full_page=True)
    page.get_by_role("button", name="提交记录").click()
    expect(page.get_by_alt_text("手写记录第 1 页")).to_be_visible()
    page.get_by_role("link", name="写记录", exact=True).click()
    page.get_by_label("去掉").check(force=True)
    page.get_by_role("button", name="提交记录").click()
    expect(page.get_by_alt_text("手写记录第 1 页")).to_have_count(0)
    expect(page.get_by_text("照样能记。")).to_be_visible()
