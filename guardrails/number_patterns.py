# SPDX-License-Identifier: Apache-2.0
"""Numbers of people: telephones, cards, accounts, ids of employers, dates of birth.

A form that other numbers share counts only with its check digit, beside its name, or both.
"""
# ruff: noqa: E501 - a regular expression does not read better in pieces

import re
from typing import Final

import regex  # type: ignore[import-untyped]  # presidio's engine; ships no types

from guardrails import check_digits as check
from guardrails.pattern_parts import IS, IdentifierPattern, patterns
from guardrails.state_id_patterns import STATE_IDS

_EXTENSION_WORD: Final = (
    r"(?i:ext(?:ension)?|extn|x|app\.?|poste|int|durchwahl|dw|\u0434\u043e\u0431)[.: ]{0,2}"
)
_EXTENSION: Final = rf"(?:[ ]?\([ ]?{_EXTENSION_WORD}\d{{1,6}}\)|[ ]?[,;/(]?[ ]?{_EXTENSION_WORD}\d{{1,6}}|[ ]?#\d{{2,5}})?"
_PHONE_WORDS: Final = "phone telephone tel mobile cell cellphone fax call calling callback dial dialed reach whatsapp signal sms text ring hotline contact handy answering answer landline voicemail desk number line telefon t\u00e9l\u00e9phone telefono m\u00f3vil portable m: p: t:"
_NOT_A_NUMBER: Final = r"(?<![\w.,:/#+=\\-])(?<![$\u20ac\u00a3][ ]?)"
MONTH: Final = r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sep(?:t(?:ember)?)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\.?"
# In the languages of the words before a date of birth, beside English.
_OTHER_MONTH: Final = r"(?:januar|j\u00e4nner|februar|feber|m\u00e4rz|mai|juni|juli|oktober|dezember|janvier|f\u00e9vrier|fevrier|mars|avril|juin|juillet|ao\u00fbt|aout|septembre|octobre|novembre|d\u00e9cembre|decembre|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre|gennaio|febbraio|aprile|maggio|giugno|luglio|settembre|ottobre|dicembre)"
DAY_FORM: Final = rf"(?:\d{{1,2}}(?:st|nd|rd|th)?[ .-]{{1,2}}(?:of[ ])?{MONTH}[ ,.-]{{1,2}}\d{{2,4}}|{MONTH}[ .-]\d{{1,2}}(?:st|nd|rd|th)?[ ,.-]{{1,2}}\d{{2,4}}|\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}|\d{{1,2}}([-/.])[ ]?\d{{1,2}}\1[ ]?\d{{2,4}}|\d{{8}})"
_OTHER_DAY: Final = rf"\d{{1,2}}(?:er|\.)?[ .-]{{0,2}}(?:de[ ])?(?i:{_OTHER_MONTH})[ .,-]{{1,2}}(?:de[ ])?(?:19|20)?\d\d\b"
_MIN_IBAN_DIGITS: Final = 9
_AGED_YEAR: Final = r"(?:19[2-9]\d|200\d)"
_NO_BIRTHDAY: Final = r"(?<!(?i:driver|drivers|version|versions|released|dated|build|signed|copyright|published|updated|modified|revision|rev|since|from|until|till|on|expires?|expired|valid|issued|bios|firmware|installed|date|dates|purchased|release|created)[ :,(=]{1,3})(?<![\w./:\\-])"


def _is_card(text: str) -> bool:
    return check.passes_luhn(text) and 12 <= sum(map(str.isdigit, text)) <= 19


_DOT: Final = regex.compile(r"(?<=\d)\.(?=\d)")


def _is_no_version(text: str) -> bool:
    return len(_DOT.findall(text)) not in (1, 3) or "+" in text or "(" in text


_DATE_OR_YEAR: Final = regex.compile(
    r"\d{1,2}[-/. ]\d{1,2}[-/. ]\d{4}|(?:19|20)\d\d[-/ ]\d{1,3}(?:[-/ ]\d{1,2})?"
)


def _is_phone(text: str) -> bool:
    digits = sum(map(str.isdigit, text))
    separators = sum(character in " -/." for character in text)
    return (
        (7 if separators < 2 else 6) <= digits <= 15
        and _is_no_version(text)
        and not _DATE_OR_YEAR.fullmatch(text)
    )


