# SPDX-License-Identifier: Apache-2.0
"""Accounts and hosts that are words nobody knows, where the words near ask for an account or a host.

`jlindqvist` is an account wherever it stands: an initial and a family name make no English word.
`bigbertha` and `tuxedo` are hosts only beside "machine" or "ping". What is English, or English but
for a letter, is left alone; so is what an article could call a program.
"""
# ruff: noqa: E501, SIM905 - a regular expression does not read better in pieces

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

from guardrails.account_words import is_account_like, is_account_of_word
from guardrails.foreign_words import is_foreign_word
from guardrails.identifier_tokens import TECHNICAL
from guardrails.pattern_parts import SYSTEM_ACCOUNTS, compile_bounded
from guardrails.plain_words import is_plain
from guardrails.spelling import is_misspelt
from guardrails.vocabulary import is_common, is_english

_MIN_LETTERS: Final = 4
_CACHED_WORDS: Final = 20_000
_WORD: Final = re.compile(
    r"(?<![\w./\\@%$&+~`#=<-])(?:[a-z][a-z\d]{3,24}(?:[._-][a-z\d]{1,24})?|[a-z]{1,3}[._-][a-z]{4,24}\d{0,3}|[A-Z][A-Z\d]{5,20}(?:[._-][A-Z]{2,20})?)(?![\w@\\/(`=>]|[.-]\w|://)"
)
_ACCOUNT_CUE: Final = compile_bounded(
    r"(?i)(?<![\w/\\.-])(?:user(?:s|[ ]?names?|[ ]?ids?)?|u/n|log[ -]?ins?|log[ -]?ons?|accounts?|acct|alias(?:es)?|upn|sam(?:[ ]?account)?(?:[ ]?name)?|uid|(?:un)?lock(?:ed|s|ing)?(?:[ ]out)?|lockout|(?:(?:dis|en)able|re-?enable|off-?board|on-?board|deprovision|provision|impersonate|grant|add|added|remove|removed|merge|merged|delete|deleted|unblock|reset)(?=[ ])|mail(?:box|adresse)|profile|member(?:s|ship)?|sudo|owner|owned|permissions?|rights|licen[cs]e[ds]?|vpn|mfa|session|sessions|logged|signed|types|typed|benutzer(?:name)?|kennung|konto|utilisateur|usuario|gebruiker|handle|nick(?:name)?|credentials?|ad|belong(?:s|ed|ing)?[ ]to|give|assign(?:ed)?|group|grp_\w+|acl|pushed|modify|impersonated|approver|approved|requester|requestor|assignee|affected)(?![\w-])"
)
_HOST_CUE: Final = compile_bounded(
    r"(?i)(?<![\w/\\.-])(?:servers?|hosts?|hostnames?|vms?|virtual[ ]machines?|guests?|nodes?|hypervisors?|machines?|workstations?|box|boxes|pcs?|laptops?|computers?|desktops?|printers?|nas|cluster|controllers?|dcs?|ping(?:s|ed|ing)?|rdp|ssh|telnet|remot(?:e|ed|ing)(?:[ ](?:in)?to)?|reboot(?:s|ed|ing)?|restart(?:ed|ing)?|re-?imag(?:e|ed|ing)|patch(?:ed|ing)?|rebuilt|decommission(?:ed)?|migrat(?:e|ed|ing)|fail(?:ed)?[ ]?over|unreachable|offline|reach(?:able)?|conn(?:ection)?[ ]refused|connect(?:ed|ing)?[ ]to|kernel[ ]panic|replication)(?![\w-])"
)
_STRONG_HOST: Final = compile_bounded(
    r"(?i)(?<![\w-])(?:(?:servers?|hosts?|hostname|vms?|guests?|nodes?|hypervisor|machines?|box|linux[ ]box|workstations?|pc|laptop|computer)(?:[ ](?:is|was))?(?:[ ](?:named|called))?|ping(?:ed|ing|s)?|rdp[ ](?:to|into)|ssh[ ](?:to|into)|telnet|reboot(?:ed|ing)?|reimag(?:e|ed|ing)|remot(?:ed|ing)[ ](?:in)?to|reach|restart(?:ed|ing)?|patch(?:ed|ing)?)[ ]\Z"
)
# What follows a host that is named after its kind: "server tuxedo is", not "server admins".
_AFTER_HOST: Final = compile_bounded(
    r"\s*(?:[,.;:!?)]|[-\u2013][ ]|$|(?:is|was|are|has|had|shows?|does|did|doesn|didn|won|will|went|goes|keeps?|needs?|not|again|down|up|and|or|but|from|with|to|in|at|on|since|after|responds?|answers?|crashe[sd]|hangs?|freezes|froze|reboots?|rebooted|ran|runs|times|timed|cannot|can|could|stopped|died|lost|dropped|seems?|looks?|today|pls|please|so|because|while|when|which|that)\b)"
)
_LIST: Final = compile_bounded(r"(?:\s*(?:,|/|&|\+)\s*|\s*,?\s+(?:and|or|und|et|y)\s+)$")
_LIST_CHARACTERS: Final = 16  # between two of a list
# Set by hand, not fitted: docs/masking.md, "Numbers in the rules".
_REACH_BEFORE: Final = 42
_REACH_AFTER: Final = 26
# Named after gods, planets, heroes: words that a ticket has no other use for.
_THEMES: Final = frozenset(
    """
    zeus hera apollo athena artemis ares hermes hades poseidon demeter dionysus hephaestus aphrodite
    kronos chronos cronus atlas prometheus hercules heracles achilles odysseus orpheus icarus daedalus
    minotaur medusa pegasus cerberus hydra chimera kraken titan gaia uranus eros nike nemesis morpheus
    jupiter juno mars venus vulcan minerva janus neptune pluto saturn mercury ceres vesta aurora
    thor odin loki freya freyja heimdall baldur tyr fenrir valhalla asgard mjolnir ragnarok bifrost
    yggdrasil sleipnir huginn muninn osiris anubis horus isis thoth seth bastet sphinx ganesh shiva
    vishnu krishna hanuman quetzalcoatl gandalf frodo bilbo samwise aragorn legolas gimli boromir
    sauron saruman gollum mordor gondor rohan rivendell hobbit shire galadriel elrond smaug balrog
    vader yoda skywalker kenobi chewbacca chewie tatooine hoth endor naboo dagobah jedi sith mandalorian
    spock kirk picard riker worf enterprise voyager vulcan klingon romulan borg tardis dalek skynet
    optimus megatron neo trinity nebuchadnezzar zion wintermute hal deepthought marvin trillian zaphod
    beeblebrox ford milliways galactica cylon serenity firefly nostromo nautilus discovery challenger
    columbia endeavour atlantis sputnik gagarin laika soyuz hubble cassini galileo kepler newton
    einstein tesla edison curie darwin turing lovelace babbage hopper knuth dijkstra boltzmann
    orion andromeda sirius vega rigel betelgeuse polaris cassiopeia perseus aquila cygnus lyra draco
    callisto europa ganymede titania oberon phobos deimos triton charon rhea dione tethys mimas
    enceladus iapetus hyperion miranda umbriel puck everest kilimanjaro matterhorn eiger olympus etna
    vesuvius krakatoa fuji denali elbrus asterix obelix idefix tintin garfield snoopy woodstock dilbert
    dogbert homer bart marge maggie moe smithers milhouse flanders krusty pikachu bulbasaur mario luigi
    zelda sonic kirby gomez wednesday pugsley simba mufasa nemo dory goofy pluto dumbo bambi balou mowgli
    bigbertha mothra godzilla kingkong dracula merlin excalibur camelot lancelot galahad avalon
    """.split()
)  # fmt: skip
_NO_HOSTS: Final = frozenset(
    "farm farms username functionality closet rack racks owner owners fan fans noise chassis lid"
    " case cases hinge touchpad trackpad charger cabinet shelf lab labs maker makers vendor warranty"
    " lease refresh pool pools sprawl rental cart carts trolley stand stands sleeve bag bags skin"
    " beep beeps glitch glitches lag lags alone itself herself himself altogether".split()
)
_BEFORE_THEME: Final = compile_bounded(
    r"(?i)(?:\b(?:to|on|from|of|for|via|between|server|host|box|machine|vm|node|ping|and|into|onto|against|like|reboot|rebooted|patched?|ssh|rdp)\s+|[,/]\s*|^|[.!?]\s+)$"
)


