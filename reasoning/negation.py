# SPDX-License-Identifier: Apache-2.0
"""Which words of a passage are affirmed, and which stand under a negation. Pure.

"Do not, in any case, restart the service" does not say that one should. A negation governs its
clause in either direction, because in many languages it stands last; what follows too where the
clause has nothing else in it, ends in a colon, or begins so and is continued by "or". What is
looked at begins where the sentence does, also when that is a line above, an abbreviation earlier,
or the line that a list stands under. Negations of about twenty languages are known by their words.
Those that are ordinary words of another language are looked for in their own only: Dutch "noch" is
German for "still", English "no" Portuguese for "in the".
Languages that negate by an ending or a prefix are not known, and are told by `knows_language`.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

from retrieval.keywords import list_terms

UNDETERMINED: Final = "und"  # a language's code
# Ordinary words, or parts of them, in another language of these.
_AMBIGUOUS: Final = frozenset(
    [
        *("no", "ne", "pas", "ni", "sans", "sin", "non", "né", "mai", "sem", "nem", "noch", "nu"),
        *("ani", "不", "没", "勿", "别", "別", "无", "無", "未"),
    ]
)
_DANISH: Final = "ikke ikkje uden uten aldri aldrig ingen intet ingenting"  # and Norwegian
_HEBREW: Final = "לא אל אין בלי"
_WORDS: Final[dict[str, str]] = {  # by ISO 639-1
    "en": (
        "no not never none nothing cannot without neither nor hardly avoid refrain forbidden"
        " prohibited"
    ),
    "de": "nicht kein keine keinen keinem keiner keines nie niemals ohne weder nichts verboten",
    "fr": "ne pas jamais sans aucun aucune rien ni",
    "es": "no ni nunca jamás sin ningún ninguna ninguno tampoco nada",
    "it": "non né senza nessun nessuno nessuna niente mai",
    "pt": "não nunca jamais sem nenhum nenhuma nem nada",
    "nl": "niet geen nooit zonder noch niets",
    "sv": "inte ej aldrig utan ingen inget inga",
    **dict.fromkeys(("da", "no", "nb", "nn"), _DANISH),
    "pl": "nie nigdy bez żaden żadnego ani",
    "ru": "не ни нет без нельзя никогда",
    "uk": "не ні без нема ніколи",
    "ro": "nu fără niciodată",
    "el": "δεν μην μη όχι χωρίς ποτέ",
    "ar": "لا لم لن ليس بدون غير",
    **dict.fromkeys(("he", "iw"), _HEBREW),
    "hi": "न नहीं मत बिना",
    "vi": "không đừng chớ",
    "id": "tidak jangan tanpa bukan",
}
# Written without blanks, or fused with the verb.
_PARTS: Final[dict[str, str]] = {
    "ja": "ない ません ぬ ずに 禁止 不要 不可 無し 無く",
    "zh": "禁止 不 没 沒 勿 别 別 无 無 未",
    "ko": r"않 마세요 마십시오 말아 지\s마 없 못 금지",
    "th": "ไม่ ห้าม อย่า",
}
KNOWN_LANGUAGES: Final = frozenset((*_WORDS, *_PARTS))
# Also the marks that Indic, Arabic and Hebrew writing puts on letters, which are none to `re`.
_LETTER: Final = r"[\w\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0900-\u0dff-]"
# With a negation alone, these leave the clause without anything that could be denied.
_FILLERS: Final = frozenset(list_terms("do does did please you should must may can ever bitte tun"))
_CONDITION: Final = re.compile(
    r"\b(?:if|when|where|while|until|once|because|since|unless|wenn|falls|sobald|weil|si|quand|"
    r"lorsque|cuando|se|quando|als|indien|om|när|hvis|jeśli|если|якщо)\b",
    re.IGNORECASE,
)
_OR: Final = re.compile(
    r"[^.!?\n]*[,;]\s*(?:or|nor|oder|noch|ou|ni|o|né|nem|of|eller|ani|или|\u0430\u0431\u043e)\b",
    re.IGNORECASE,
)
_BREAK: Final = re.compile(
    r"(?P<end>[.!?](?=\s|$)|[\u3002\uff01\uff1f\u0964]|\n\s*\n)|(?P<part>[,;:()\u3001\uff0c\uff1b\uff1a]|\s[\u2013\u2014-]\s)|(?P<line>\n)"
)
_ITEM: Final = re.compile(r"[ \t]*(?:[-*+\u2022]|\d{1,3}[.)])[ \t]+")
_ABBREVIATION: Final = re.compile(
    r"(?:\b(?:e\.\s?g|i\.\s?e|z\.\s?B|d\.\s?h|p\.\s?ex|c\.-?à-?d|vs|cf|ca|etc|bzw|ggf|approx|no|nr"
    r"|fig|incl|esp)|\b[A-Z])\.$",
    re.IGNORECASE,
)
_WORDS_OF_A_BEGINNING: Final = 3  # "Please do not", before the cue
_MAX_LOOK_BACK: Final = 1_000  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Polarity:
    """Stems that are affirmed and stems that are denied; one may be both."""

    affirmed: frozenset[str]
    denied: frozenset[str]

    def allows(self, claim: "Polarity", stems: set[str]) -> bool:
        """Tell whether a claim affirms and denies of some stems only what is so here."""
        return claim.affirmed & stems <= self.affirmed and claim.denied & stems <= self.denied


def knows_language(code: str) -> bool:
    """Tell whether negations of a language are known by their words; "und" counts as one."""
    return code == UNDETERMINED or code in KNOWN_LANGUAGES


def read_polarity(
    text: str, start: int = 0, end: int | None = None, *, languages: frozenset[str] = frozenset()
) -> Polarity:
    """Return what a part of a text affirms and denies, its sentence and list considered.

    Args:
        text: a text, in which the part stands.
        start: offset at which the part begins.
        end: offset behind its last character; None for the text's end.
        languages: ISO 639-1 codes of what the text may be in; none for all that are known.

    """
    cue_of = _compile_cue(languages)
    end = len(text) if end is None else end
    begin = _find_beginning(text, start)
    affirmed: set[str] = set()
    denied: set[str] = set()
    spread = _is_under_denial(text, begin, cue_of)
    for first, last, broken_by, after in _cut_clauses(text, begin, end):
        clause = text[first:last]
        cue = cue_of.search(clause)
        stems = {term for term in list_terms(text[max(first, start) : last]) if " " not in term}
        (denied if cue or spread else affirmed).update(stems)
        if broken_by == "end":
            spread = _is_under_denial(text, after, cue_of)
        elif cue:
            alone = _FILLERS.issuperset(list_terms(cue_of.sub(" ", clause)))
            begins = len(clause[: cue.start()].split()) < _WORDS_OF_A_BEGINNING
            spread = (
                spread or alone or broken_by == ":" or (begins and bool(_OR.match(text, last, end)))
            )
    return Polarity(affirmed=frozenset(affirmed), denied=frozenset(denied))


def list_readings(text: str) -> list[frozenset[str]]:
    """Return languages, some at a time, to read a text in of which nobody knows its language.

    Each in which it negates is one by itself, so that words of two do not stand for each other.
    """
    own = [code for code in sorted(KNOWN_LANGUAGES) if _compile_own(code).search(text)]
    return [KNOWN_LANGUAGES.difference(own), *(frozenset([code]) for code in own)]


@cache
def _compile_own(code: str) -> re.Pattern[str]:
    """Return what finds a language's own negations."""
    cues = [_join_words(_WORDS[code].split())] if code in _WORDS else []
    return re.compile("|".join([*cues, *_PARTS.get(code, "").split()]), re.IGNORECASE)


