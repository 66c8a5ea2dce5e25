"""Numbers and illnesses that must not be published: in tables and lists they are masked by themselves, name and amount
stay; anywhere else they are pointed out. No I/O."""
import re
from collections.abc import Iterable, Iterator, Sequence

from server.core.masking import in_digits, may_have_numbers, visible
from server.people.rules import MASK, masked_phone

HIDDEN = "（不公开）"
ID_HEADS = re.compile(r"身份证|证件号|公民身份")
CARD_HEADS = re.compile(r"银行|卡号|账号|帐号|存折|一卡通")
ILLNESS_HEADS = re.compile(r"病(?![虫害])|诊断|残疾(?!人补|等级)|症")

NAME_HEADS = re.compile(r"姓名|户主|对象|人员|个人|人$|户$")
ORGAN = ("肺|胃|肝|肠|直肠|结肠|乳腺?|食[道管]|宫颈|子宫|卵巢|胰腺?|肾|脑|骨|淋巴|甲状腺|前列腺|鼻咽|口腔|皮肤|膀胱"
         "|胆管?|喉|舌|血管")
ILLNESSES = (
    f"(?:{ORGAN})?(?:恶性)?(?:癌症?|肿瘤)", f"(?:{ORGAN})瘤", "白血病", "尿毒症", "艾滋病?", "HIV(?:感染|阳性)?",
    "梅毒", "(?:[甲乙丙丁戊]型?)?肝炎", "[甲乙丙丁戊]肝(?!疫苗)", "肝硬化", "肺结核", "结核病?", "尘肺病?",
    "慢阻肺", "精神(?:病|分裂症?|障碍|残疾)", "(?:肢体|智力|视力|听力|言语|多重)残疾(?:[一二三四1-4]级)?", "智障",
    "抑郁症?", "自闭症?", "孤独症", "糖尿病", "高血压", "冠心病", "心(?:脏病|脏搭桥|肌梗[死塞]|梗|衰竭?)",
    "脑(?:梗[死塞]?|瘫|出血|溢血|卒中)", "中风", "偏瘫|截瘫|瘫痪", "肾(?:衰竭?|病)", "血友病", "癫痫", "帕金森病?",
    "老年痴呆", "痴呆症?", "红斑狼疮", "股骨头坏死", "骨折", "类风湿", "强直性脊柱炎", "重症肌无力", "流产",
    "不孕不?育?症?", "(?:血液)?透析", "[化放]疗", "(?:肾|肝|骨髓|器官)移植")
ILLNESS = re.compile(
    f"[（(]?(?:{'|'.join(ILLNESSES)})(?:晚期|早期|中期|术后|手术|透析|[化放]疗|移植|治疗|住院|患者|病人|携带者)*[）)]?")

ID_NUMBER = re.compile(r"[1-9][0-9]{16}[0-9Xx]|[1-9][0-9]{14}")
CARD = re.compile(r"[0-9]{16,19}")
PHONE = re.compile(r"1[3-9][0-9]{9}")
PHONES = re.compile(r"(?:1[3-9][0-9]{9}){2,}")  # written together
LONGEST = 19  # groups of one number

# How numbers are written: as one, or in groups between signs. What is known by its groups is never joined with what
# stands beside it, nor what was masked before with what follows it.
START, END = r"(?<![0-9])(?<!\*{4})", r"(?![0-9]|\*{4})"
SIGN = r"[\W_一丨]"  # whatever is no letter and no digit, and strokes that pass for a dash
APART = "[ ./\u00b7\u2010-\u2015-]+"  # what stands between groups of any number
ABROAD = r"(?:\+?(?:00)?86[ -]?|0)?"  # what may stand before a phone
DAY = "(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
SPACED_DAY = "(?:1~9|2~0)~[0-9]~[0-9]~(?:0~[1-9]|1~[0-2])~(?:0~[1-9]|[12]~[0-9]|3~[01])"
SPACED_ID = f"[1-9]~{'[0-9]~' * 5}{SPACED_DAY}~[0-9]~[0-9]~[0-9]~[0-9Xx]".replace("~", f"{SIGN}{{0,2}}")
WHOLE = f"(?<![0-9])(?:(?:1[3-9][0-9]{{9}}){{2,}}|{ABROAD}{PHONE.pattern}|{ID_NUMBER.pattern}|{CARD.pattern})(?![0-9])"
KNOWN = "(?:" + "|".join((
    f"{ABROAD}1[3-9][0-9]{SIGN}{{1,3}}[0-9]{{4}}(?:{SIGN}{{1,3}})?[0-9]{{4}}",
    f"[0-9]{{4}}(?:{APART}[0-9]{{4}}){{3}}(?:{APART}[0-9]{{1,3}})?",  # a card
    f"(?:6[02]|95)[0-9]{{2}}(?:{SIGN}{{1,3}}[0-9]{{4}}){{3}}(?:{SIGN}{{1,3}}[0-9]{{1,3}})?",  # one of our banks
    DAY, "(?:19|20)[0-9]{2}-[01]?[0-9]-[0-3]?[0-9]", "0[0-9]{2,3}-[0-9]{7,8}",  # days and an office's telephone stay
)) + f"){END}"
WRITTEN = re.compile(
    f"{START}{SPACED_ID}(?!{SIGN}?[0-9]){END}|{WHOLE}|"
    f"{START}(?:{KNOWN}|[0-9]+[Xx]?(?:[ -]+(?!{KNOWN})[0-9]+[Xx]?)*{END})")