def _is_national(text: str) -> bool:
    return (
        8 <= sum(map(str.isdigit, text)) <= 16
        and text.count(".") != 3
        and not (text.startswith(("0.", "00")) or _DATE_OR_YEAR.fullmatch(text))
    )


_OF_TELEPHONES_AND_PAYMENT: Final = patterns(
    # --- telephones
    (
        "PHONE",
        0.86,
        rf"(?<![\w.+-])\+[ ]?(?:[ ()./-]{{0,3}}\d){{7,15}}(?!\d){_EXTENSION}(?!\w)",
        "+",
    ),
    (
        "PHONE",
        0.82,
        rf"(?<![\w.:/-])00[1-9]\d{{0,2}}(?:[ ()./-]{{1,3}}\d{{1,4}}){{2,6}}(?!\d){_EXTENSION}(?!\w)",
        "00",
    ),
    (
        "PHONE",
        0.8,
        rf"(?<![\w.-])(?:1[-. ])?(?:\(\d{{3}}\)[ -]?|\d{{3}}[-. ])\d{{3}}[-. ]\d{{4}}(?!\d|\.\d|-\d){_EXTENSION}(?![\w-])",
    ),
    (
        "PHONE",
        0.8,
        rf"{_NOT_A_NUMBER}\(\d{{2,5}}\)[ ]?\d{{2,5}}(?:[ .-]?\d{{2,5}}){{0,3}}(?!\d){_EXTENSION}(?![\w.-]\d|\w)",
        "(",
    ),
    (
        "PHONE",
        0.72,
        rf"{_NOT_A_NUMBER}0[1-9]\d{{0,4}}(?:[ ]?[-/ .][ ]?\d{{2,8}}){{1,5}}(?!\d){_EXTENSION}(?![\w.:/-]\d|\w)",
        "0",
        _is_national,
    ),
    (
        "PHONE",
        0.72,
        rf"{_NOT_A_NUMBER}8[ -]?\(\d{{3,5}}\)[ ]?\d{{1,3}}(?:[- ]?\d{{2}}){{2}}(?!\d)",
        "(",
    ),
    (
        "PHONE",
        0.84,
        rf"(?i:(?<![a-z])(?:phone|telephone|tel|mobile|mob|cell(?:[ ]?phone)?|fax|landline|handy|telefon|t\u00e9l|telefono|m\u00f3vil|portable|whatsapp|sms|hotline|call[ -]?back|desk[ ]phone|direct[ ](?:line|dial)|office(?=[ ]?[:=])|phone[ ]number|telephonenumber|mobilephone|contact[ ](?:no|number)|call(?:[ ](?:me|us|him|her|them))?(?:[ ](?:back|please))?(?:[ ](?:at|on|under))?|reach(?:ed)?[ ](?:me|us|him|her)?[ ]?(?:at|on|under)|whatsapp[ ]me[ ]on|text[ ]me[ ](?:at|on)|ring[ ](?:me[ ])?(?:at|on)?|number(?:[ ]to[ ]call(?:[ ]back)?)?|dial(?:ed|led)?)(?:[ ](?:number|no|nr|num))?\.?(?:{IS}))(?!\d{{1,2}}:\d\d)\K\(?\+?\d(?:[ ()/.-]{{0,3}}\d){{5,14}}(?!\d){_EXTENSION}(?![\w:]|[./-]\d)",
        "phone tel mob cell fax line handy t\u00e9l m\u00f3vil portable whatsapp sms call desk direct office contact reach text ring number dial",
        _is_no_version,
    ),
    (
        "PHONE",
        0.74,
        r"(?<=[|\u2022\u00b7][ ]{1,2})[\d(+][\d ()./-]{5,20}\d(?=[ ]*(?:\n|\Z|[|\u2022\u00b7]))",
        "| \u2022 \u00b7",
        lambda text: 7 <= sum(map(str.isdigit, text)) <= 15 and text.count(".") not in (1, 3),
    ),
    (
        "PHONE",
        0.3,
        rf"{_NOT_A_NUMBER}\(?\d{{2,5}}\)?(?:[ ]?[-/ .]?[ ]?\d{{2,5}}){{1,5}}(?!\d){_EXTENSION}(?![\w.:/%-]\d|[%\w])",
        "",
        _is_phone,
        _PHONE_WORDS,
    ),
    (
        "PHONE",
        0.82,
        r"(?i:(?<![a-z])(?:ext(?:ension)?\.?|extn\.?|durchwahl|internal[ ](?:number|phone)|desk[ ](?:number|phone)|short[ ](?:number|dial)|phone(?=[ ]\d{3,5}\b(?![ .-]?\d))|voip|speed[ ]dial)[ ]{0,2}(?:number|no\.?|nr\.?)?[ ]{0,2}(?:[:#=]|is)?[ ]{0,2})\K(?<=[ .:#=])\d{3,6}\b(?![.:]\d|[ ]?(?:MB|GB|KB|ms))",
        "ext durchwahl internal desk voip dial short phone",
    ),
    # --- payment
    ("CARD", 0.9, r"(?<![\w.-])(?:\d{4}[ .-]){3}\d{4}(?![\w-]|\.\d)", "", _is_card),
    ("CARD", 0.9, r"(?<![\w.-])3[47]\d{2}[ -]?\d{6}[ -]?\d{5}(?![\w-])", "3", _is_card),
    (
        "CARD",
        0.85,
        r"(?<![\w.-])(?:4\d{12}(?:\d{3}){0,2}|5[0-8]\d{14}|6\d{15,18}|2[2-7]\d{14}|3\d{13,15}|1800\d{11}|2131\d{11})(?![\w-])",
        "",
        _is_card,
    ),
    (
        "CARD",
        0.3,
        r"(?<![\w.-])\d(?:[ -]?\d){11,18}(?![\w-])",
        "",
        None,
        "card credit debit cc visa mastercard amex discover maestro jcb diners card: card#",
    ),
    (
        "CARD",
        0.85,
        r"(?i:\b(?:cvv2?|cvc2?|security code)[ ]{0,2}(?:is|:|=|#)?[ ]{0,2})\K\d{3,4}\b",
        "cvv cvc security",
    ),
    (
        "CARD",
        0.8,
        r"(?i:\b(?:card|visa|amex|mastercard)\b[^\n]{0,40}?ending[ ](?:in|with)[ ])\K\d{4}\b",
        "ending",
    ),
    (
        "IBAN",
        0.95,
        r"(?i)(?<![\w-])[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,4})?(?![\w-])",
        "",
        check.passes_iban,
    ),
    (
        "IBAN",
        0.88,
        rf"(?i:\biban(?:[ ](?:number|no\.?|code))?{IS})\K(?i:[A-Z]{{2}}[ ]?\d{{2}})(?:[ -]?[A-Za-z0-9]{{2,4}}){{2,8}}(?!\w)(?<=\d[A-Za-z0-9 -]{{0,3}})",
        "iban",
    ),
    (
        "BANK_ACCOUNT",
        0.85,
        rf"(?i:\b(?:bank[ ]account|account[ ](?:number|no\.?)|acct?\.?[ ]?(?:number|no\.?|\#)|sort[ ]code|routing(?:[ ](?:number|no\.?))?|aba|bsb|bic|swift(?:[ ]code)?|kontonummer|blz|ifsc(?:[ ]code)?){IS})\K(?=[A-Z0-9-]{{0,20}}\d|[A-Z]{{8,11}}\b)[A-Z0-9][A-Z0-9 -]{{4,20}}[A-Z0-9]\b(?<!\d[ ][A-Z]{{1,20}})",
        "account acc sort routing aba bsb bic swift konto blz ifsc",
    ),
    digits=True,
)