def find_strange_words(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield the places of accounts and hosts, and which they are."""
    last = 0, ""
    for match in _WORD.finditer(text):
        start, end = match.span()
        word = match.group()
        lower = word.lower()
        entity = _judge(text, start, end, word, lower)
        is_beside = 0 <= start - last[0] <= _LIST_CHARACTERS if last[1] else False
        if not entity and is_beside and _LIST.fullmatch(text, last[0], start):
            entity = last[1] if _is_unknown(lower) or lower in _THEMES else ""
        if entity:
            yield start, end, entity
            last = end, entity


def _judge(text: str, start: int, end: int, word: str, lower: str) -> str:
    """Return what a word is, "" where it is nothing of ours."""
    if is_common(lower) or is_foreign_word(lower):
        return ""
    is_account = is_account_like(lower)
    if is_account and not word.isupper():
        return "USERNAME"
    line = text.rfind("\n", 0, start) + 1
    before = text[max(line, start - _REACH_BEFORE) : start]
    after = text[end : end + _REACH_AFTER].split("\n", 1)[0]
    if word.isupper():
        return "USERNAME" if is_account and _is_near(_ACCOUNT_CUE, before, after) else ""
    return _judge_by_cues(lower, before, after)


def _judge_by_cues(lower: str, before: str, after: str) -> str:
    """Return what the words around make of a word in small letters that is no account by itself."""
    if lower in _THEMES:
        near = _is_near(_HOST_CUE, before, after)
        return "HOST" if near and _BEFORE_THEME.search(before) else ""
    # Most words are known, and asking that costs less than to look for cues.
    if _may_be_host(lower) and _STRONG_HOST.search(before) and _AFTER_HOST.match(after):
        return "HOST"
    if not (is_account_of_word(lower) or _is_unknown(lower)):
        return ""
    cues = (("USERNAME", _ACCOUNT_CUE), ("HOST", _HOST_CUE))
    return next((entity for entity, cue in cues if _is_near(cue, before, after)), "")


def _is_near(cue: Any, before: str, after: str) -> bool:
    return bool(cue.search(before) or cue.search(after))


@lru_cache(maxsize=_CACHED_WORDS)
def _is_unknown(lower: str) -> bool:
    """Say whether a word is neither English nor nearly so, nor computing."""
    parts = re.split(r"[._-]", lower.rstrip("0123456789"))
    if len(parts) > 1 and not all(len(part) > 1 for part in parts):
        return False
    return any(_is_strange(part) for part in parts)


def _is_strange(letters: str) -> bool:
    if not letters.isalpha() or len(letters) < _MIN_LETTERS:
        return False
    if letters in TECHNICAL or letters in SYSTEM_ACCOUNTS:
        return False
    return not (is_english(letters) or is_compound(letters) or is_misspelt(letters))


def is_compound(letters: str) -> bool:
    """Say whether a word is two words of English or computing put together: `logfile`."""
    return any(
        (is_english(letters[:cut]) or letters[:cut] in TECHNICAL)
        and (is_english(letters[cut:]) or letters[cut:] in TECHNICAL)
        for cut in range(2, len(letters) - 1)
    )


@lru_cache(maxsize=_CACHED_WORDS)
def _may_be_host(lower: str) -> bool:
    """Say whether a word after "server" may be its name: no word of articles, no verb."""
    if not lower.isalpha():
        return False
    if is_plain(lower) or lower in SYSTEM_ACCOUNTS or lower in TECHNICAL or lower in _NO_HOSTS:
        return False
    return not (
        lower.endswith(("s", "ed", "ing", "ly", "er", "ers", "able", "less", "ful", "ment", "tion"))
        and (is_english(lower) or is_misspelt(lower))
    ) and (not is_misspelt(lower) or is_english(lower))
