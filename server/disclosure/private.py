"""Numbers and illnesses that must not be published: in tables and lists they are masked by themselves, name and amount
stay; anywhere else they are pointed out. No I/O."""
import re
from collections.abc import Iterable, Sequence

from server.people.rules import MASK, masked_phone

HIDDEN = "（不公开）"
ID_HEADS = re.compile(r"身份证|证件号|公民身份")
CARD_HEADS = re.compile(r"银行|卡号|账号|帐号|存折|一卡通")
PHONE_HEADS = re.compile(r"手机|电话|联系方式")
ILLNESS_HEADS = re.compile(r"病|诊断|残疾(?!人补|等级)|症")

NUMBER = re.compile(r"(?<![0-9A-Za-z])[0-9][0-9 -]{9,25}[0-9Xx](?![0-9A-Za-z])")  # blanks and hyphens between groups
ID_NUMBER = re.compile(r"[1-9]\d{16}[0-9Xx]|[1-9]\d{14}")
CARD = re.compile(r"\d{16,19}")
PHONE = re.compile(r"1[3-9]\d{9}")


def hide(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> list[list[str]]:
    """The rows as they may be published: whole numbers and illnesses masked, by the column's head or what they are."""
    return [[hidden(head, half_width(cell)) for head, cell in zip(columns, row, strict=True)] for row in rows]


def hidden(head: str, cell: str) -> str:
    """One cell under its head."""
    if not cell or MASK in cell or cell == HIDDEN:
        return cell
    if ILLNESS_HEADS.search(head):
        return HIDDEN
    if ID_HEADS.search(head):
        return masked(cell, 4, 2)
    if CARD_HEADS.search(head) and sum(character.isdigit() for character in cell) > 7:
        return masked(cell, 0, 4)
    return NUMBER.sub(lambda found: mask_number(found[0]), cell)


def mask_number(written: str) -> str:
    """A number in the middle of something, masked where it is one of a person's."""
    digits = re.sub(r"[ -]", "", written)
    if ID_NUMBER.fullmatch(digits):
        return masked(digits, 4, 2)
    if CARD.fullmatch(digits):
        return masked(digits, 0, 4)
    return masked_phone(digits) if PHONE.fullmatch(digits) else written


def masked(text: str, first: int, last: int) -> str:
    """Only the first and last so many characters of it; at most half of a short one."""
    text = re.sub(r"[ -]", "", text)
    if len(text) < 2 * (first + last):
        first, last = 0, min(last, len(text) // 4)
    return text[:first] + MASK * (len(text) - first - last) + text[len(text) - last:]


def numbers_in(text: str) -> list[str]:
    """What in a text still shows a person's number, each as it is written."""
    return [found[0] for found in NUMBER.finditer(half_width(text))
            if mask_number(found[0]) != found[0]]


def half_width(text: str) -> str:
    """Digits of a full-width keyboard as digits."""
    return text.translate({full: full - 0xFEE0 for full in (*range(0xFF10, 0xFF1A), 0xFF38, 0xFF58)})
