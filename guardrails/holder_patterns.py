# SPDX-License-Identifier: Apache-2.0
"""Numbers that name who holds them, and short forms that only the word before them tells.

Badges, customers, passports, accounts at banks; what people write of machines, wireless networks,
telephones, accounts and addresses where no other table looks.
"""
# ruff: noqa: E501 - a regular expression does not read better in pieces

from typing import Final

from guardrails.pattern_parts import IdentifierPattern, patterns

_NUMBER_WORD: Final = (
    r"(?:[ ]?(?i:card[ ])?(?i:numbers?|no\.?s?|nos\.?|nr\.?|ids?|#))?[ ]?[:=#]?[ ]{0,2}[\"'(]?"
)
# With a digit or more, and nothing that a date or a time has.
_CODE: Final = r"(?=[A-Z\d-]{0,12}\d[A-Z\d-]{0,12}\d)[A-Z\d][A-Z\d-]{3,18}(?<!-)(?![\w-]|[.:/]\d)"

HOLDERS: Final[tuple[IdentifierPattern, ...]] = patterns(
    (
        "EMPLOYEE",
        0.82,
        rf"(?<![\w-])(?i:badges?|customers?|clients?|members?|patients?|students?|employees?|staff|personnel|personalnummer|empleado|employ\u00e9|matricule|mitarbeiter(?:nummer)?|kundennummer|kunden|n\u00ba[ ]de[ ]cliente)(?:[ ](?i:card|access))?(?:[ ]?(?i:numbers?|no\.?s?|nos\.?|nr\.?|ids?|#))[ ]?[:=#]?[ ]{{0,2}}[\"'(]?\K{_CODE}",
        "badge customer client member patient student employee staff personnel personal empleado employ matricule mitarbeiter kunden cliente",
    ),
    (
        "EMPLOYEE",
        0.8,
        r"(?<![\w-])(?i:badge|empleado|mitarbeiter|matricule|personalnummer|kundennummer)[ ]\K(?=\d|[A-Z]{1,3}-?\d)[A-Z]{0,3}-?\d{4,10}(?:-\d{2,8})?(?![\w-])",
        "badge empleado mitarbeiter matricule personalnummer kundennummer",
    ),
    (
        "EMPLOYEE",
        0.78,
        r"(?<![\w-])(?:CUST|CUSTOMER|EMP|BADGE|MEMBER|PATIENT|STUDENT|CLIENT)[-_#]\d{4,10}(?![\w-])",
        "cust emp badge member patient student client",
    ),
    (
        "PASSPORT",
        0.84,
        rf"(?i:\b(?:passports?|reisepass|passeport|pasaporte|passaporto)){_NUMBER_WORD}(?i:is[ ]|-nr\.?[ :]{{1,2}}|nr\.?[ ])?\K(?=[A-Z\d]{{0,9}}\d[A-Z\d]{{0,9}}\d)[A-Z\d]{{7,10}}(?![\w-])",
        "passport reisepass passeport pasaporte passaporto",
    ),
    (
        "BANK_ACCOUNT",
        0.84,
        r"(?i:\b(?:a/c|bank[ ](?:a/c|acct|account)|account[ ]number|acct[ ]?(?:no|number|#)|kontonummer|konto-?nr\.?|cuenta))(?:[ ](?i:no\.?|number|nr\.?|#))?[ ]?[:=#]?[ ]{0,2}\K\d(?:[ -]?\d){7,17}(?![\w-])",
        "a/c bank acct account konto cuenta",
    ),
    (
        "BANK_ACCOUNT",
        0.84,
        r"(?i:\b(?:aba|routing|sort[ ]?code|bsb|blz|ifsc))(?:[ ](?i:no\.?|number|nr\.?|code|#))?[ ]?[:=#]?[ ]{0,2}\K(?:\d{2}-\d{2}-\d{2}|\d{9}|\d{8}|\d{6}|\d{3}-\d{3}|[A-Z]{4}0[A-Z\d]{6})(?![\w-])",
        "aba routing sort bsb blz ifsc",
    ),
    (
        "DATE",
        0.86,
        r"(?i:\bn\u00e9\(?e?\)?[ ]le[ ])\K\d{1,2}[./-]\d{1,2}[./-]\d{4}",
        "n\u00e9",
    ),
    # --- an account and the number that the system has for it
    (
        "USERNAME",
        0.8,
        r"(?<![\w\\@.-])(?!(?i:sid|user|group|owner|account|computer|domain|objectsid|name|value|string|member|security)\b)[a-z][\w.-]{2,24}(?<![.-])(?=(?:[ ]?[:=(,;|][ ]?|[ \t]{1,8})\"?S-1-(?:5-21|12-1)-\d)",
        "s-1-",
    ),
    (
        "USERNAME",
        0.82,
        r"(?<=sharepoint\.com/personal/)[\w-]{3,64}",
        "/personal/",
    ),
    # --- machines: one letter and a code, what a cloud or Windows 11 calls them
    (
        "HOST",
        0.72,
        r"(?<![\w./\\@%$&+~-])(?![A-Za-z]-\d+(?!\w))[A-Za-z]-(?=[A-Za-z\d]*\d)(?=[A-Za-z\d]*[A-Za-z])[A-Za-z\d]{5,12}(?![\w@\\/(%-]|[.]\w)",
    ),
    (
        "HOST",
        0.8,
        r"(?<![\w./\\@-])(?:W(?:IN)?\d{1,2}|CPC|VDI|AVD|W36[05])-(?=[A-Z\d-]{0,12}[A-Z])[A-Z\d]{4,8}(?:-[A-Z\d]{3,8})?(?![\w-])",
        "w cpc vdi avd",
    ),
    # --- wireless networks in prose
    (
        "SSID",
        0.78,
        r"(?i:\b(?:home|guest|office|hotel|my|our|their|his|her)[ ](?:wi-?fi|wlan|wireless|network)(?:[ ](?:network|name))?(?:[ ](?:is|called|named|=)|:)[ ](?:called[ ]|named[ ])?[\"']?)\K(?=[\w .-]{0,24}[-_\d])[\w-]{3,32}",
        "wifi wi-fi wlan wireless network",
    ),
    (
        "SSID",
        0.78,
        r"(?i:\b(?:roams?|roaming|roamed|switch(?:es|ed|ing)?|jumps?|flaps?)[ ](?:between|from)[ ])\K(?=[\w-]{0,31}[-_\d])[\p{L}][\w-]{2,31}(?=[ ](?:and|to)[ ])",
        "roam switch jump flap",
    ),
    (
        "SSID",
        0.78,
        r"(?i:\b(?:roams?|roaming|roamed|switch(?:es|ed|ing)?|jumps?|flaps?)[ ](?:between|from)[ ][\w-]{3,32}[ ](?:and|to)[ ])\K(?=[\w-]{0,31}[-_\d])[\p{L}][\w-]{2,31}",
        "roam switch jump flap",
    ),
    (
        "HOST",
        0.7,
        r"(?<![\w./\\@-])(?:[a-z]-[a-z]{2,6}-\d{2,5}|[A-Za-z\d]{1,8}PC\d{2,5}|POS-\d{2,5}(?:-\d{1,3})?|[a-z]{2,10}_(?:app|db|sql|web|srv|dc|fs|ts|rds|vm|node|print|file)\d{1,3}|(?![a-z]{2}-(?:gov-)?(?:north|south|east|west|central)|(?:wi-fi|sign-in|add-in|plug-in|log-in|log-on|pre-rc|build-no)-)[a-z]{2,10}-[a-z]{2,10}-\d{1,3})(?![\w@\\/-]|\.\w)",
    ),
    # --- labels on devices
    (
        "SERIAL",
        0.66,
        r"(?<![\w./-])(?:(?:IT|INV|ASSET|TAG|EDV)-?\d{4,8}(?:-[A-Z]{1,2})?|\d{5,7}-[A-Z]{1,2})(?![\w-]|\.\d)",
    ),
    # --- telephones after a verb, extensions after a desk
    (
        "PHONE",
        0.78,
        r"(?i:\b(?:inform(?:ed)?|call(?:ed)?|reach(?:able|ed)?|contact(?:ed)?|text(?:ed)?|whatsapp|ring|rang|phoned?|back)[ ](?:(?:me|him|her|us|them|back|user)[ ])?(?:on|at|under|via)[ ])\K\+?\d[\d ()-]{6,16}\d(?![\w-]|[.:/]\d)",
        "on at under via",
    ),
    (
        "PHONE",
        0.74,
        r"(?i:\b(?:at|on)[ ]desk[ ]|\bposte(?:[ ]t\u00e9l\.?)?[ ]|\bdurchwahl[ ]|\bdesk[ ]phone[ ])\K\d{3,5}(?![\w-]|[.:/]\d)",
        "desk poste durchwahl",
    ),
    # --- accounts in paths of file servers, before an address, in the configuration of a router
    ("USERNAME", 0.8, r"(?<=/homes/)[\w.-]{2,48}(?<!\.)", "/homes/"),
    (
        "USERNAME",
        0.8,
        r"(?<![\w./\\@-])[a-z][\w.-]{2,48}(?=/\d{1,3}(?:\.\d{1,3}){3}:\d)",
        "/",
    ),
    ("USERNAME", 0.84, r"(?m)^[ \t]{0,8}username[ ]\K[\w.-]{2,48}(?=[ ](?:privilege|password|secret|nopassword)\b)", "username"),
    ("SECRET", 0.86, r"(?m)^[^\n]{0,80}\b(?:password|secret|key)[ ][0-9][ ]\K\S{4,128}", "password secret key"),
    ("SECRET", 0.82, r"(?i:\b(?:snmp[ ])?community(?:[ ]string)?(?:[ ]is|:|=)?[ ]\"?)\K(?=\S{0,40}[\d!%$#&*])[^\s\",;]{4,64}", "community"),
    (
        "USERNAME",
        0.78,
        r"(?<=['\"])[A-Z][A-Z\d-]{2,15}/[a-z][\w.-]{2,32}(?=['\"])",
        "/",
    ),
    # --- numbers of the state without their words
    (
        "SSN",
        0.4,
        r"(?<![\w./:+()#-])(?<!\d[ ])(?!000|666|9)\d{3}[ ](?!00)\d{2}[ ](?!0000)\d{4}(?![\w./:-]|[ ]\d)",
        "",
        None,
        "ssn social security card dependent dependents payroll w2 employee benefits",
    ),
    (
        "EMPLOYEE",
        0.78,
        r"(?i:\bmy[ ]id(?:[ ]is|:)?[ ]|\b(?:id|smart|access)?[ ]?card[ ](?:no\.?|number|nr\.?|#)[ :]{0,2})\K[A-Z]{0,4}-?\d{5,9}(?![\w-])",
        "id card",
    ),
    # --- addresses after a word that says so, to the postal code
    (
        "ADDRESS",
        0.8,
        r"(?i:\b(?:address(?:[ ]is)?|deliver(?:ed|y)?(?:[ ](?:to|address))?|ship(?:ped)?[ ]to|env\u00edo[^.\n]{0,30}[ ]es|lieferadresse|livrer[ ]\u00e0|home)(?:[ ]?:|[ ])[ ]?)\K(?=[\p{Lu}\d])(?=[^\n;]{0,80}\d)[^\n;]{6,80}?[ ,-]\d{5,6}(?![\w-])",
        "address deliver ship env lieferadresse livrer home",
    ),
)  # fmt: skip