def _choose_cues(cues: dict[str, str], codes: Iterable[str]) -> set[str]:
    """Return the cues of some languages, and of the others those that mean nothing else."""
    own = {cue for code in codes for cue in cues.get(code, "").split()}
    return own | {cue for each in cues.values() for cue in each.split()} - _AMBIGUOUS


def _join_words(words: Iterable[str]) -> str:
    return rf"(?<!{_LETTER})(?:{'|'.join(sorted(words))})(?!{_LETTER})"


@cache
def _compile_cue(languages: frozenset[str]) -> re.Pattern[str]:
    """Return what finds negations in some languages, in all where there are none."""
    codes = sorted(languages & KNOWN_LANGUAGES or KNOWN_LANGUAGES)
    words = _choose_cues(_WORDS, codes)
    if "no" in words:  # "step no 5" counts
        words = words - {"no"} | {r"no(?!\.?\s*\d+\b)"}
    cues = [
        _join_words(words),
        r"n['\u2019]t\b",
        *sorted(_choose_cues(_PARTS, codes)),
    ]
    if "fr" in codes:
        cues.append(r"(?<!\w)n['\u2019](?=\w)")
    return re.compile("|".join(cues), re.IGNORECASE)


def _cut_clauses(text: str, begin: int, end: int) -> Iterator[tuple[int, int, str, int]]:
    """Yield each clause's offsets, "end" (of a sentence) or a sign, and where the next begins."""
    first = begin
    for found in _BREAK.finditer(text, begin, end):
        if found["line"] and not _ITEM.match(text, found.end()):
            continue  # a wrapped line
        if found["end"] == "." and _ABBREVIATION.search(text[first : found.end()]):
            continue
        sign = "end" if found["end"] or found["line"] else found[0].strip()
        yield first, found.start(), sign, found.end()
        first = found.end()
    yield first, end, "", end


def _find_beginning(text: str, start: int) -> int:
    """Return where the sentence begins in which something stands."""
    begin = max(0, start - _MAX_LOOK_BACK)
    for found in _BREAK.finditer(text, begin, start):
        ends = found["end"] or (found["line"] and _ITEM.match(text, found.end()))
        cut = found["end"] == "." and _ABBREVIATION.search(text[begin : found.end()])
        after = text[found.end() : found.end() + 40].lstrip(" \t")
        goes_on = found["end"] == "." and after[:1].islower()
        if ends and not cut and not goes_on:
            begin = found.end()
    return begin


def _is_under_denial(text: str, place: int, cue_of: re.Pattern[str]) -> bool:
    """Tell whether a place is in a list under a line like "Never do this:"."""
    lines = text[max(0, place - _MAX_LOOK_BACK) : place].split("\n")
    rest = text[place:].split("\n", 1)[0]
    if not _ITEM.match(lines.pop() + rest):
        return False
    while lines and (not lines[-1].strip() or _ITEM.match(lines[-1])):
        lines.pop()
    lead = lines[-1].rstrip() if lines else ""
    cue = cue_of.search(lead)
    return (
        lead.endswith((":", "\uff1a"))
        and cue is not None
        and not _CONDITION.search(lead[: cue.start()])
    )
