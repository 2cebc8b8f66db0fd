# SPDX-License-Identifier: Apache-2.0
"""What the name model takes for a name, and is a label, a day, a rate or a row of a list.

It learnt from sentences; in the output of tools a column that a capital begins looks like a place,
and a number beside a word like a house. Only what can be no address and no place is refused:
months, pronouns, labels of fields, numbers with a unit.
"""
# ruff: noqa: E501 - a regular expression does not read better in pieces

from typing import Final

from guardrails.pattern_parts import compile_bounded
from guardrails.plain_words import is_plain

_NO_PLACES: Final = frozenset(
    """
    jan feb mar apr jun jul aug sep sept oct nov dec mon tue wed thu fri sat sun you your yours we
    us our they them their he him his she her it its this that these those there here i me my mine
    phone phones telephone fax email e-mail main personal private name names number numbers no
    serialnumber libcrypto libssl libc openssl concur purview workday servicenow jira confluence
    successfactors status result results error errors warning info note notes date time type value
    default none null true false yes ok failed passed password username user host server client
    """.split()  # noqa: SIM905 - a table
)
# That nobody is called; "Jan", "Jun" and "May" are names.
_MONTHS: Final = frozenset(("feb", "mar", "apr", "aug", "sept", "oct", "nov", "dec"))
_DAY: Final = r"(?:mon|tue|wed|thu|fri|sat|sun)"
_MONTH: Final = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec)"
_NO_ADDRESS: Final = compile_bounded(
    rf"(?i)(?:{_DAY},?\s+)?{_MONTH}\s*(?:\d{{1,2}}(?:[\s,]+(?:\d{{4}}|[\d:]{{4,8}}))?)?|{_DAY}(?:[\s,]+{_MONTH})?"
    r"|(?:\d{1,5}\s+){1,2}(?:[kmg]?bit|[kmg]bps|[kmg]i?b|mhz|ghz|ms|dbm|wpa\d?|wep|open|chars?|characters|items?|rows?|files?|users?|hits?|times|pts|percent|sec|min|hrs?|days?)(?:/s)?(?:\s+(?:wpa\d?|min|max|total|free|used|left))*"
    r"|\d{1,4}\s+(?:ok|fail(?:ed)?|done|skipped|error|passed|warn(?:ing)?|ignored)"
    r"|(?:row|line|col|column|page|step|item|entry|record|rule|job|try|attempt|slot|port|vlan|disk|core|thread|pid|exit|level)\s+\d{1,6}(?:\s+(?:ok|fail(?:ed)?|done|skipped|error|passed|warn(?:ing)?|ignored))?"
    r"|(?:smb|tcp|udp|http|https|ssh|rdp|ldap|ldaps|imap|pop3|smtp|dns|ntp|snmp|ftp|sftp|winrm|nfs|sip|tls|ssl)\s+\d{2,5}"
    r"|(?:root\s+)?(?:tty|pts/)\d{1,3}|[A-Z\d]{2,4}CTO\d?WW|[A-Z]{2}\d{2}N?(?=\Z)(?<=SU\d\d|SE\d\dN|SM\d\d|PA\d\d|ST\d\d)"
)


def is_label(entity: str, text: str) -> bool:
    """Say whether what the model found is no name of its kind, whatever the sentence.

    >>> is_label("ADDRESS", "130 Mbit"), is_label("LOCATION", "Mar"), is_label("ADDRESS", "7 Mar Ln")
    (True, True, False)
    """
    if entity == "ADDRESS":
        return _NO_ADDRESS.fullmatch(text) is not None or (text.isalpha() and is_plain(text))
    if entity == "LOCATION":
        return text.lower() in _NO_PLACES
    return text.lower() in _MONTHS
