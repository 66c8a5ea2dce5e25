"""Who somebody is: names, resident ID numbers (GB 11643) and phone numbers, how they are read and how shown. No I/O."""
import re
from datetime import date

MIDDLE_DOT = "·"  # U+00B7, as in 阿依努尔·吐尔逊
WRITTEN_FOR_IT = "•．・‧∙⋅"  # what keyboards give instead

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643-1999
CHECKS = "10X98765432"
ID_NUMBER = re.compile(r"[0-9]{17}[0-9X]")
PHONE = re.compile(r"1[3-9][0-9]{9}")
MASK = "*"


def written_name(typed: str) -> str:
    """A name as it is kept: no blanks around or inside a Chinese name, one kind of middle dot."""
    name = typed.strip().translate(dict.fromkeys(map(ord, WRITTEN_FOR_IT), MIDDLE_DOT))
    return name if name.isascii() else "".join(name.split())


def read_name(typed: str, most: int, label: str = "姓名") -> str:
    """A name as a sheet's cell has it, of 2 to `most` characters; ValueError, in words, for what is none."""
    name = written_name(typed)
    if not 1 < len(name) <= most:
        raise ValueError(f"{label}应是 2 到 {most} 个字" if name else f"请填写{label}")
    return name


def sort_key(name: str) -> str:
    """What lists of people are sorted by: GB 18030, which has the ordinary characters in the order of their pinyin
    (the embedded database has no ICU)."""
    return name.encode("gb18030", "replace").hex()


def read_id_number(typed: str, today: date) -> str:
    """The ID number that was typed: 17 digits and 0-9 or X, a birth date that was, and the right check character.

    Raises ValueError, in Chinese. A county code nobody knows is no fault: counties come and go."""
    number = typed.strip().upper()
    if not number.isascii():
        raise ValueError("身份证号要用半角数字，请关掉全角输入法再填")
    if not ID_NUMBER.fullmatch(number):
        raise ValueError("身份证号应是 18 位：17 位数字，最后一位是数字或 X")
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        raise ValueError("身份证号里的出生日期不对，请检查") from None
    if not date(1900, 1, 1) <= born <= today:
        raise ValueError("身份证号里的出生日期不对，请检查")
    if number[17] != check_character(number):
        raise ValueError("身份证号最后一位对不上，请逐位检查")
    return number


def check_character(number: str) -> str:
    """The 18th character that belongs to the first 17 digits of an ID number."""
    return CHECKS[sum(int(digit) * weight for digit, weight in zip(number, WEIGHTS, strict=False)) % 11]


def sex_of(id_number: str) -> str:
    """男 or 女, by the 17th digit."""
    return "男" if int(id_number[16]) % 2 else "女"


def born_on(id_number: str) -> date:
    """The birth date in an ID number."""
    return date(int(id_number[6:10]), int(id_number[10:12]), int(id_number[12:14]))


def read_phone(typed: str) -> str:
    """The mobile number that was typed, without blanks and hyphens. Raises ValueError, in Chinese."""
    number = re.sub(r"[\s-]", "", typed)
    if not number.isascii():
        raise ValueError("手机号要用半角数字，请关掉全角输入法再填")
    if not PHONE.fullmatch(number):
        raise ValueError("手机号应是 11 位数字，以 1 开头")
    return number


def masked_id_number(number: str) -> str:
    """370921********1234."""
    return number[:6] + MASK * 8 + number[14:]


def masked_phone(number: str) -> str:
    """137****0010."""
    return number[:3] + MASK * 4 + number[7:]
