# SPDX-License-Identifier: Apache-2.0
"""Postal addresses: a head that only an address has, and the parts that follow it.

Heads are a number with a word for street (before, behind or in the name of many languages), a post
box, a unit ("Suite 4"), a military office, an address after words such as "ship to". Parts are
units, places, regions and postal codes, each by its separator. Street, place and code are findings
of their own where they stand on lines of their own, one finding where they run on.
"""
# ruff: noqa: E501 - a regular expression does not read better in pieces

from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import regex  # type: ignore[import-untyped]  # presidio's engine; ships no types

from guardrails.expression_index import ExpressionIndex
from guardrails.findings import find_all, make_result
from guardrails.pattern_parts import LANGUAGE, TWO_NAMES, bound_repetitions, compile_bounded
from guardrails.plain_words import PRODUCTS, is_all_plain, names_length
from guardrails.presidio_runtime import LocalRecognizer, RecognizerResult
from guardrails.street_words import list_last_words
from guardrails.text_engine import TextArtifacts
from guardrails.trace_alphabets import WORDS

_NUMBER: Final = r"\d{1,6}(?:[ ]?(?:[A-Za-z]|bis|ter|quater)\b|[-/]\d{1,5}[A-Za-z]?)?"
_WORD: Final = r"(?:\p{Lu}(?:[\p{L}\p{M}'\u2019-]{0,3}\.|[\p{L}\p{M}'\u2019-]{0,30})|\d{1,3}(?:st|nd|rd|th)|(?:de|du|des|la|le|les|l['\u2019]\p{L}+|d['\u2019]\p{L}+|van|von|der|den|di|da|do|dos|das|del|della|dei|of|the|y|e|i|av|auf|im|am|zum|zur|in|op|het|ter|ten|na|nad|u|sur|sous|en|aux|al|el)(?=(?:[ ](?:de|du|la|le|les|der|den|of|the|het))?[ ]\p{Lu}))"
_SUFFIX: Final = r"(?:street|str\.?|st\.?|road|rd\.?|avenue|ave\.?|boulevard|blvd\.?|lane|ln\.?|drive|dr\.?|court|ct\.?|place|square|sq\.?|terrace|way|crescent|cres\.?|close|gardens|grove|highway|hwy\.?|parkway|pkwy\.?|circle|trail|alley|walk|mews|hill|park|plaza|loop|route|freeway|expressway|heights|manor|ridge|turnpike|village|villages|ville|landing|knolls?|meadows?|orchard|estates?|crossing|crossroad|hollow|mission|motorway|overpass|causeway|esplanade|parade|quay|wharf|row|rise|vale|views?|islands?|burgs?|brooks?|falls|ferry|fields?|forges?|forks?|glens?|greens?|groves?|harbors?|inlet|junctions?|lakes?|mills?|mountains?|pines?|plains?|prairie|rapids|shoals?|shores?|springs?|stravenue|streams?|summit|throughway|trace|trafficway|union|valleys?|viaduct|wells|v\u00e4g|v\u00e4gen|gata|gatan|vej|gade|vei|veien|gate|katu|tie|utca|\u00fat|t\u00e9r|k\u00f6r\u00fat|ulice|t\u0159\u00edda|n\u00e1m\u011bst\u00ed|sokak|sokak\u0131|caddesi|bulvar\u0131|mahallesi|nagar|marg|chowk|colony|strasse|stra\u00dfe|gasse|weg|platz|allee|damm|ring|ufer|straat|laan|plein|gracht|kade|dreef|hof|steenweg|trg|ulica)"
_SURE_SUFFIX: Final = r"(?:street|str\.|road|avenue|boulevard|lane|strasse|stra\u00dfe|gasse|weg|platz|allee|straat|laan|plein|v\u00e4gen|v\u00e4g|gatan|vej|gade|veien|gate|katu|tie|utca|\u00fat|t\u00e9r|ulice|t\u0159\u00edda|sokak|caddesi|bulvar\u0131|marg|nagar)"
_COMPOUND: Final = r"\p{Lu}[\p{L}\p{M}.-]{2,30}(?:strasse|stra\u00dfe|stasse|str\.|gasse|weg|platz|allee|damm|ufer|ring|graben|berg|steig|hof|straat|laan|plein|gracht|kade|dreef|singel|steenweg|pad|gatan|gata|v\u00e4gen|v\u00e4g|gr\u00e4nd|vej|gade|all\u00e9|veien|vegen|gaten|bakken|katu|tie|kuja|polku|utca|straat|stien|torget)"
_PREFIX: Final = r"(?:rue|avenue|av\.|boulevard|bd\.?|place|quai|chemin|impasse|all\u00e9e|cours|square|route|via|viale|corso|piazza|vicolo|strada|borgo|contrada|calle|c/|carrer|avenida|avda\.?|av\.|paseo|plaza|camino|cami\u00f1o|r\u00faa|ronda|urbanizaci\u00f3n|callej\u00f3n|pasaje|glorieta|ca\u00f1ada|cuesta|rua|r\.|travessa|tv\.|largo|pra\u00e7a|alameda|estrada|rodovia|ul\.|ulica|ulice|al\.|aleja|os\.|pl\.|plac|str\.|strada|bd\.|bulevardul|calea|trg|n\u00e1m\.|\u0443\u043b\.?|\u0443\u043b\u0438\u0446\u0430|\u043f\u0440\.?|\u043f\u0440\u043e\u0441\u043f\u0435\u043a\u0442|\u043f\u0435\u0440\.|\u0431\u0443\u043b\.|\u0448\.|\u043d\u0430\u0431\.|\u03bf\u03b4\u03cc\u03c2|\u03bb\u03b5\u03c9\u03c6\u03cc\u03c1\u03bf\u03c2|jalan|jl\.?|jln\.?|lorong|thanon|soi|\u0111\u01b0\u1eddng|ph\u1ed1|am|an[ ]der|auf[ ]dem|in[ ]der|im|zum|zur|unter|untere|obere|alte|alter|neue|neuer|gro\u00dfe|kleine)"
_UNIT: Final = r"(?:\d{1,2}\.[ ]?(?:OG|UG|Stock|Etage|Obergeschoss)\b|(?:EG|DG|Erdgeschoss|Dachgeschoss)\b|\d{1,2}[\u00ba\u00aa\u00b0](?:[ ]?(?:[A-Z]|izq\w{0,8}|dcha|der\w{0,6})\b\.?)?|(?:suite|ste|apt|apartment|appartement|unit|flat|floor|fl|room|rm|bldg|building|block|studio|box|po[ ]box|dept|lot|slip|wing|tower|penthouse|stiege|t\u00fcr|wohnung|whg|\u00e9tage|bureau|interno|scala|piso|puerta|apartamento|apto|lok|m|kv|\u043a\u0432|\u0434|\u0441\u0442\u0440|\u043a\u043e\u0440\u043f|b\u00e2t|\u00f6|lgh|h\u00fas)\.?[ ]?[#]?[A-Z]?\d{1,5}[A-Za-z]?|#[ ]?\d{1,5}[A-Z]?|\d{1,3}(?:st|nd|rd|th)[ ]floor)"
_BOX: Final = r"(?:(?:p\.?[ ]?o\.?|post(?:al)?[ ]?office)[ ]?box|postfach|postbus|boite[ ]postale|b\.?p\.|casella[ ]postale|apartado(?:[ ]de[ ]correos)?|caixa[ ]postal|skrytka[ ]pocztowa|postboks|pl)[ ]?(?:no\.?[ ])?[#]?\d{1,7}"
_CODE: Final = r"(?:(?:\u03a4\u039a|TK)[ ]\d{3}[ ]?\d{2}|\d{5}-?\d{3}|\d{4}[ ]?[A-Z]{2}\b|[A-Z]{2}[ ]\d{5}(?:-\d{4})?|[A-Z]{1,2}\d[A-Z\d]?[ ]?\d[A-Z]{2}|[A-Z]\d[A-Z][ ]?\d[A-Z]\d|[A-Z]\d[\dW][ ]?[A-Z\d]{4}|(?:[A-Z]{1,2}-)?\d{3}[ ]\d{2}|(?:[A-Z]{1,3}-)?\d{4,6}(?:-\d{3,4})?|\d{4}[ ][A-Z]{2}|\d{2}-\d{3}|\d{3}-\d{4}|\u3012\d{3}-\d{4})"
_MILITARY: Final = r"(?:(?:PSC|CMR|Unit)[ ]\d{1,5},?[ ]Box[ ]\d{1,5}|US(?:S|NS|NV|CGC|AV|NR)?[ ]\p{Lu}[\p{L}'\u2019-]{1,30}(?:[ ]\p{Lu}[\p{L}'\u2019-]{1,30})?)[\s,]{1,3}(?:APO|FPO|DPO)[ ]A[AEP][ ]\d{5}(?:-\d{4})?"
_ASK: Final = r"(?:(?:(?:home|postal|mailing|shipping|delivery|billing|private|my|new|her|his|their|office|street|our)[ ]){0,2}address(?:[ ](?:is|to|with|has[ ]changed[ ]to|of|are|:))?|ship(?:ped|ping)?(?:[ ]\w+){0,3}[ ]to|deliver(?:ed|y)?(?:[ ]\w+){0,3}[ ]to|send(?:[ ]\w+){0,4}[ ]to|sent(?:[ ]\w+){0,3}[ ]to|post(?:ed)?[ ]it[ ]to|mail(?:ed)?[ ]it[ ]to|live[sd]?[ ](?:at|in)|living[ ]at|located[ ]at|office[ ]is[ ]at|moved[ ]to|meet(?:[ ]\w+){0,2}[ ]at|taxi[ ]to|courier[ ]to|pick(?:ed)?[ ](?:it[ ])?up[ ](?:at|from)|home(?:[ ]office)?|residing[ ]at|arrived[ ]at|return[ ]to|at|to|in|anschrift|adresse|direcci\u00f3n|indirizzo|endere\u00e7o|adres)[ ]?[:=]?"
# Only after these is a list with commas an address, whatever its country writes first.
_STRICT_ASK: Final = r"(?:(?:home|postal|mailing|shipping|delivery|billing|private|new|office)[ ]address(?:[ ](?:is|to|has[ ]changed[ ]to|changed:?|will[ ]be))?|(?:my|his|her|their)[ ](?:\w+[ ])?address(?:[ ](?:is|to|has[ ]changed[ ]to|changed:?|will[ ]be))?|address(?:[ ]is|(?=[ ]?[:=]))|ship(?:ped|ping)?(?:[ ]\w+){0,4}[ ]to|deliver(?:ed|y)?(?:[ ]\w+){0,4}[ ]to|send(?:[ ]\w+){0,5}[ ]to|sent(?:[ ]\w+){0,4}[ ]to|courier(?:[ ]\w+){0,3}[ ]to|parcel(?:[ ]\w+){0,3}[ ]to|post(?:ed)?(?:[ ]\w+){0,3}[ ]to|mail(?:ed)?[ ](?:it|them)[ ]to|must[ ]go[ ]to|dispatch(?:ed)?(?:[ ]\w+){0,3}[ ]to|live[sd]?[ ](?:at|in)|living[ ](?:at|in)|residing[ ]at|located[ ]at|moved(?:[ ]house)?[ ]to|pick(?:ed)?(?:[ ]\w+){0,2}[ ]up[ ](?:at|from)|return(?:[ ]\w+){0,3}[ ]to|(?:anschrift|adresse|direcci\u00f3n|indirizzo|endere\u00e7o|adres)(?:[ ]ist|[ ]est|[ ]es)?)[ ]?[:=]?"
_LISTED_PART: Final = r"(?:(?i:apto?|apt|flat|unit|suite|piso|floor|bloco|sala|lok|kv|b\u00e2t|\u00e9tage|stock|dept|c/o|near|opp)\.?[ ])?[\p{Lu}\d#](?:[^\s,;:?!@=<>|\"]{0,24})(?:[ ](?!(?:and|but|or|for|please|pls|because|if|when|is|was|so|by|with|this|before|after|asap|since|as|thanks|where|which|until|instead|today|tomorrow|ask|on|in|it)\b)[\p{L}\d#'\u2019/&().\u00ba\u00aa\u2013-]{1,24}){0,5}"
_PLACE: Final = rf"{_WORD}(?:[ ]{_WORD}|[ -]\p{{Lu}}[\p{{L}}\p{{M}}'\u2019-]{{1,30}}){{0,4}}"
# Nothing that goes on as a label, an address of the net or a sentence is a part.
_PART_END: Final = r"(?![ ]?[:@=]|[\w]|[-.]\w)"
_SEPARATOR: Final = r"(?:,{0,2}[ ]{1,2}|,[ ]?|,?[ ]?\n{1,2}(?:[ ]{0,4}|[>?*|]{1,3}[ ]?),?[ ]{0,2})"
_PART: Final = rf"(?:(?i:{_UNIT})(?:[ ]{_CODE})?|{_CODE}(?:[ ]{_PLACE})?(?:[ ]/[ ][A-Z]{{2}}\b)?|{_PLACE}(?:[ ]{_CODE}|-\d{{5,6}})?(?:[ ]/[ ][A-Z]{{2}}\b)?|\d{{1,5}})"
# What begins a line, or goes on, and is no part of an address.
_NO_PART: Final = r"(?!(?i:thanks|thank|regards|best|kind|cheers|please|tel|phone|mobile|fax|email|mail|attention|attn|contact|the|this|it|i|we|my|she|he|they|there|and|or|sent|from|hi|hello|name|date|but|if|is|was|call|you|your|yours|personal|when|where|how|who|can|could|would|will|please|deadline|tracking|courier|item|order|ref|reference|cost|serial|asset|user|password|ticket)\b)"
_TAIL: Final = rf"(?:(?:{_SEPARATOR}|[ ]?/{{1,2}}[ ]?){_NO_PART}{_PART}{_PART_END}){{0,7}}"
_STREET: Final = (
    rf"(?:{_NUMBER},?[ ](?:{_NUMBER}[ ])?(?:{_WORD}[ ]){{1,5}}?(?i:{_SUFFIX})\b\.?(?:[ ]{_NUMBER}\b)?"
    rf"|(?:{_NUMBER}[ ])?(?:{_WORD}[ ]){{0,3}}?{_COMPOUND}[ ]{_NUMBER}\b"
    rf"|{_NUMBER},?[ ](?:{_NUMBER}[ ])?(?:{_WORD}[ ]){{0,3}}?{_COMPOUND}\b"
    rf"|{_NUMBER},?[ ](?:{_NUMBER}[ ])?(?i:{_PREFIX})[ ]{{0,1}}{_PLACE}(?:,?[ ]{_NUMBER}\b)?"
    rf"|(?<![\p{{L}}\d])(?i:{_PREFIX})(?<=\b(?:\p{{Lu}}|rue|ul\.|al\.|os\.|pl\.|via|calle|rua|avenue|place|c/|\u0443\u043b\.).{{0,12}})[ ]{{0,1}}{_PLACE},?[ ](?:(?i:n|nr|no|num|n\u00ba|\u0434)[.\u00b0]?[ ]?)?{_NUMBER}\b"
    rf"|(?:{_WORD}[ ]){{1,4}}(?i:{_SURE_SUFFIX})\b\.?[ ](?:(?i:no|nr)[.:]?[ ]?)?{_NUMBER}\b)"
)
_STREET_HEAD: Final = rf"(?<![\w./:#-])(?=[^\p{{L}}]{{0,24}}\p{{L}}){_STREET}{_PART_END}{_TAIL}"
_HEADS: Final = tuple(
    compile_bounded(expression)
    for expression in (
        rf"(?<![\w./:-])(?:{_NUMBER}[ ])?{_MILITARY}",
        rf"(?<![\w./:-])(?:{_NUMBER},?[ ])?(?i:{_BOX})\b{_TAIL}",
        _STREET_HEAD,
        # a number and a name before a unit: the unit says that it is a street
        rf"(?<![\w./:-])\d{{1,5}}[ ](?:{_NUMBER}[ ])?{_PLACE}(?:[ ]{_NUMBER})?{_SEPARATOR}(?i:suite|ste|apt|apartment|unit|flat)\.?[ ]\d{{1,5}}{_PART_END}{_TAIL}",
        rf"(?<![\w./:-])\d{{1,5}}[ ](?:(?!(?i:suite|apt)\b)[\p{{L}}\d'\u2019./-]{{1,30}}[ ]){{1,7}}?(?:\d{{1,5}})?{_SEPARATOR}(?i:suite[ ]|apt\.[ ])\d{{1,5}}{_PART_END}{_TAIL}",
        rf"(?<![\w./:-]){_PLACE}[ ]{_NUMBER}{_SEPARATOR}(?i:suite|ste|apt|apartment)\.?[ ]\d{{1,5}}{_PART_END}{_TAIL}",
        # a number, a name and at the end a postal code
        rf"(?<![\w./:-])\d{{1,5}}[ ](?:{_NUMBER}[ ])?{_PLACE}(?:[ ]{_NUMBER})?(?:{_SEPARATOR}{_PLACE}){{1,3}}(?:{_SEPARATOR}[A-Za-z]{{2,3}}(?=[ ,\n]))?{_SEPARATOR}(?:{_PLACE}[ ])?{_CODE}{_PART_END}(?:{_SEPARATOR}{_NO_PART}{_PLACE}{_PART_END})?",
        # after words that ask for one
        rf"(?i:\b{_ASK})[ \n]{{1,3}}(?i:the[ ]corner[ ]of[ ])?\K\d{{1,5}}[ ](?:{_NUMBER}[ ])?{_PLACE}(?:[ ]{_NUMBER}\b){_PART_END}{_TAIL}",
        rf"(?i:\b(?:home|postal|mailing|shipping|delivery|billing|private|my|new|her|his|their)?[ ]?address(?:[ ]is)?[ ]?[:=]?[ \n]{{1,3}})\K(?!(?i:is|bar|book|list|the|and|of|in|for|to|was|not|space)\b){_NUMBER}[ ]{_PLACE}{_PART_END}{_TAIL}",
        rf"(?i:(?:the[ ])?corner[ ]of[ ])[^\n,;?!]{{3,60}}?[ ]and[ ]{_PLACE}(?:[ ]{_NUMBER})?(?:[ ]{_SURE_SUFFIX}\b)?(?:[ ]{_NUMBER})?",
        # where a technician is sent: the street may be of any kind
        rf"(?i:\b(?:site|location|branch|premises|visit|on-?site(?:[ ]at)?)[ ]?[:=-]?[ ])\K{_NUMBER},?[ ]{_PLACE},[ ]{_PLACE}(?:,?[ ](?:{_CODE}|\d{{4,6}}))?(?=[ ]?[,.;)\n]|\s*\Z)",
        # block, plot and house before the quarter, as in Japan
        r"(?<![\w./:-])\d{1,4}-\d{1,3}(?:-\d{1,3})?[ ]\p{Lu}[\p{L}-]{2,24}(?:,[ ]\p{Lu}[\p{L}-]{2,24}(?:[ ]\p{L}[\p{L}-]{1,16})?){1,3}(?:,?[ ]\d{3}-?\d{4})?(?:,[ ]Japan)?",
        # a street named without a number, where somebody is
        rf"(?i:\b(?:on|in|at|to|from|of|along|near)[ ])\K(?:{_WORD}[ ]){{1,3}}(?:Street|Road|Avenue|Boulevard|Lane|Drive|Square)\b(?:,[ ]{_PLACE}{_PART_END})?",
        # a unit first, its building and its code on the lines or parts that follow
        rf"(?<![\w./:-])(?i:studio|flat|apartment|suite|unit)[ ]\d{{1,4}}[A-Za-z]?(?:{_SEPARATOR}{_PART}{_PART_END}){{1,4}}(?<=[\dA-Z])",
        # a street of any kind, its number, and a line that begins with a postal code
        rf"(?<![\w./:-])(?:{_PLACE},?[ ]{_NUMBER}|{_NUMBER},?[ ]{_PLACE})(?:{_SEPARATOR}{_PLACE}(?:[ ]\d{{1,2}}\u00aa?[ ]{_PLACE})?){{0,2}}(?:,{{1,2}}[ ]|,?\n[ ]{{0,4}})(?:(?:\u03a4\u039a|TK)[ ]\d{{3}}[ ]?\d{{2}}|\d{{5}}-?\d{{3}}|\d{{5}}|\d{{3}}[ ]\d{{2}}|\d{{4}}[ ]?[A-Z]{{2}}|\d{{4}}|\d{{2}}-\d{{3}})(?:[ ]|\n)\p{{Lu}}[\p{{L}}'\u2019-]{{1,30}}{_PART_END}{_TAIL}(?:[ ]/[ ][A-Z]{{2}}\b)?",
        rf"(?m)(?:^|(?<=(?i:{_ASK})[ ])|(?<=:[ ]))(?i:{_PREFIX})[ ]?{_PLACE}{_SEPARATOR}\d{{5}}[ ]\p{{Lu}}[\p{{L}}'\u2019-]{{2,30}}{_PART_END}{_TAIL}",
        # postal code and town after a street that was not understood; town, region and code
        r"(?<![\w./:-])\p{Lu}[\p{L}'\u2019.-]{1,30}(?:[ ]\p{Lu}[\p{L}'\u2019.-]{1,30}){0,2},[ ][A-Z]{2}[ ]\d{5}(?:-\d{4})?(?!\w)",
        r"[\p{Han}]{2,12}[\u7701\u5e02\u53bf\u533a\u8857\u8def\u9547][\p{Han}]{1,12}[A-Z]\u5ea7(?:[ ]\d{6})?",
        r"\u3012?(?:\d{3}-\d{4}[ ]?)?[\p{Han}]{1,6}[\u90fd\u9053\u5e9c\u770c\u7701\u5e02][\p{Han}\p{Hiragana}\p{Katakana}\u30fc\d\uff10-\uff19A-Z\u2212\u2010-\u2015 -]{2,60}",
        r"(?<![\w])(?:\u0433\.|\u0433\u043e\u0440\u043e\u0434|\u0441\.|\u043f\.|\u0434\.|\u0441\u0442\.|\u043a\u043b\.|\u043a\.)[ ]?\p{Lu}[\p{Cyrillic}-]{1,30}(?:[ ][\p{Cyrillic}().]{1,20}){0,3}(?:,[ ][\p{Cyrillic}. \d/-]{1,40}){1,5}(?:,[ ]\d{6})?",
    )
)
# These need no other sign: a list with commas, or lines, after words that ask for an address, and
# a street in small letters before a unit.
_SURE_HEADS: Final = (
    compile_bounded(
        rf"(?i:\b{_STRICT_ASK})[ \n]{{1,3}}\K(?=[^\n;?!]{{0,100}}\d)(?:(?i:plot|house|flat|door|h\.?)[ ]?(?:no\.?|number|nr\.?)?[ ]?)?{_LISTED_PART}(?:,{{1,2}}[ ]?\n?[ ]?{_LISTED_PART}){{1,6}}(?=[ ]?[.;:?!)\n]|,?[ ]\p{{Ll}}|,[ ]|\s*\Z)"
    ),
    compile_bounded(
        rf"(?i:\b(?:plot|house|flat|door)[ ](?:no\.?|number|nr\.?)[ ])\K\d{{1,5}}[\w/-]{{0,6}}(?:,[ ]{_LISTED_PART}){{1,6}}(?=[ ]?[.;:?!)\n]|,?[ ]\p{{Ll}}|,[ ]|\s*\Z)"
    ),
    compile_bounded(
        r"(?<![\w./:-])\d{1,5}[ ](?:\d{1,5}[ ])?(?:(?!suite|apt|ste)[\p{L}'\u2019.-]{1,30}[ ,]{1,2}){1,6}?(?:\d{1,5}[ ]?,?[ ]?)?(?:\n[ ]?)?(?:(?:suite|apt|ste|unit|flat)\.?[ ]\d{1,5})"
        r"(?:(?:,[ ]|[ ]?\n[ ]?|[ ])(?!for\b|and\b|please\b|in\b|to\b|is\b|at\b|on\b|i\b|last\b|this\b|but\b|today\b|by\b|with\b)[\p{L}'\u2019.-]{2,30}(?:[ ](?!for\b|and\b|please\b|in\b|to\b|is\b|at\b|on\b|i\b|last\b|this\b|but\b|today\b|by\b|with\b)[\p{L}'\u2019-]{2,30}){0,4}(?:[ ]\d{4,6}\b)?){0,4}"
    ),
)