_OF_EMPLOYERS_AND_BIRTH: Final = patterns(
    # --- ids of employers
    (
        "EMPLOYEE",
        0.86,
        rf"(?i:(?<![a-z])(?:employee|staff|personnel|personal|badge|worker|associate|payroll|hr|emp|clock|time[ ]?card|access[ ]card|key[ ]?card|id[ ]card|card[ ]id|student|matriculation|contractor|crew|agent|operator|global|corporate|people|workday|sap)[ _-]?(?:(?:id|no\.?|number|nr\.?|num|code|\#)(?:[ ](?:is|card))?|(?<=badge|emp)){IS})(?=[A-Za-z0-9-]{{0,16}}\d)(?!\d{{1,2}}(?:[.,]|\b[^-]))\K[A-Za-z0-9][A-Za-z0-9-]{{1,16}}(?:/\d{{1,6}})?\b(?<!^[a-z]+)",
        "employee staff person badge worker associate payroll hr emp clock card student matric contractor crew agent operator global corporate people workday sap",
    ),
    (
        "EMPLOYEE",
        0.85,
        rf"(?i:\b(?:personalnummer|mitarbeiternummer|personalnr\.?|matrikelnummer|matricule|employeenumber|employeeid|empid|staffid|badgeid|personnelnumber){IS})\K(?=[\w-]{{0,16}}\d)[A-Za-z0-9][A-Za-z0-9-]{{1,16}}\b",
        "nummer nr matricule employee empid staffid badgeid personnel",
    ),
    (
        "EMPLOYEE",
        0.8,
        r"(?i)(?<!(?:process|thread|event|task|job|session|error|error[ ]code|request|ticket|message|build)[ ])\((?:id|emp|emp\.? ?id|employee|staff|badge|personnel|no\.?|nr\.?|#)[ :#.]{0,3}\K(?=[\w-]{0,12}\d)[A-Z]{0,3}-?\d{4,9}(?=\))",
        "(",
    ),
    (
        "EMPLOYEE",
        0.82,
        r"(?<![\w-])(?:EMP|STF|PERS|BDG|HR)[-_#]?\d{3,8}(?![\w-])",
        "emp stf pers bdg hr",
    ),
    (
        "EMPLOYEE",
        0.75,
        r"(?m)^(?=[^\n]{0,200}@)[^\n]{3,200}?[\t|;,][ ]?\K(?:[A-Z]{1,4}-?)?\d{4,9}(?=[ ]?(?:[\t|;,]|$))",
        "@",
    ),
    # a letter and digits behind "ID", or before a name in a list of staff
    (
        "EMPLOYEE",
        0.82,
        r"(?<!\b(?i:event|error|process|thread|task|job|session|code|request|ticket|message|build|product|part|order|case|bug|model|catalog|catalogue|version|firmware|update|policy|rule|alert|incident|change|device|vendor|hardware|class|object|tenant|app|resource|group|cve|error[ ]code)[ _-]?)(?<![\w.-])(?i:id|emp[ ]id|emp[ ]?no)[ ]?[:#=]?[ ]\K[A-Z]{1,2}-?\d{5,8}(?![\w-]|\.\d)",
        "id emp",
    ),
    (
        "EMPLOYEE",
        0.82,
        r"(?<![\w./-])[A-Z]{0,2}-?\d{5,8}(?=[ ,-]{1,3}\p{Lu}[\p{L}'\u2019-]{1,24}[ ]\p{Lu}[\p{L}'\u2019-]{1,24})(?<=\b(?i:employees?|staff|workers?|personnel|leavers?|starters?|joiners?|colleagues|mitarbeiter|users|people|contractors)\b[^\n]{0,240})",
        "employee staff worker personnel leaver starter joiner colleague mitarbeiter users people contractor",
    ),
    # the number stands before what it is, or where an account does
    (
        "EMPLOYEE",
        0.84,
        r"(?<![\w.-])\d{4,10}(?=[ ,(]{1,2}(?:is[ ](?:my|the|his|her)[ ])?(?i:employee|staff|personnel|badge|payroll)[ ](?i:no|number|nr|id)\b)",
        "employee staff personnel badge payroll",
    ),
    (
        "USERNAME",
        0.8,
        r"(?i:\b(?:acct|account|user|login|logon)[ ]#?)\K\d{6,10}(?![\w-]|[.,:]\d|[ ](?i:times|users|accounts|kb|mb|gb|bytes)\b)",
        "acct account user login logon",
    ),
    # --- dates of birth
    (
        "DATE",
        0.88,
        rf"(?i:(?<![a-z])(?:born(?:[ ](?:on|in))?|d\.?o\.?b\.?|date[ ]of[ ]birth|birth[ _-]?(?:day|date)|birthdate|b-?day|geb(?:oren|\.|urtsdatum)?(?:[ ]am)?|n\u00e9e?[ ]le|date[ ]de[ ]naissance|fecha[ ]de[ ]nacimiento|data[ ]di[ ]nascita|data[ ]urodzenia|f\u00f6delsedatum){IS})\K(?i:{_OTHER_DAY}|{DAY_FORM})",
        "born d.o.b dob birth bday b-day geb n\u00e9 naissance nacimiento nascita urodzenia f\u00f6delsedatum",
    ),
    ("DATE", 0.85, rf"(?i:\bborn(?:[ ](?:on|in))?[ ])\K(?:{MONTH}[ ])?(?:19|20)\d\d\b", "born"),
    (
        "DATE",
        0.62,
        rf"(?=\d{{1,2}}[-/.]){_NO_BIRTHDAY}(?:0?[1-9]|[12]\d|3[01])([-/.])(?:0?[1-9]|[12]\d|3[01])\1{_AGED_YEAR}(?![\w/:.-]\d|\w|[ ]\d{{1,2}}:)",
    ),
    (
        "DATE",
        0.3,
        rf"(?=\d|[JFMASOND][a-z]{{2,8}}\.?[ ]\d){_NO_BIRTHDAY}(?:{_AGED_YEAR}-[01]\d-[0-3]\d|(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?[ ]{MONTH},?[ ]{_AGED_YEAR}|{MONTH}[ ](?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?,?[ ]{_AGED_YEAR})(?![\w/:-]|[ T]\d{{1,2}}:)",
        "",
        None,
        "born birth birthday dob age aged old geboren",
    ),
    digits=True,
)


