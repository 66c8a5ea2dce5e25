"""What is opened aside: each kind is known by its content, cleaned of what it tells besides, and refused in words when
it is not what it says it is, hides something, or would fill the machine."""
import resource
import subprocess
import sys
import time
import zlib
from io import BytesIO

import pytest
from openpyxl import load_workbook
from PIL import Image, ImageDraw, ImageFilter

from server.core import files
from server.core.kinds import DOCUMENTS, KEPT_MOST, KINDS, MB, PICTURES, RECORDINGS, Place, Unfit
from server.permissions import Can
from tests.faults.photographs import photograph
from tests.papers import samples

EVERYTHING = Place("everything", "附件", DOCUMENTS + PICTURES + RECORDINGS, most=9, can=Can.SIGNED_IN)
TABLES = Place("tables", "名单", ("XLSX",), most=1, can=Can.SIGNED_IN)


async def opened(body: bytes, tmp_path, place: Place = EVERYTHING) -> tuple[files.Checked, bytes]:
    """What becomes of a file, with the bytes that would be kept."""
    source = tmp_path / "source"
    source.write_bytes(body)
    checked = await files.check(place, source, "文件")
    return checked, checked.path.read_bytes()


# Taken ----------------------------------------------------------------------------------------------------------------

SAMPLES = {"PDF": samples.pdf(), "DOCX": samples.docx(), "XLSX": samples.xlsx(), "MP4": samples.mp4(),
           "MP3": samples.mp3(), "JPEG": photograph()}


@pytest.mark.parametrize(("kind", "body"), SAMPLES.items(), ids=SAMPLES)
async def test_each_kind_is_known_by_its_content(tmp_path, kind, body):
    checked, kept = await opened(body, tmp_path)
    assert checked.kind == kind
    assert checked.kept == files.store.sha256(kept).digest()
    assert checked.received == files.store.sha256(body).digest()
    assert (checked.small is not None) is (kind == "JPEG")
    if kind in DOCUMENTS:
        assert kept == body


async def test_a_table_that_came_in_can_be_read(tmp_path):
    _, kept = await opened(samples.xlsx(), tmp_path, TABLES)
    assert [cell.value for cell in load_workbook(BytesIO(kept)).active[1]] == ["姓名", "支部"]


async def test_a_film_plays_as_before_and_tells_no_place(tmp_path):
    film = samples.mp4(more=samples.box(b"free", samples.PLACE) + samples.box(b"uuid", samples.PLACE))
    _, kept = await opened(film, tmp_path)
    assert film.count(samples.PLACE) == 4
    assert samples.PLACE not in kept
    assert len(kept) == len(film)
    assert kept.index(b"pictures") == film.index(b"pictures"), "the film finds its pictures by their place"


async def test_a_recording_is_sound_and_nothing_else(tmp_path):
    _, kept = await opened(samples.mp3(after=b"APETAGEX" + samples.PLACE), tmp_path)
    assert kept == (b"\xff\xfb\x90\x00" + b"s" * 413) * 60


async def test_a_photograph_is_small_enough_however_wild_it_is(tmp_path):
    wild, body = Image.effect_noise((2400, 2400), 200).convert("RGB"), BytesIO()
    wild.save(body, "JPEG", quality=95)
    checked, kept = await opened(body.getvalue(), tmp_path)
    assert len(body.getvalue()) > KEPT_MOST >= len(kept)
    assert Image.open(BytesIO(kept)).size == (checked.width, checked.height)
    assert max(Image.open(checked.small).size) == 480


# Refused --------------------------------------------------------------------------------------------------------------

BROKEN, LIVELY, BOMB, STRANGE = "文件不完整", "宏、脚本或内嵌程序", "展开后太大", "这种文件不能放在这里"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><script>alert(1)</script>"
TEMPLATE = (b"<Relationships><Relationship Type='http://x/attachedTemplate' Target='http://x/a.dotm'"
            b" TargetMode='External'/></Relationships>")
