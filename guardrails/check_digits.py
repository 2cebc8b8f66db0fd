# SPDX-License-Identifier: Apache-2.0
"""Check digits: whether a number can be a card, an account or a person's id at all.

Each function takes the text as found, with its separators, and says whether it passes.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final

_PERMUTATION: Final = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
_DNI_LETTERS: Final = "TRWAGMYFPDXBNJZSQVHLCKE"
_HETU_MARKS: Final = "0123456789ABCDEFHJKLMNPRSTUVWXY"


def _digits(text: str) -> list[int]:
    return [int(character) for character in text if character.isascii() and character.isdigit()]


def _weigh(digits: Sequence[int], weights: Sequence[int]) -> int:
    return sum(digit * weight for digit, weight in zip(digits, weights, strict=False))


def _multiply(left: int, right: int) -> int:
    """Return the product in the dihedral group of order ten, by which Verhoeff checks."""
    if left < 5:
        return (left + right) % 5 + (5 if right >= 5 else 0)
    return (left - right) % 5 + (0 if right >= 5 else 5)


def _verhoeff_sum(digits: Sequence[int], first_place: int) -> int:
    total = 0
    for place, digit in enumerate(reversed(digits), first_place):
        value = digit
        for _ in range(place % 8):
            value = _PERMUTATION[value]
        total = _multiply(total, value)
    return total


def verhoeff_digit(digits: str) -> str:
    """Return the check digit (Verhoeff, 1969) that a number lacks."""
    total = _verhoeff_sum(_digits(digits), 1)
    return str((5 - total) % 5 if total < 5 else total)


def passes_verhoeff(text: str) -> bool:
    """Aadhaar of India."""
    digits = _digits(text)
    return len(set(digits)) > 1 and _verhoeff_sum(digits, 0) == 0


def passes_luhn(text: str) -> bool:
    """Payment cards, IMEI, SIN of Canada, personnummer (ISO/IEC 7812-1, annex B)."""
    digits = _digits(text)
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return len(set(digits)) > 1 and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def passes_iban(text: str) -> bool:
    """IBAN (ISO 13616: the number, turned, is 1 modulo 97)."""
    plain = "".join(character for character in text.upper() if character.isalnum())
    if not 15 <= len(plain) <= 34 or not plain.isascii():
        return False
    turned = plain[4:] + plain[:4]
    return int("".join(str(int(character, 36)) for character in turned)) % 97 == 1


def passes_nhs(text: str) -> bool:
    """NHS number of England."""
    digits = _digits(text)
    check = 11 - _weigh(digits, range(10, 1, -1)) % 11
    return len(digits) == 10 and len(set(digits)) > 1 and check % 11 == digits[9]


def passes_dni(text: str) -> bool:
    """DNI and NIE of Spain."""
    plain = "".join(character for character in text.upper() if character.isalnum())
    number = plain[:-1].replace("X", "0").replace("Y", "1").replace("Z", "2")
    return number.isdigit() and _DNI_LETTERS[int(number) % 23] == plain[-1]


def passes_hetu(text: str) -> bool:
    """Henkilotunnus of Finland."""
    digits = "".join(character for character in text[:-1] if character.isdigit())
    return len(digits) == 9 and _HETU_MARKS[int(digits) % 31] == text[-1].upper()


def passes_pesel(text: str) -> bool:
    """PESEL of Poland."""
    digits = _digits(text)
    return len(digits) == 11 and _weigh(digits, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0


def passes_bsn(text: str) -> bool:
    """Burgerservicenummer of the Netherlands."""
    digits = _digits(text)
    return (
        len(digits) == 9 and any(digits) and _weigh(digits, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0
    )


def passes_cpf(text: str) -> bool:
    """CPF of Brazil."""
    digits = _digits(text)
    if len(digits) != 11 or len(set(digits)) == 1:
        return False
    first = _weigh(digits, range(10, 1, -1)) * 10 % 11 % 10
    second = _weigh(digits, range(11, 1, -1)) * 10 % 11 % 10
    return [first, second] == digits[9:]


def passes_chinese_id(text: str) -> bool:
    """Resident identity number of China (GB 11643)."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return "10X98765432"[_weigh(_digits(text[:17]), weights) % 11] == text[17].upper()


def passes_ean(text: str) -> bool:
    """AHV number of Switzerland (GTIN-13)."""
    digits = _digits(text)
    return len(digits) == 13 and _weigh(digits, (1, 3) * 7) % 10 == 0


def passes_insee(text: str) -> bool:
    """Numero de securite sociale of France."""
    digits = "".join(character for character in text if character.isdigit())
    return len(digits) == 15 and 97 - int(digits[:13]) % 97 == int(digits[13:])


def passes_belgian_number(text: str) -> bool:
    """Rijksregisternummer of Belgium; those born since 2000 count with a 2 before."""
    digits = "".join(character for character in text if character.isdigit())
    return len(digits) == 11 and int(digits[9:]) in (
        97 - int(digits[:9]) % 97,
        97 - int(f"2{digits[:9]}") % 97,
    )


def passes_nric(text: str) -> bool:
    """NRIC and FIN of Singapore; the M series of 2022 has no published check."""
    first, digits, last = text[0].upper(), _digits(text), text[-1].upper()
    if first == "M":
        return True
    total = _weigh(digits, (2, 7, 6, 5, 4, 3, 2)) + (4 if first in "TG" else 0)
    letters = "JZIHGFEDCBA" if first in "ST" else "XWUTRQPNMLK"
    return letters[total % 11] == last


def passes_turkish_id(text: str) -> bool:
    """T.C. kimlik numarasi."""
    digits = _digits(text)
    return (
        len(digits) == 11
        and digits[0] != 0
        and (7 * sum(digits[0:9:2]) - sum(digits[1:8:2])) % 10 == digits[9]
        and sum(digits[:10]) % 10 == digits[10]
    )


def begins_with_birthday(text: str) -> bool:
    """Whether the first six digits are a day: yymmdd or ddmmyy (CPR, rodne cislo, RRN)."""
    digits = "".join(character for character in text if character.isdigit())
    if len(digits) < 6:
        return False
    one, two, three = int(digits[:2]), int(digits[2:4]), int(digits[4:6])
    month = two - 50 if two > 50 else two  # women in the Czech and Slovak form
    return _is_day(one, month, three) or _is_day(three, month, one)


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        date(2000 + year % 4, month, day)
    except ValueError:
        return False
    return True