@cache
def _index_heads() -> ExpressionIndex:
    return ExpressionIndex([head.pattern for head in (*_HEADS, *_SURE_HEADS)])


_STREET_PLACE: Final = [head.pattern for head in _HEADS].index(bound_repetitions(_STREET_HEAD))
_WORDS_BEFORE: Final = compile_bounded(
    r"(?:(?:^|\n)|\b(?i:at|to|with|in|is|address:?)[ ]|:[ ]?\n{1,2})((?:\p{Lu}[\p{L}\p{M}'\u2019.-]{1,30}[ ]){1,3})\Z"
)
# What says that a number is a house's.
_HOUSE_BEFORE: Final = compile_bounded(
    r"(?<![\w.])(?i:(?:house|plot|flat|door|shop)[ ](?:no|nr|number)?\.?|no\.|nr\.|n\u00ba|n\u00b0|\u2116)[ ]?\Z"
)
# Who lives there stands on the line above.
_NAME_ABOVE: Final = compile_bounded(
    rf"(?:^|\n)[ \t>?*|]{{0,6}}({TWO_NAMES})[ ]?,?\n{{1,2}}[ \t>?*|]{{0,6}}\Z"
)
_LINE: Final = regex.compile(r"[\s,>?*|]{0,128}([^\n]{1,4096})")
_PLACE_AND_CODE: Final = compile_bounded(
    r"\p{L}[\p{L}\p{M}'\u2019(). -]{2,50}[ ]()[A-Z]{0,2}[ -]?\d{4,6}(?:-\d{3,4})?"
)
_SURE_WORD: Final = compile_bounded(
    r"\b(?:street|road|avenue|lane|drive|boulevard|suite|apt|apartment|box|square|court|corner|apo|fpo|dpo)\b"
)
_LETTERS: Final = regex.compile(r"\p{L}+")
# A short number, or a street that is named without one.
_MAYBE: Final = compile_bounded(
    r"(?<!\d)\d{1,6}(?!\d)|[ ](?:street|road|avenue|boulevard|lane|drive|square)\b|corner of|\p{Han}"
)
_DIGIT: Final = compile_bounded(r"\d")
# Of `ViaRoma`, both.
_CAMEL: Final = compile_bounded(r"\p{Lu}?\p{Ll}+|\p{Lu}+")
_MIN_PREFIX: Final = 3  # letters of a prefix that a name in capitals is joined to: `VIAROMA`
_PREFIXES: Final = frozenset(list_last_words(_PREFIX))
_STREET_WORDS: Final = _PREFIXES.union(*map(list_last_words, (_SUFFIX, _SURE_SUFFIX)))
_STARTS: Final = tuple(sorted(word for word in _PREFIXES if len(word) >= _MIN_PREFIX))
# A short one in any case, joined to a name: `BDRoma`.
_SHORT_PREFIX: Final = "|".join(sorted(word for word in _PREFIXES if len(word) < _MIN_PREFIX))
_JOINED: Final = compile_bounded(rf"(?<!\p{{L}})(?i:{_SHORT_PREFIX})\p{{Lu}}")
_ENDS: Final = tuple(sorted(set(list_last_words(_COMPOUND))))


