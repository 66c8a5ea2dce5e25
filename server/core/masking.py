"""Numbers that people write where none belong: found in running text, and masked there. No I/O."""
import re
import unicodedata

SEPARATORS = r"[\s\-—_.·]*"
NUMBERS_IN_TEXT = re.compile(  # a phone or an ID number that somebody wrote into a sentence, in groups or not
    rf"(?<![0-9])(?:(?:\+?86{SEPARATORS})?1{SEPARATORS}[3-9](?:{SEPARATORS}[0-9]){{9}}|[1-9](?:{SEPARATORS}[0-9]){{16}}{SEPARATORS}[0-9Xx])"
    r"(?![0-9])")
ID_NUMBER, PHONE = 18, 11  # characters
KEPT = {ID_NUMBER: (6, 4), PHONE: (3, 4)}  # characters at the beginning and the end that stay, by the number's length

# Signs that take no room and yet keep digits apart: joiners, fillers, variation selectors, an empty Braille cell.
INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
NUMERALS, MIMICS = "零〇一二三四五六七八九幺", "壹贰叁肆伍陆柒捌玖OoＯｏ"
SPELLED = str.maketrans(NUMERALS + MIMICS, "0012345678911234567890000")
SPELLED_OUT = re.compile(f"(?<![0-9{NUMERALS}])[0-9{NUMERALS}{MIMICS}]{{11,19}}(?![0-9])")
SPELLED_SIGNS = frozenset(NUMERALS + MIMICS)
FEWEST = 11  # digits of a person's number
LENGTHS = (11, 15, 16, 17, 18, 19)  # of what a person's number may be, in digits


def visible(text: str) -> str:
    """A text without the signs that nobody sees."""
    return INVISIBLE.sub("", "".join(sign for sign in text if unicodedata.category(sign) != "Cf"))


def may_have_numbers(text: str) -> bool:
    """Whether as much as a person's number in digits, or what is read as one, stands in a text at all."""
    return sum(sign.isdigit() or sign in SPELLED_SIGNS for sign in text) >= FEWEST


def in_digits(text: str) -> str:
    """A text of the same length in which whatever reads as a digit is one: of other scripts and keyboards, in circles,
    raised, and those spelled out or mimicked by letters where as many stand together as a number has."""
    text = "".join(sign if sign.isascii() else str(unicodedata.digit(sign, sign)) for sign in text)
    return SPELLED_OUT.sub(
        lambda found: found[0].translate(SPELLED) if len(found[0]) in LENGTHS else found[0], text)


def names_a_number(text: str) -> bool:
    """Whether a phone or ID number is written in `text`, full-width digits included: reasons are kept in clear."""
    return NUMBERS_IN_TEXT.search(unicodedata.normalize("NFKC", text)) is not None


def without_numbers(text: str) -> str:
    """`text` with every phone and ID number in it masked; unchanged where there is none."""
    return NUMBERS_IN_TEXT.sub(masked, unicodedata.normalize("NFKC", text)) if names_a_number(text) else text


def masked(found: re.Match[str]) -> str:
    number = "".join(character for character in found[0] if character.isalnum())
    number = number if len(number) == ID_NUMBER else number[-PHONE:]  # without +86
    first, last = KEPT[len(number)]
    return number[:first] + "*" * (len(number) - first - last) + number[-last:]
