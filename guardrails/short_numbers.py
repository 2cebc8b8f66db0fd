# SPDX-License-Identifier: Apache-2.0
"""Numbers as they are typed in a hurry: extensions, labels of assets, dates of birth in words.

A form that could be anything has a score below the threshold and counts beside a word of its
context only.
"""
# ruff: noqa: E501 - a regular expression does not read better in pieces

import re
from typing import Final

from guardrails.number_patterns import DAY_FORM, MONTH
from guardrails.pattern_parts import patterns

_MIN_PHONE_DIGITS, _MAX_PHONE_DIGITS = 9, 15
# As numbers: 1.0.0.0 and 223.255.255.255.
_FIRST_ADDRESS, _LAST_ADDRESS = 1 << 24, (224 << 24) - 1
_RUNS: Final = re.compile(r"[A-Za-z]+|\d+")
_MODEL_RUNS: Final = 3
_EXTENSION: Final = r"(?:ext(?:ension|n)?|extn|durchwahl|dw|nebenstelle|poste|anexo|interno)"
_ORDINAL: Final = r"(?:\d{1,2}(?:st|nd|rd|th)|first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|(?:thir|four|fif|six|seven|eigh|nine)teenth|twentieth|thirtieth|(?:twenty|thirty)[ -](?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth))"


def _is_phone_number(text: str) -> bool:
    return _MIN_PHONE_DIGITS <= sum(map(str.isdigit, text)) <= _MAX_PHONE_DIGITS


def _is_mixed(text: str) -> bool:
    """Say whether letters and digits alternate as in a serial: four runs of them at least."""
    return len(_RUNS.findall(text)) > _MODEL_RUNS