def _is_a_place(text: str) -> bool:
    """Say whether two numbers are degrees: not both are less than one, as shares are."""
    return any(int(part) for part in re.findall(r"(\d+)\.", text))


_PLACES_ON_EARTH: Final = patterns(
    (
        "LOCATION",
        0.82,
        r"(?<![\w.,-])(?<![\d,][ ])[-+]?(?:90|[0-8]?\d)\.\d{4,12}\u00b0?[ ]?[NS]?[ ]?[,;/][ ]?[-+]?(?:180|1[0-7]\d|\d{1,2})\.\d{4,12}(?:\u00b0?[ ]?[EWO]\b|\u00b0)?(?![\w.]|,[ ]?\d)",
        ".",
        _is_a_place,
    ),
    (
        "LOCATION",
        0.84,
        r"(?i:\b(?:lat|lon|lng|latitude|longitude|breitengrad|l\u00e4ngengrad)[\"']?(?:[ ]?[:=][ ]?|[ ])[\"']?)\K[-+]?\d{1,3}\.\d{3,12}",
        "lat lon lng breitengrad l\u00e4ngengrad",
    ),
    digits=True,
)

# Without their check digit: the form, or the name beside it, says enough.
_UNCHECKED: Final = patterns(
    (
        "IBAN",
        0.88,
        r"(?<![\w-])[A-Z]{2}\d{2}(?:[ ][A-Z\d]{4}){3,7}(?:[ ][A-Z\d]{1,4})?(?![\w-])",
        "",
        lambda text: sum(map(str.isdigit, text)) > _MIN_IBAN_DIGITS,
    ),
    (
        "NATIONAL_ID",
        0.84,
        r"(?i:\b(?:n\.?i\.?(?:[ ](?:no|number|nr)\b\.?)|(?-i:NI|N\.I\.)|ni(?=[=:])|nino|national[ ]insurance(?:[ ](?:no\.?|number))?)[ :=#]{1,3})\K[A-Z]{2}[ ]?\d{2}[ ]?\d{2}[ ]?\d{2}[ ]?[A-Z]\b",
        "ni nino national",
    ),
    (
        "NATIONAL_ID",
        0.82,
        r"(?<=\p{Lu}[\p{L}'\u2019-]{1,30}[ ]\p{Lu}[\p{L}'\u2019-]{1,30}[ ]?[(\[][ ]?)\d{9,14}(?=[ ]?[)\]])",
        "( [",
    ),
    digits=True,
)

NUMBERS: Final[tuple[IdentifierPattern, ...]] = (
    *_OF_TELEPHONES_AND_PAYMENT,
    *_UNCHECKED,
    *STATE_IDS,
    *_OF_EMPLOYERS_AND_BIRTH,
    *_PLACES_ON_EARTH,
)
