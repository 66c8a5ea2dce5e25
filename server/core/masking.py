"""Numbers that people write where none belong: found in running text, and masked there. No I/O."""
import re
import unicodedata

SEPARATORS = r"[\s\-—_.·]*"
NUMBERS_IN_TEXT = re.compile(  # a phone or an ID number that somebody wrote into a sentence, in groups or not
    rf"(?<![0-9])(?:(?:\+?86{SEPARATORS})?1{SEPARATORS}[3-9](?:{SEPARATORS}[0-9]){{9}}|[1-9](?:{SEPARATORS}[0-9]){{16}}{SEPARATORS}[0-9Xx])"
    r"(?![0-9])")
ID_NUMBER, PHONE = 18, 11  # characters
KEPT = {ID_NUMBER: (6, 4), PHONE: (3, 4)}  # characters at the beginning and the end that stay, by the number's length


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