GROUP = re.compile("[0-9]+[Xx]?")
CALLED = re.compile(r"(?:(?:00)?86|0)?(1[3-9][0-9]{9})")


def hide(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> list[list[str]]:
    """The rows as they may be published: whole numbers and illnesses masked, by the column's head or what they are; of
    a list of people illnesses wherever they stand."""
    people = any(NAME_HEADS.search(head) for head in columns)
    found = [[hidden(head, half_width(cell)) for head, cell in zip(columns, row, strict=True)] for row in rows]
    return [[ILLNESS.sub(HIDDEN, cell) for cell in row] for row in found] if people else found


def hidden(head: str, cell: str) -> str:
    """One cell under its head."""
    if not cell or cell == HIDDEN:
        return cell
    if ILLNESS_HEADS.search(head):
        return HIDDEN
    if ID_HEADS.search(head):
        return masked(cell, 4, 2)
    if CARD_HEADS.search(head) and sum(character.isdigit() for character in cell) > 7:
        return masked(cell, 0, 4)
    return without_numbers(cell)


def without_numbers(text: str) -> str:
    """A text with every number of a person's in it masked."""
    text, shown, place = half_width(text), "", 0
    if not may_have_numbers(text):
        return text
    plain = in_digits(text)
    for first, last in numbers(plain):
        shown, place = shown + text[place:first] + mask_number(plain[first:last]), last
    return shown + text[place:]


def numbers(text: str) -> Iterator[tuple[int, int]]:
    """Where a person's numbers stand in a text, from and to: groups that are one together, as many as can be."""
    for found in WRITTEN.finditer(text):
        groups, first = [one.span() for one in GROUP.finditer(text, found.start(), found.end())], 0
        while first < len(groups):
            start, past = groups[first][0], first + 1
            for end in range(min(len(groups), first + LONGEST), first, -1):
                if mask_number(text[start:groups[end - 1][1]]) != text[start:groups[end - 1][1]]:
                    yield start, groups[end - 1][1]
                    past = end
                    break
            first = past


def mask_number(written: str) -> str:
    """A number, masked where it is one of a person's."""
    digits = re.sub("[^0-9Xx]", "", written)
    if ID_NUMBER.fullmatch(digits):
        return masked(digits, 4, 2)
    if CARD.fullmatch(digits):
        return masked(digits, 0, 4)
    called = CALLED.fullmatch(digits)
    if called:
        return masked_phone(called[1])
    return " ".join(map(masked_phone, PHONE.findall(digits))) if PHONES.fullmatch(digits) else written


def masked(text: str, first: int, last: int) -> str:
    """Only the first and last so many characters of it; at most half of a short one."""
    text = re.sub(APART, "", text)
    if len(text) < 2 * (first + last):
        first, last = 0, min(last, len(text) // 4)
    return text[:first] + MASK * (len(text) - first - last) + text[len(text) - last:]


def numbers_in(text: str) -> list[str]:
    """What in a text still shows a person's number, each as it is written."""
    if not may_have_numbers(text):
        return []
    plain = in_digits(half_width(text))
    return [plain[first:last] for first, last in numbers(plain)]


def private_in(text: str) -> list[str]:
    """What in a text must not be published, in words: each number that still shows, each illness."""
    ill = dict.fromkeys(one.strip("（()）") for one in ILLNESS.findall(text))
    return [f"还露着像身份证号、卡号或手机号的数字：{one[:3]}…" for one in numbers_in(text)] + [
        f"像是写到了病情：{one}；写明是谁的，请去掉" for one in ill]


def half_width(text: str) -> str:
    """Digits of a full-width keyboard as digits, and no signs between them that nobody sees."""
    return visible(text).translate({full: full - 0xFEE0 for full in (*range(0xFF10, 0xFF1A), 0xFF38, 0xFF58)})