UNFIT = {
    "SVG": (SVG, STRANGE), "HTML": (HTML, STRANGE), "an old Word file": (b"\xd0\xcf\x11\xe0" + bytes(600), STRANGE),
    "another zip": (samples.packed({"a.txt": b"x"}), STRANGE), "a program": (b"MZ" + bytes(600), STRANGE),
    "a PDF cut off": (samples.pdf()[:-20], BROKEN), "a PDF with a zip behind it": (
        samples.pdf(after=samples.packed({"a": b"x"})), BROKEN),
    "a PDF with a page behind it": (samples.pdf(after=HTML), BROKEN),
    "a page before a PDF": (HTML + samples.pdf(), STRANGE),
    "a PDF with a script": (samples.pdf(b"/OpenAction<</S/JavaScript/JS(app.alert(1))>>"), LIVELY),
    "a PDF that starts something": (samples.pdf(b"/OpenAction<</S/Launch>>"), LIVELY),
    "a PDF with a file in it": (samples.pdf(b"/Names<</EmbeddedFiles 2 0 R>>"), LIVELY),
    "a PDF with a script spelled otherwise": (samples.pdf(b"/OpenAction<</S/J#61vaScript/JS(app.alert(1))>>"), LIVELY),
    "a PDF with a script packed away": (samples.pdf(b">>endobj 2 0 obj<</Type/ObjStm/Filter/FlateDecode>>stream\n"
                                                    + zlib.compress(b"<</S/JavaScript/JS(app.alert(1))>>")), LIVELY),
    "a PDF with a password": (samples.pdf(b"/Encrypt 5 0 R"), "设有密码"),
    "a PDF that is a zip too": (samples.pdf(b">>endobj\n" + samples.packed({"a": b"x"})), BROKEN),
    "a template from elsewhere": (samples.docx({"word/_rels/settings.xml.rels": TEMPLATE}), LIVELY),
    "a script to start": (samples.docx({"word/embeddings/x.ps1": b"x"}), LIVELY),
    "entities in another spelling": (samples.docx({"word/a.xml": "<!DOCTYPE x>".encode("utf-16")}), BROKEN),
    "entities in another encoding": (samples.docx({"word/a.xml": "<!DOCTYPE x>".encode("utf-16-be")}), BROKEN),
    "entities in a seven-bit spelling": (
        samples.docx({"word/a.xml": b'<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE x>'}), BROKEN),
    "a template in capitals": (samples.docx({"word/_rels/settings.xml.RELS": TEMPLATE}), LIVELY),
    "a template spelled by numbers": (samples.docx({
        "word/_rels/settings.xml.rels": TEMPLATE.replace(b"late'", b"l&#97;&#x74;e'")}), LIVELY),
    "a PDF that sends a form away": (samples.pdf(b"/AA<</O<</S/SubmitForm/F(http://x/)>>>>"), LIVELY),
    "a PDF with a program's form": (samples.pdf(b"/AcroForm<</XFA 5 0 R>>"), LIVELY),
    "a PDF that takes long to look through": (samples.pdf(b"/ObjStm " * 30_000), BOMB),
    "a bomb of small parts": (samples.docx({f"xl/{n}.xml": b"<" + b" " * 900_000 for n in range(300)}), BOMB),
    "a zip with a picture before it": (photograph()[:300] + samples.docx(), "这张照片打不开"),
    "a zip with a page behind it": (samples.docx() + HTML, BROKEN), "a zip with a comment": (
        samples.docx(comment=HTML), BROKEN),
    "a zip cut off": (samples.docx()[:-30], STRANGE),
    "a macro": (samples.docx({"word/vbaProject.bin": b"x"}), LIVELY),
    "ActiveX": (samples.docx({"word/activeX/activeX1.xml": b"x"}), LIVELY),
    "a program inside": (samples.docx({"word/embeddings/x.exe": b"x"}), LIVELY),
    "a macro's type": (samples.packed({
        "[Content_Types].xml": b"<Types>application/vnd.ms-word.document.macroEnabled.main+xml</Types>",
        "word/document.xml": b"<document/>"}), LIVELY),
    "entities": (samples.docx({"word/a.xml": b'<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>'}), BROKEN),
    "a path that leads away": (samples.docx({"../../etc/passwd": b"x"}), BROKEN),
    "a path from the root": (samples.docx({"/etc/passwd": b"x"}), BROKEN),
    "a bomb": (samples.docx({"word/a.xml": bytes(100 * MB)}), BOMB), "many bombs": (
        samples.docx({f"word/{n}.xml": bytes(1 * MB) for n in range(400)}), BOMB),
    "a bomb of shared bytes": (samples.overlapping(), BOMB),
    "ten thousand parts": (samples.docx({f"word/{n}.xml": b"" for n in range(6000)}), BROKEN),
    "a film cut off": (samples.mp4()[:-10], "录像或录音不完整"), "a film with a page behind it": (
        samples.mp4(after=HTML), "录像或录音不完整"),
    "a film of an Apple phone": (samples.mp4(brand=b"qt  "), "兼容性最佳"),
    "a film without pictures": (samples.box(b"ftyp", b"isom" + bytes(4)) + samples.box(b"mdat"), "录像或录音不完整"),
    "a film of a box without end": (
        samples.box(b"ftyp", b"isom" + bytes(4)) + b"\xff\xff\xff\xffmoov", "录像或录音不完整"),
    "sound of half a second": (samples.mp3(5), "录像或录音不完整"),
    "a page within sound": (samples.mp3(before=HTML), "录像或录音不完整"),
    "half a megabyte behind sound": (samples.mp3(after=bytes(500_000)), "录像或录音不完整"),
}