SHORT_NUMBERS: Final = patterns(
    # --- telephones
    ("PHONE", 0.83, r"(?<![\w.+/-])0[1-9](?:[. ]\d{2}){4}(?![\d.]\d|\d)"),
    ("PHONE", 0.8, r"(?<![\w.,+/-])[6-9]\d{2}(?:[ ]\d{2}){3}(?![\w-]|[ .]\d)"),
    (
        "PHONE",
        0.83,
        r"(?<![\w.:/-])00[1-9]\d{0,2}(?:[ ()./-]{1,3}\d{1,10}){1,6}(?!\d)",
        "00",
        _is_phone_number,
    ),
    ("PHONE", 0.8, r"(?<![\w./-])555-\d{4}(?![\w-])", "555-"),
    (
        "PHONE",
        0.83,
        rf"(?i)\b{_EXTENSION}\.?(?:[ ](?:on|is|was|no\.?|number|nr\.?|display|phone|shows|the|his|her|my|it|says|changed|has|now|to|will|be|new)){{0,4}}[ :#-]{{0,3}}(?<=[ .:#-])\d{{3,6}}\b(?![.:]\d|[ ]?(?:MB|GB|KB|ms))",
        "ext durchwahl dw nebenstelle poste anexo interno",
    ),
    ("PHONE", 0.78, r"(?<![\w.%/-])x[- ]?\d{4,5}(?![\w%.-]\w|\w)", "x"),
    (
        "PHONE",
        0.8,
        r"(?i:\b(?:internal|intern|desk|office|dial|ext|phone|tel|call)[ .:]{1,2})\K\d{1,2}-\d{3,4}(?![\w-]|\.\d)",
        "intern desk office dial ext phone tel call",
    ),
    (
        "PHONE",
        0.8,
        r"(?i:\b(?:dial|dialled|dialed|dialing|speed[ ]dial|short[ ]code|press)[ ])\K[*#]\d{2,6}[*#]?",
        "dial short press",
    ),
    (
        "PHONE",
        0.82,
        r"(?i:\b(?:get|catch|find|reach|try|call|ring|phone|text|contact)[ ](?:hold[ ]of[ ])?(?:me|us|him|her|them)[ ](?:at|on|under|via)[ ](?:my[ ]\w+[ ])?)\K\(?\+?\d(?:[ ()/.-]{0,2}\d){4,14}(?![\w-]|\.\d)",
        "get catch find reach try call ring phone text contact",
    ),
    ("PHONE", 0.83, r"(?<![\w+])\(0\)[ ]?\d{2,4}(?:[ -]\d{3,4}){2}(?![\w-])", "(0)"),
    (
        "PHONE",
        0.8,
        r"(?i:\b(?:pager|beeper|bleep|piepser)[ :#]{1,2})\K\d{2,4}(?:-\d{3,5})?(?![\w-])",
        "pager beeper bleep piepser",
    ),
    (  # a page of a manual has fewer digits
        "PHONE",
        0.8,
        r"(?i:\bpage[ :#]{1,2})\K\d{4}(?:-\d{3,5})?(?![\w-])",
        "page",
    ),
    (
        "PHONE",
        0.8,
        r"(?i:\b(?:phone|number|mobile|cell|line)[ ](?:number[ ])?(?:ends?|ending)[ ](?:in|with)[ ])\K\d{3,5}\b",
        "phone number mobile cell line",
    ),
    (
        "SERIAL",
        0.8,
        r"(?i:\bexpress(?:[ ]service)?(?:[ ]code)?[ ]?[:#=]?[ ]{1,2})\K\d{9,11}(?![\w-])",
        "express",
    ),
    # --- numbers on labels
    # after a maker: a service tag is mixed as no model is
    (
        "SERIAL",
        0.8,
        r"(?i:\b(?:dell|latitude|optiplex|precision|inspiron|vostro|xps|hp|elitebook|probook|zbook|lenovo|thinkpad|apple|macbook)[ ](?:\d{4}[ ])?[(#]?)\K(?:(?=[A-Z\d]{7}(?![\w-]))[A-Z\d]*|\d[A-Z]{2}\d{3,4}[A-Z\d]{3,4}|P[FCWG][A-Z\d]{6}|M[JP][A-Z\d]{6})(?![\w-]|\.\w)",
        "dell latitude optiplex precision inspiron vostro xps hp book lenovo thinkpad apple",
        _is_mixed,
    ),
    (
        "SERIAL",
        0.86,
        r"(?:\biSerial[ \t]{1,32}\d{1,3}[ \t]{1,8}|\bID_SERIAL(?:_SHORT)?=|\{serial\}==?\"?|\bSerialNumber:[ ]{1,4}|\bSerial[ ](?:N|n)umber:[ ]{1,12})\K(?=[\w.-]{0,64}\d)[\w.-]{4,64}",
        "iserial id_serial {serial} serialnumber: number:",
    ),
    (
        "SERIAL",
        0.3,
        r"(?<![\w.,:/$#-])\d{5,8}(?![\w.,:/%-]\w|\w)",
        "",
        None,
        "asset cmdb inventory sticker tag tags label swapped barcode asset: tag: inv equipment",
    ),
    (
        "SERIAL",
        0.8,
        r"(?i:\b(?:asset|inventory|equipment|property|sticker|label|tag)(?:[ ](?:tag|number|no\.?|id|label|nr\.?))?(?:[ ](?:on|the|sticker|is|reads|says|label|back|it)){0,4}[ :#=]{1,3})\K(?=[A-Z\d/-]{0,20}\d)[A-Z\d]{2,10}(?:[/-][A-Z\d]{1,10}){1,4}(?![\w-])",
        "asset inventory equipment property sticker label tag",
    ),
    # --- persons' numbers
    (
        "DATE",
        0.87,
        rf"(?i:\b(?:date[ ]of[ ]birth|d\.?o\.?b\.?|birth[ -]?(?:day|date)|born|geburtsdatum|geboren|naissance|nacimiento)\b[^\n\d]{{0,40}}?)\K(?i:(?:the[ ])?{DAY_FORM})",
        "birth dob d.o.b born geb naissance nacimiento",
    ),
    # behind somebody's name and a comma, a day that can be of birth
    (
        "DATE",
        0.8,
        rf"(?<=(?<!\p{{L}}[ ])(?!(?:Windows|Office|Microsoft|Visual|SQL|Exchange|Patch|Security|Release|Version|Update|Build|Service|Last|First|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)\b)(?<!\w)\p{{Lu}}\p{{Ll}}[\p{{L}}'\u2019-]{{0,24}}[ ]\p{{Lu}}[\p{{L}}'\u2019-]{{1,24}},[ ])(?:{MONTH}[ ]\d{{1,2}}|\d{{1,2}}[ ]{MONTH}),?[ ](?:19[3-9]\d|200\d)(?=[,;)\n]|[.](?:\s|\Z)|\Z)",
        "19 200",
    ),
    (
        "DATE",
        0.86,
        rf"(?i)(?<=[(\[,][ ]?b\.?[ ]|\b(?:age|aged)[ ]\d\d[,;(]?[ ]{{0,2}}[(]?|\*[ ]?)(?:{DAY_FORM})(?=[)\],; ]|$)",
        "b. b age *",
    ),
    (
        "DATE",
        0.86,
        r"(?i:\bborn[ ](?:in|on|around)[ ])\K(?:(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\w{0,6}\.?[ ,]{1,2})?(?:19|20)\d\d\b",
        "born",
    ),
    (
        "DATE",
        0.87,
        rf"(?i:\b(?:date[ ]of[ ]birth|d\.?o\.?b\.?|birth[ -]?(?:day|date)|born)\b[^\n\d]{{0,40}}?)\K(?i:(?:the[ ])?{_ORDINAL}[ ](?:of[ ])?{MONTH},?[ ](?:19|20)?\d\d\b|{MONTH}[ ](?:the[ ])?{_ORDINAL},?[ ](?:19|20)?\d\d\b)",
        "birth dob d.o.b born",
    ),
    # --- places and networks, by the word before
    (
        "ADDRESS",
        0.84,
        r"(?i:\b(?:zip(?:[ -]?code)?|post(?:al)?[ ]?code|postcode|plz|cap|pin[ ]?code|c\.p\.)[ ]{0,2}(?:is|:|=)?[ ]{0,2})\K(?:\d{5}-\d{4}|\d{5,6}|\d{4}|\d{3}[ ]\d{3}|(?-i:[A-Z]{1,2}\d[A-Z\d]?[ ]?\d[A-Z]{2}))(?![\w-])",
        "zip post plz cap pin c.p.",
    ),
    # "No. 178, Bala Nagar, Kolkata 335257", "90135, Palermo (PA)": with what is before and behind
    (
        "ADDRESS",
        0.84,
        r"(?<![\w.])(?i:(?:house|plot|flat|door|h\.?|shop)[ ](?:no|nr|number)\.?|no\.|nr\.|n\u00ba|n\u00b0|\u2116)[ ]?\d{1,5}[A-Za-z]?(?:/\d{1,4})?(?=,|[^\n,]{3,40},),?[ ](?!(?:KB|Windows|Office|Error|Event)\b)\p{Lu}[\p{L}\p{M}'\u2019.-]{0,30}(?:,?[ ](?:\p{Lu}[\p{L}\p{M}'\u2019.-]{0,30}|of|de|la|the|\d{1,3}(?:st|nd|rd|th))){0,8}[ ,]{1,2}(?:[-\u2013][ ])?\d{3}[ ]?\d{2,3}(?!\d|[.,]\d|[ ]?[GMK]B)",
        "no nr number n\u00ba n\u00b0 \u2116",
    ),
    (
        "ADDRESS",
        0.84,
        r"(?<![\w.-])\d{5},?[ ]\p{Lu}[\p{L}'\u2019]{1,24}(?:[ -][\p{L}'\u2019]{1,24}){0,4},?[ ]\([A-Z]{2}\)",
        "(",
    ),
    (
        "ADDRESS",
        0.84,
        r"(?<=\d,?[ ]\p{Lu}[\p{L}' -]{1,40},?[ ])\([A-Z]{2}\)[ ,-]{1,3}\d{5}(?!\d)",
        "(",
    ),
    (
        "IP",
        0.84,
        r"(?i:\b(?:ip(?:v4)?|ip[ ]address|address|host|ping)[ ]{0,2}(?:is|as[ ](?:an[ ])?integer|as[ ]int|\(decimal\)|decimal|int)?[ ]?[:=]?[ ]{1,2})\K\d{9,10}(?![\w.-])",
        "ip address host ping",
        lambda text: _FIRST_ADDRESS <= int(text) <= _LAST_ADDRESS,
    ),
    ("SERIAL", 0.82, r"(?<![\w.-])89\d{17,18}(?![\w-])", "89"),
    (
        "SSN",
        0.86,
        r"(?i:\b(?:ssn|social(?:[ ]security)?(?:[ ]number)?)[ ](?:(?:ends?|ending)(?:[ ](?:in|with))?|last[ ](?:4|four)(?:[ ]digits)?(?:[ ]is|[ ]are)?)[ :]{1,2})\K\d{4}\b",
        "ssn social",
    ),
    digits=True,
)
