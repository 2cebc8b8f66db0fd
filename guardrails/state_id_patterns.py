# SPDX-License-Identifier: Apache-2.0
"""Numbers that states give people: social security, tax, identity, passport, driver's licence.

A form that other numbers share counts only with its check digit, beside its name, or both.
"""
# ruff: noqa: E501 - a regular expression does not read better in pieces

import re
from typing import Final

from guardrails import check_digits as check
from guardrails.pattern_parts import IS, IdentifierPattern, patterns

_LICENCE: Final = r"(?:driv(?:er|ers|er['\u2019]s|ing)[ ]?(?:['\u2019]s)?[ ]?(?:licen[cs]e|permit)|driver[ ]?id|dl|licen[cs]e[ ](?:number|no\.?)|f\u00fchrerschein(?:nummer)?|permis[ ]de[ ]conduire)"
# Five letters of the family name, 9 for each that it has not.
_LICENCE_NAME: Final = re.compile(r"\A(?=[A-Z9]{5}[ ]?\d{6})[A-Z]{2,5}9*")

STATE_IDS: Final[tuple[IdentifierPattern, ...]] = patterns(
    ("SSN", 0.88, r"(?<![\w-])(?!000|666)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])", "-"),
    (
        "SSN",
        0.88,
        rf"(?i:\b(?:ssn|ss\#|social(?:[ ]security)?(?:[ ](?:number|no\.?|nr\.?|\#))?|itin|tin){IS})\K\d{{3}}[ .-]?\d{{2}}[ .-]?\d{{4}}(?![\w-])",
        "ssn ss# social itin tin",
    ),
    (
        "SSN",
        0.86,
        r"(?i:\blast[ ](?:four|4)(?:[ ]digits)?[^\n\d]{0,40}?(?:ssn|social)[^\n\d]{0,20})\K\d{4}\b",
        "last",
    ),
    (
        "NATIONAL_ID",
        0.85,
        r"(?<![\w.-])[2-9]\d{3}([ -])\d{4}\1\d{4}(?![\w-])",
        "",
        check.passes_verhoeff,
    ),
    (
        "NATIONAL_ID",
        0.3,
        r"(?<![\w.-])[2-9]\d{11}(?![\w-])",
        "",
        check.passes_verhoeff,
        "aadhaar aadhar adhaar uidai uid",
    ),
    (
        "NATIONAL_ID",
        0.82,
        r"(?<![\w-])[A-Z]{3}[ABCFGHLJPT][A-Z]\d{4}[A-Z](?![\w-])",
    ),  # PAN of India
    (
        "NATIONAL_ID",
        0.85,
        r"(?<![\w-])(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][ -]?\d{2}[ -]?\d{2}[ -]?\d{2}[ -]?[A-D](?![\w-])",
    ),  # NINO
    (
        "NATIONAL_ID",
        0.8,
        r"(?<![\w.-])\d{3}[ -]\d{3}[ -]\d{4}(?![\w-])",
        "",
        check.passes_nhs,
        "nhs",
    ),
    (
        "NATIONAL_ID",
        0.82,
        r"(?<![\w-])(?:\d{8}-?|[XYZ]-?\d{7}-?)[A-HJ-NP-TV-Z](?![\w-])",
        "",
        check.passes_dni,
    ),
    (
        "NATIONAL_ID",
        0.88,
        r"(?<![\w-])[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z](?![\w-])",
    ),  # codice fiscale
    ("NATIONAL_ID", 0.88, r"(?<![\w-])[A-Z]{4}\d{6}[HMX][A-Z]{5}[A-Z\d]\d(?![\w-])"),  # CURP
    (
        "NATIONAL_ID",
        0.85,
        r"(?<![\w-])[0-3]\d[01]\d{3}[-+A-FU-Y]\d{3}[0-9A-FHJ-NPR-Y](?![\w-])",
        "",
        check.passes_hetu,
    ),
    (
        "NATIONAL_ID",
        0.8,
        r"(?<![\w-])(?:19|20)?\d{2}[01]\d[0-3]\d[-+]\d{4}(?![\w-])",
        "-",
        lambda text: check.passes_luhn(text.replace("+", "-").split("-")[0][-6:] + text[-4:]),
    ),
    (
        "NATIONAL_ID",
        0.8,
        r"(?<![\w-])[0-3]\d[01]\d{3}-\d{4}(?![\w-])",
        "-",
        check.begins_with_birthday,
        "cpr personnummer",
    ),
    (
        "NATIONAL_ID",
        0.82,
        r"(?<![\w/.-])\d{2}[0156]\d[0-3]\d/\d{3,4}(?![\w/.-])",
        "/",
        lambda text: (
            check.begins_with_birthday(text)
            and (len(text) < 11 or int(text.replace("/", "")) % 11 == 0)
        ),
    ),
    (
        "NATIONAL_ID",
        0.88,
        r"(?<![\w.-])756\.\d{4}\.\d{4}\.\d{2}(?![\w.-]\d)",
        "756.",
        check.passes_ean,
    ),
    ("NATIONAL_ID", 0.88, r"(?<![\w.-])\d{3}\.\d{3}\.\d{3}-\d{2}(?![\w-])", "-", check.passes_cpf),
    (
        "NATIONAL_ID",
        0.85,
        r"(?<![\w.-])[12][ .]?\d{2}[ .]?[01]\d[ .]?\d{2}[ .]?\d{3}[ .]?\d{3}[ .]?\d{2}(?![\w-])",
        "",
        check.passes_insee,
    ),
    (
        "NATIONAL_ID",
        0.85,
        r"(?<![\w.-])\d{2}\.?[01]\d\.?[0-3]\d-?\d{3}\.?\d{2}(?![\w-])",
        "",
        check.passes_belgian_number,
    ),
    ("NATIONAL_ID", 0.8, r"(?<![\w-])[STFGM]\d{7}[A-Z](?![\w-])", "", check.passes_nric),
    (
        "NATIONAL_ID",
        0.85,
        r"(?<![\w-])\d{6}-[1-8]\d{6}(?![\w-])",
        "-",
        check.begins_with_birthday,
    ),  # RRN of Korea
    (
        "NATIONAL_ID",
        0.85,
        r"(?<![\w-])[1-9]\d{5}(?:19|20)\d{2}[01]\d[0-3]\d\d{3}[\dXx](?![\w-])",
        "",
        check.passes_chinese_id,
    ),
    (
        "NATIONAL_ID",
        0.3,
        r"(?<![\w.-])\d{11}(?![\w-])",
        "",
        lambda text: check.passes_pesel(text) or check.passes_turkish_id(text),
        "pesel tc kimlik tckn id identity citizen",
    ),
    (
        "NATIONAL_ID",
        0.3,
        r"(?<![\w.-])\d{9}(?![\w-])",
        "",
        check.passes_bsn,
        "bsn burgerservicenummer sofinummer",
    ),
    (
        "NATIONAL_ID",
        0.3,
        r"(?<![\w.-])\d{3}[ -]?\d{3}[ -]?\d{3}(?![\w-])",
        "",
        check.passes_luhn,
        "sin insurance tfn",
    ),
    (
        "NATIONAL_ID",
        0.86,
        rf"(?i:\b(?:aadha+r(?:[ ](?:card|number|no\.?))*|uid(?:ai)?|pan(?:[ ](?:card|number|no\.?))*|ni(?:no)?[ ](?:number|no\.?)|nino|national[ ]insurance(?:[ ](?:number|no\.?))?|nhs(?:[ ](?:number|no\.?))?|national[ ]id(?:entity)?(?:[ ](?:card|number|no\.?))*|id[ ]card(?:[ ](?:number|no\.?))?|identity[ ](?:card|number)|citizen[ ]id|personal[ ](?:id|identity[ ]number|number|code)|tax[ ](?:id|number|no\.?|file[ ]number)|tfn|steuer-?(?:id|nummer)|sozialversicherungsnummer|insurance[ ](?:number|no\.?)|pesel|dni|nie|nif|cpf|curp|rfc[ ]number|bsn|cpr|personnummer|hetu|codice[ ]fiscale|nric|fin[ ]number|my[ ]?number|rrn|kimlik(?:[ ]no)?|tckn|id[ ]number|voter[ ]id|residence[ ]permit|ahv(?:[ ]?nummer)?|avs|social[ ]insurance(?:[ ](?:number|no\.?))?|medicare(?:[ ](?:number|no\.?))?|member[ ](?:id|number)|policy[ ](?:number|no\.?)|patient[ ](?:id|number)|mrn){IS})(?=[\w-]{{0,20}}\d)\K[A-Za-z0-9](?:[ ./-]?[A-Za-z0-9]){{5,20}}(?<=\d[A-Za-z]{{0,2}})(?!\w)",
        "aadha uid pan ni nino national nhs id identity citizen personal tax tfn steuer sozial insurance pesel dni nie nif cpf curp rfc bsn cpr personnummer hetu codice nric fin number rrn kimlik tckn voter residence ahv avs medicare member policy patient mrn",
    ),
    # insurance of Germany and France
    (
        "NATIONAL_ID",
        0.86,
        rf"(?i:(?<!\p{{L}})(?:(?:kranken|renten|sozial|unfall)?-?versicher(?:ten|ungs)-?|kv-?|rv-?)(?:nummer|nr\.?){IS})(?=[\w ]{{0,8}}\d)\K[A-Z0-9](?:[ ./-]?[A-Z0-9]){{7,14}}(?!\w)",
        "versicher kv rv",
    ),
    (
        "NATIONAL_ID",
        0.87,
        rf"(?i:(?<!\p{{L}})(?:n(?:um\u00e9ro|umero|\u00b0|o)?\.?[ ](?:de[ ])?)?(?:s\u00e9cu(?:rit\u00e9)?|secu(?:rite)?|nir)(?:[ ]sociale)?{IS})\K[12378](?:[ .-]?[\dAB]){{9,14}}(?!\w)",
        "s\u00e9cu secu nir",
    ),
    (
        "PASSPORT",
        0.86,
        rf"(?i:\b(?:passport|reisepass|passeport|pasaporte|travel[ ]document|visa[ ](?:number|no\.?))(?:[ ](?:number|no\.?|nr\.?|\#|id))?{IS})(?=[A-Z0-9]{{0,10}}\d)\K[A-Za-z]{{0,3}}[ ]?\d{{4,9}}[A-Za-z]?\d{{0,2}}\b",
        "passport reisepass passeport pasaporte travel visa",
    ),
    (
        "LICENCE",
        0.86,
        rf"(?i:\b{_LICENCE}(?:[ ](?:number|no\.?|nr\.?|\#|id))?{IS})(?=[A-Za-z0-9 *-]{{0,20}}\d)\K[A-Za-z0-9](?:[ *-]?[A-Z0-9a-z]){{4,18}}(?<=\d[A-Za-z]{{0,5}})\b",
        "driv dl licen f\u00fchrerschein permis",
    ),
    # of Britain and of India, by their form
    (
        "LICENCE",
        0.88,
        r"(?<![\w-])[A-Z]{2,5}9{0,3}[ ]?\d{6}[ ]?[A-Z][A-Z9][ ]?[A-Z\d][A-Z]{2}(?:[ ]?\d\d)?(?![\w-])",
        "",
        lambda text: len(_LICENCE_NAME.findall(text)) == 1,
    ),
    ("LICENCE", 0.85, r"(?<![\w-])[A-Z]{2}[ -]?\d{2}[A-Z]?[ -]?(?:19|20)\d{9}(?![\w-])"),
    (
        "LICENCE",
        0.84,
        r"(?<=\b(?i:dvla|dvsa|dmv|drivers?|driving|fleet|chauffeur|f\u00fchrerschein)\b[^\n]{0,120}\b(?i:licen[cs]es?|permit|dl)(?:[ ](?i:no\.?|number|is|id))?[ ]?[:#=]?[ ])(?=[A-Z\d*-]{0,18}\d)[A-Z\d][A-Z\d*-]{4,18}(?![\w-])",
        "licen permit dl",
    ),
    (
        "LICENCE",
        0.84,
        rf"(?i:\b(?:licen[cs]e[ ]plate|number[ ]plate|plate(?:[ ](?:number|no\.?))?|kennzeichen|registration(?:[ ](?:number|no\.?))|vin){IS})(?=[A-Z0-9 -]{{0,12}}\d)\K[A-Z0-9]{{1,4}}[ -]?[A-Z0-9]{{1,4}}(?:[ -]?[A-Z0-9]{{1,9}})?\b",
        "plate kennzeichen registration vin",
    ),
    digits=True,
)