@pytest.mark.parametrize(("body", "words"), UNFIT.values(), ids=UNFIT)
async def test_what_is_not_what_it_says_is_refused_in_words(tmp_path, body, words):
    with pytest.raises(Unfit, match=words):
        await opened(body, tmp_path)


async def test_a_place_takes_its_own_kinds_and_sizes_only(tmp_path):
    for body in (samples.docx(), samples.pdf(), photograph()):
        with pytest.raises(Unfit, match="请选择 Excel"):
            await opened(body, tmp_path, TABLES)
    with pytest.raises(Unfit, match="不能超过 20 MB"):
        await opened(samples.pdf(b" " * (KINDS["PDF"].most + 1)), tmp_path)


def test_a_wall_of_pixels_is_refused_in_less_than_a_second_and_100_mb(tmp_path):
    (tmp_path / "bomb").write_bytes(samples.png_bomb())
    before = time.process_time()
    done = subprocess.run([sys.executable, "-c", """
import resource, subprocess, sys
done = subprocess.run([sys.executable, "-m", "server.core.decode", *sys.argv[1:]], capture_output=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(done.stdout.decode(), used.ru_maxrss, used.ru_utime + used.ru_stime, sep="|")""",
                           str(tmp_path / "bomb"), str(tmp_path / "clean"), str(tmp_path / "small"), *PICTURES],
                          capture_output=True, text=True, check=True)
    said, kilobytes, seconds = done.stdout.split("|")
    assert "unfit" in said
    assert int(kilobytes) < 100_000
    assert float(seconds) < 1
    assert time.process_time() - before < 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


async def test_who_sends_a_file_that_kills_its_opener_is_told_so(tmp_path, monkeypatch):
    monkeypatch.setattr(files.sys, "executable", "/bin/false")
    with pytest.raises(Unfit, match="打不开"):
        await opened(photograph(), tmp_path)


def test_the_opener_is_told_nothing_of_ours(monkeypatch):
    assert not {name for name in files.ENVIRONMENT if name.startswith(("EBRANCH", "DATABASE", "REDIS"))}


# Names ----------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("name", "shown"), [
    ("../../etc/x.pdf", "x.pdf"), ("C:\\Users\\会议.docx", "会议.docx"),
    ("a\r\nSet-Cookie: x=1.pdf", "aSet-Cookie: x=1.pdf"),
    ("a\0.pdf", "a.pdf"), ("", "文件"), ("..", "文件"), ("\u202egpj.exe", "gpj.exe"), ("会议" * 200 + ".pdf", None),
    ("𬶮的材料.pdf", "𬶮的材料.pdf")])
def test_a_name_is_shown_and_leads_nowhere(name, shown):
    safe = files.safe_name(name)
    assert safe == shown or (shown is None and len(safe) == 100 and safe.endswith(".pdf"))


# 清晰规范 -------------------------------------------------------------------------------------------------------------

def sheet(ink: str = "#303048") -> Image.Image:
    """Handwriting, more or less."""
    page = Image.new("RGB", (1800, 2400), "#e8e2d4")
    pen = ImageDraw.Draw(page)
    for line in range(100, 2300, 80):
        for stroke in range(100, 1700, 34):
            bend = (stroke * 7 + line * 3) % 40
            pen.line((stroke, line, stroke + bend, line + 40 - bend, stroke + 20, line + 44), fill=ink, width=4)
    return page


@pytest.mark.parametrize(("blur", "warned"), [(0, False), (2, False), (12, True)], ids=["sharp", "soft", "blurred"])
@pytest.mark.parametrize("ink", ["#303048", "#b0aaa0"], ids=["ink", "pencil"])
async def test_a_blurred_scan_is_noticed_and_kept_all_the_same(tmp_path, blur, warned, ink):
    body = BytesIO()
    sheet(ink).filter(ImageFilter.GaussianBlur(blur)).save(body, "JPEG", quality=90)
    checked, _ = await opened(body.getvalue(), tmp_path)
    assert checked.blurred is warned or (ink == "#b0aaa0" and warned)  # what is pale and blurred is nearly nothing


async def test_an_empty_sheet_is_not_called_blurred(tmp_path):
    body = BytesIO()
    Image.new("RGB", (1800, 2400), "#e8e2d4").save(body, "JPEG")
    assert not (await opened(body.getvalue(), tmp_path))[0].blurred