class StreetAddressRecogniser(LocalRecognizer):
    """Addresses, as far as a head gives them away."""

    def __init__(self) -> None:
        super().__init__(
            supported_entities=["ADDRESS", "LOCATION", "PERSON"], supported_language=LANGUAGE
        )

    def load(self) -> None:
        """Do nothing: there is no model."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: Any = None
    ) -> list[RecognizerResult]:
        """Return the addresses."""
        del entities
        lower = (nlp_artifacts or TextArtifacts(text)).lower_text
        if not _MAYBE.search(lower):
            return []
        results = []
        for start, end in _find_addresses(text, lower):
            begin, finish = _take_in_words_before(text, start, end)
            for first, last, entity in _split_block(text, begin, finish):
                results.append(make_result(self, entity, first, last, 0.87))
            if line := _NAME_ABOVE.search(text, max(0, begin - 80), begin):
                first, last = line.span(1)
                if length := names_length(text[first:last]):
                    results.append(make_result(self, "PERSON", first, first + length, 0.8))
        return results


def _find_addresses(text: str, lower: str) -> Iterator[tuple[int, int]]:
    for place in _index_heads().list_possible(text):
        if place == _STREET_PLACE and not _has_street_word(text):
            continue
        if place >= len(_HEADS):
            yield from (match.span() for match in find_all(_SURE_HEADS[place - len(_HEADS)], text))
            continue
        for match in find_all(_HEADS[place], text):
            start, end = match.span()
            if not PRODUCTS.isdisjoint(_LETTERS.findall(lower[start:end])):
                continue
            if _SURE_WORD.search(lower[start:end]) or not is_all_plain(text[start:end]):
                yield start, end


def _has_street_word(text: str) -> bool:
    """Say whether a text has a word for a street: alone, before a capital, or in a longer word."""
    if _JOINED.search(text):
        return True
    words = set(_LETTERS.findall(WORDS.trace(text)))
    parts = map(WORDS.trace, _CAMEL.findall(text))
    return not (words.isdisjoint(_STREET_WORDS) and _STREET_WORDS.isdisjoint(parts)) or any(
        word.endswith(_ENDS) or word.startswith(_STARTS) for word in words
    )


def _take_in_words_before(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the address with what belongs to it before: "No. 7", "at Carry Weg 77 Main St"."""
    before = text[max(0, start - 60) : start]
    match = _HOUSE_BEFORE.search(before)
    if match and text[start : start + 1].isdigit():
        return start - (len(before) - match.start()), end
    match = _WORDS_BEFORE.search(before)
    return (start - len(match.group(1)), end) if match else (start, end)


def _split_block(text: str, start: int, end: int) -> Iterator[tuple[int, int, str]]:
    """Yield an address; of one on several lines, the lines of places as locations.

    The pieces touch each other, so that nothing between them stays.
    """
    address = text[start:end]
    pieces: list[tuple[int, str]] = []
    if "\n" in address:
        for match in _LINE.finditer(address):
            line = match.group(1)
            if not pieces or _DIGIT.search(line) is None:
                kind = "LOCATION" if pieces and len(line) > 2 else "ADDRESS"
                pieces.append((match.start(1), kind))
            elif country := _PLACE_AND_CODE.fullmatch(line):
                pieces += [
                    (match.start(1), "LOCATION"),
                    (match.start(1) + country.start(1), "ADDRESS"),
                ]
            else:
                pieces.append((match.start(1), "ADDRESS"))
    pieces = pieces or [(0, "ADDRESS")]
    starts = [0, *(place for place, _ in pieces[1:]), len(address)]
    kinds = [kind for _, kind in pieces]
    for number, kind in enumerate(kinds):
        if starts[number] < starts[number + 1]:
            yield start + starts[number], start + starts[number + 1], kind
