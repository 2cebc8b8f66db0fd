# SPDX-License-Identifier: Apache-2.0
"""Values that the words before them give away, however many of them and in whatever order.

People write "is it", "I changed it to", "the sticker says" between a label and its value. So here
a label, a few words of filling and a value that looks like one of its kind make a finding; where
the value could be a word of prose it must be a word that nobody knows.
"""
# ruff: noqa: E501 - a regular expression does not read better in pieces

from typing import Final

from guardrails.ordinary_words import ORDINARY_WORDS
from guardrails.pattern_parts import NO_ACCOUNT, NO_HOST, IdentifierPattern, patterns
from guardrails.plain_words import account_length, is_plain

# Words between a label and its value, at most four.
_FILL: Final = r"(?:[ ,:=#\"'(]{1,3}(?:is|it|was|now|be|to|as|the|a|an|his|her|my|our|their|on|of|for|in|at|file|sticker|label|box|says?|said|reads?|reading|shows?|shown|should|seems?|looks|like|probably|maybe|think|I|you|that|this|new|old|current|number|no\.?|nr\.?|num|id|name|named|called|code|value|user|device|laptop|pc|got|gave|given|with|printed|below|under|back|asked|not)){0,5}"
_APART: Final = r"[ \t:=#\"'`(\[*\u201c\u2018]{1,4}"
_END: Final = r"(?![\w@\\]|[.-]\w)"
_KNOWN_ACCOUNTS: Final = r"(?!(?i:root|system|admin|administrator|localsystem|nobody|guest|sudo|www-data|postgres|mysql|nginx|apache|service|default|follows|well|expected|usual|soon|fast|normal|always|before|described|shown|if|it|the|this|that|a|an|my|your|his|her|our|their|part|opposed|such|needed|intended|root)\b(?![\w.-]*\d))"


def _unknown(text: str) -> bool:
    """Say whether a word is none of prose, computing or products."""
    lower = text.lower()
    if lower.endswith(("ful", "less", "ous", "able", "ible", "ing")):
        return False
    return lower not in ORDINARY_WORDS and not is_plain(lower)


_ACCOUNTS: Final = patterns(
    # the password of whom sudo asks for; as whom somebody runs, binds or logs on
    (
        "USERNAME",
        0.82,
        rf"(?i:\b(?:password|passwd|passphrase|kennwort)[ ](?:for|of)[ ]){_KNOWN_ACCOUNTS}{NO_ACCOUNT}\K[A-Za-z_][\w.-]{{2,31}}(?=[ ]?:|['\"]?[ ]?(?:\n|\Z))",
        "pass kennwort",
    ),
    (
        "USERNAME",
        0.8,
        rf"(?i:\b(?:run|runs|ran|running|execut\w{{1,3}}|start\w{{0,3}}|launch\w{{0,3}}|bind|binds|binding|bound|authenticat\w{{1,3}}|connect\w{{0,3}}|log(?:s|ged|ging)?[ ]?(?:in|on)|sign(?:s|ed|ing)?[ ]?(?:in|on)|login|logon|act\w{{0,3}}|enrol\w{{0,4}}|impersonat\w{{1,3}})(?:[ ][\w'-]{{1,20}}){{0,4}}[ ]as[ ](?:user[ ]|account[ ])?[\"'`]?){_KNOWN_ACCOUNTS}{NO_ACCOUNT}\K(?=[\w.-]{{0,40}}[\d._]|[a-z-]{{4,32}}(?:[\"'`]|[ ]?(?:[.,;:!?)\n](?![\w])|\Z)|[ ](?:on|from|and|but|at|in|with)\b))[A-Za-z_][\w.-]{{2,40}}(?<![.-]){_END}",
        " as ",
        _unknown,
    ),
    (
        "USERNAME",
        0.8,
        rf"(?i:\b(?:user[ _-]?(?:name|id)?s?|login(?:[ ](?:name|id))?|logon(?:[ ](?:name|id))?|account(?:[ ](?:name|id))?|alias|uid|upn|sam[ ]?(?:account)?[ ]?name|nt[ ]?(?:id|account|user)|windows[ ]id|short[ ]?name|kennung|benutzer(?:name)?|network[ ]id){_FILL}{_APART}){_KNOWN_ACCOUNTS}(?!(?i:{{?0x|kb\d|v?\d+\b|[\w.-]*\.(?:exe|dll|msi|ps1|log|ini|xml|txt|json|conf|dat)\b))\K(?=[\w.-]{{0,40}}(?:\d|[a-z][._][a-z]))[A-Za-z][\w.-]{{2,40}}(?<![.-]){_END}",
        "user login logon account alias uid upn sam nt windows short kennung benutzer network",
        lambda text: text.islower() or text.isupper() or "." in text,
    ),
    # "username is x": a word that nobody knows, at the end of what is said
    (
        "USERNAME",
        0.8,
        rf"(?i:\b(?:user[ _-]?(?:name|id)|login(?:[ ](?:name|id))?|logon(?:[ ](?:name|id))?|account(?:[ ](?:name|id))|alias|nt[ ]?(?:id|account)|sam[ ]?account[ ]?name|uid)(?:[ ](?:is|was|now|of|still)|[ ]?[,:=-]){{1,2}}[ ]{{1,2}}[\"'`(]?){_KNOWN_ACCOUNTS}{NO_ACCOUNT}\K(?:[a-z]{{4,24}}|[A-Z]{{4,24}})(?=[\"'`)]?(?:[ ]?[.,;!?)\n](?!\w)|\Z|[ ](?:and|but|on|in|with|from|since|please|pls|cannot|can't|is)\b))",
        "user login logon account alias nt sam uid",
        _unknown,
    ),
    # "add x to the group", "rights of x", "x is not in the sudoers file"
    (
        "USERNAME",
        0.76,
        rf"(?i:\b(?:add|added|adding|remove|removed|removing)[ ](?:user[ ])?){_KNOWN_ACCOUNTS}{NO_ACCOUNT}\K[a-z][a-z._-]{{3,24}}(?=[ ](?:back[ ])?(?:to|from)[ ](?:the[ ])?[\w-]{{1,24}}[ ](?:group|groups|list|team|role|domain)\b)",
        "add remov",
        _unknown,
    ),
    (
        "USERNAME",
        0.76,
        rf"(?i:\b(?:memberships?|rights|permissions?|access|licen[cs]e|quota|(?:roaming[ ])?profile|home[ ](?:drive|folder|directory)|mailbox|account|session|token|mfa|login|logon)[ ](?:of|for)[ ]){_KNOWN_ACCOUNTS}{NO_ACCOUNT}\K[a-z][a-z._-]{{3,24}}(?=[ ]?[.,;!?)\n](?!\w)|\Z|[ ](?:is|was|has|and|on|hangs|does|still|keeps|cannot|can't)\b)",
        "of for",
        _unknown,
    ),
    (
        "USERNAME",
        0.76,
        rf"(?i:\b(?:sessions?|lock-?out|(?:kerberos[ ])?tickets?|tokens?|profile|owner|principal|members?|chown|sign[ -]?in(?:[ ]name)?)(?:[ ](?:for|of|by)[ ]|[ ]?:[ ]|(?<=chown)[ ])){_KNOWN_ACCOUNTS}{NO_ACCOUNT}\K[a-z]{{5,20}}(?=[ ](?:expired?s?|from|on|at|since|is|was|has|hangs|console|again)\b|[:.,;)\n]|\Z)",
        "session lock ticket token profile owner principal member chown sign",
        _unknown,
    ),
    (
        "USERNAME",
        0.8,
        r"(?<![\w./\\@-])[a-z_][a-z\d_.-]{2,31}(?=[ ]is[ ]not[ ]in[ ]the[ ]sudoers)",
        "sudoers",
    ),
    trim=account_length,
)
_HOST_VALUE: Final = r"[A-Za-z][A-Za-z0-9]{0,15}(?:-[A-Za-z0-9]{1,16}){0,5}"
_HOSTS: Final = patterns(
    # "server x", "moved the vm from x to y", "port 4 on x"
    (
        "HOST",
        0.77,
        rf"(?i:\b(?:servers?|hosts?|hostname|vms?|virtual[ ]machines?|guests?|nodes?|machines?|laptops?|notebooks?|workstations?|computers?|pcs?|devices?|boxes|box|switch(?:es)?|routers?|firewalls?|gateways?|access[ ]points?|aps?|printers?|queues?|print[ ]queues?|clusters?|controllers?|dcs?|share[ ]on|database[ ][\w-]{{1,20}}[ ]on|interface[ ][\w/.-]{{1,20}}[ ]on|port[ ][\w/.-]{{1,20}}[ ]on|replica[ ]on|backup[ ]of|session[ ]on|mapped[ ]from|failed[ ]over|fails?[ ]over|migrat\w{{1,3}}|moved?|copied|rdp|ping\w{{0,3}}|reimaged?|rebooted?|restarted?){_FILL}(?:[ ](?:from|to|on|between|via|through|into|onto|against|towards?))?{_APART}(?:from[ ]|to[ ]|on[ ])?){NO_HOST}(?=[\w-]{{0,60}}\d)(?!(?i:v|r|gen|rev|ver|x|p|g|win|windows|office|server|version|build|port|usb|ipv|wd|id|h|u|e|f|m|t|o|db|sp|cu|s|vlan|eth|gi|te|po|fa|wlan|tcp|udp|smb|tls|ssl|ntlm|ssh|exchange|sql|step|level|error|code)-?\d{{1,4}}(?![\w-])|\d|kb\d|0x|[\w-]{{1,30}}-(?:based|bit|core|port|node)\b)\K(?=[A-Z\d-]{{4,60}}(?![\w])|[a-z\d-]{{4,60}}(?![\w])|[A-Z][\w]{{0,15}}-[\w-]{{2,}}){_HOST_VALUE}(?![\w\\@(]|\.\d)",
        "server host vm virtual guest node machine laptop notebook workstation computer pc device box switch router firewall gateway access ap printer queue cluster controller dc share database interface port replica backup session mapped fail migrat move copied rdp ping image reboot restart",
        lambda text: any(_unknown(part) for part in text.split("-")),
    ),
    # "x to y", "x and y" after one of them
    (
        "HOST",
        0.77,
        r"(?<=\b(?i:vms?|servers?|hosts?|nodes?|from|between|machines?|switch(?:es)?|dcs?|printers?)[ ][\w-]{4,32}[ ](?:to|and|or|nor|und|&)[ ])(?=[a-z-]{0,20}\d)(?!(?:ipv|v|win|windows|office|smb|tls)\d)[a-z][a-z\d-]{3,31}(?![\w@\\(.])",
        "from between vm server host node machine switch dc printer",
        lambda text: (
            not text[0].isdigit() and len(text) > 3 and _unknown(text.rstrip("0123456789"))
        ),
    ),
    (
        "HOST",
        0.77,
        r"(?i:\b(?:vms?|server|servers|hosts?|nodes?|guest|machine)(?:[ ](?:named|called))?[ ](?:from[ ]|between[ ])?)\K(?=[a-z]{2,12}\d)(?!(?:ipv|v|win|windows|office|smb|tls|sp|cu|version|sql20|exchange)\d)[a-z]{2,12}\d{1,4}[a-z]?(?![\w@\\(.-])",
        "vm server host node guest machine",
    ),
    (
        "HOST",
        0.77,
        r"(?<=\b(?i:vms?|servers?|hosts?|nodes?)[ ](?:from[ ]|between[ ])?[a-z]{2,12}\d{1,4}[a-z]?[ ](?:to|and|or|und|&)[ ])[a-z]{2,12}\d{1,4}[a-z]?(?![\w@\\(.-])",
        "vm server host node",
    ),
    # a print queue has the name of a printer
    (
        "HOST",
        0.77,
        r"(?i:\b(?:queue|printer|print[ ]queue|drucker)(?:[ ](?:named|called|is))?[ ][\"'`]?)\K(?=[\w-]{0,40}\d)[A-Z][A-Z0-9]{1,12}(?:-[A-Z0-9]{1,12}){2,4}(?![\w.-]\w)",
        "queue printer drucker",
    ),
    # labelled as a name, whatever it is made of
    (
        "HOST",
        0.78,
        r"(?i:\b(?:host[ ]?name|computer[ ]?name|machine[ ]?name|device[ ]?name|pc[ ]?name|server[ ]?name)(?:[ ](?:is|was))?[ :=]{1,3}[\"'`]?)\K(?:[A-Za-z][A-Za-z0-9]{1,15}(?:-[A-Za-z0-9]{1,15}){1,4}|[A-Z]{5,15})(?![\w@\\(]|\.\w)",
        "name",
        lambda text: (
            any(_unknown(part) for part in text.split("-")) and not text.lower().endswith("-based")
        ),
    ),
    (
        "HOST",
        0.76,
        r"(?<![\w./\\@-])(?:[A-Z]{2,10}(?:SRV|SVR)|(?:SRV|SVR)[A-Z]{2,10})\d{0,3}(?![\w@\\(]|[.-]\w)",
        "srv svr",
    ),
    (
        "HOST",
        0.76,
        r"(?i:\b(?:server|host|node|to|from|on|ping|rdp)[ ])\Ksrv(?!svc|net|host)[a-z]{2,12}(?![\w@\\(]|[.-]\w)",
        "srv",
    ),
    # named after its owner
    (
        "HOST",
        0.78,
        r"(?<![\w./\\-])(?:MBP|MBA|IMAC|LT|NB|PC|WS|LAPTOP|NOTEBOOK|TAB|IPAD|IPHONE|VDI)-[\p{L}]{3,20}(?:-\d{1,3})?(?![\w.-]\w)",
        "-",
        lambda text: _unknown(text.split("-")[1]),
    ),
)
# Named like gods, fruit and mountains: only what hosts alone do tells them from words.
_DOES: Final = r"(?i:answers?|responds?|repl(?:y|ies)|(?:is|was|went|seems|looks|stays|got|keeps[ ]going)[ ](?:down|unreachable|offline|unresponsive|back[ ]up|up[ ]again|pingable|not[ ](?:reachable|responding|answering|pingable))|(?:does[ ]not|doesn['\u2019]?t|did[ ]not|didn['\u2019]?t|won['\u2019]?t|stopped)[ ](?:answer(?:ing)?|respond(?:ing)?|reply(?:ing)?|boot(?:ing)?|ping)|rebooted|crashed[ ]again|timed[ ]out|times[ ]out|has[ ](?:rebooted|crashed|gone[ ]down))"
_DOES_NEEDS: Final = "answer respond repl down unreachable offline unresponsive up reachable pingable boot ping reboot crash timed times"
_BEFORE_HOST: Final = r"(?:^|[.!?:;,(\n][ ]?|\b(?i:sometimes|only|while|but|and|or|then|when|whenever|if|because|since|that|why|now|today|yesterday|also|neither|either|both|host|server|vm|node)[ ])"
_NAMED_FREELY: Final = patterns(
    (
        "HOST",
        0.7,
        rf"{_BEFORE_HOST}\K[a-z]{{3,15}}(?=[ ]{_DOES}\b)",
        _DOES_NEEDS,
        _unknown,
    ),
    # "and the other does", "but the other is fine"
    (
        "HOST",
        0.7,
        rf"{_BEFORE_HOST}[a-z]{{3,15}}[ ]{_DOES}[^.!?\n]{{0,12}}[ ,](?:and|or|but|then|sometimes|only|not|while|whereas)[ ]\K[a-z]{{3,15}}(?=[ ](?:does(?:n['\u2019]t)?|did(?:n['\u2019]t)?|is(?:n['\u2019]t)?|not|too)\b|[ ]?[.!?\n]|\Z)",
        _DOES_NEEDS,
        _unknown,
    ),
    (
        "HOST",
        0.7,
        r"(?<![\w./\\@-])(?:ping|pinging|rdp[ ]to|ssh[ ]to|ssh[ ]into|reboot|rebooted|restarted|(?:connection|connectivity)[ ]to|reach|reimage|reimaged)[ ][\"'`]?\K[a-z]{3,15}(?=[\"'`]?[ ]?(?:[.,;!?)\n]|\Z|(?:is|and|was|again|please|pls|answers|responds|fails|failed|from|times)\b))",
        "ping rdp ssh reboot restart connecti reach reimage",
        _unknown,
    ),
)

_LABELS: Final = patterns(
    # accounts of administrators and services are named by their beginning
    (
        "USERNAME",
        0.78,
        r"(?<![\w./\\@-])(?i:adm|svc|priv|t[012])[_-][a-z]{2,20}\d{0,3}(?![\w@\\(]|[.-]\w)",
        "adm- adm_ svc- svc_ priv- priv_ t0- t1- t2- t0_ t1_ t2_",
        lambda text: _unknown(text[4:]) or text.lower().startswith(("adm", "svc")),
    ),
    (
        "SERIAL",
        0.84,
        rf"(?i:(?<![a-z])(?:serial(?:[ _-]?(?:number|no\.?|nr\.?|num))?|service[ _-]?tag|s/n|sn|asset(?:[ _-]?(?:tag|number|no\.?|id|label))?|inventory(?:[ _-]?(?:tag|number|no\.?|id))?|tag|sticker|label|imei|seriennummer){_FILL}{_APART})(?!(?i:kb\d|0x|error|v\d|win\d|\d{{1,3}}(?:gb|mb|ghz|hz|st|nd|rd|th)\b))(?=[A-Za-z]{{0,10}}\d)\K(?:(?=\d{{0,5}}[A-Z]|\d{{6}})[A-Z0-9]{{5,24}}|(?=\d{{0,8}}[a-z])[a-z0-9]{{6,24}}|[A-Z0-9]{{2,10}}(?:-[A-Z0-9]{{2,10}}){{1,3}}){_END}",
        "serial tag s/n sn asset inventory sticker label imei",
    ),
    (
        "SSID",
        0.83,
        r"(?i:\b(?:e?ssids?|wi-?fi|wlan|wireless|hotspot)(?:[ ](?:network|networks|profile|profiles|ssid|name|named|called|is|the|our|guest|office|to|on|for|password|key|code|of|with)){0,4}[ ]{1,2}[\"'`\u201c(]?)(?!(?i:802|wpa|wep|ghz|usb|vpn|eap|tls|off|on|dns|dhcp|ip|mac|hp|intel|realtek|direct|calling|sense|qualcomm|wi-?fi|wlan|adapter|driver)(?![\w-]*[_-]))\K(?:(?=[A-Za-z\d]{1,30}[-_][A-Za-z\d])(?=[a-z]{0,30}[A-Z\d_])[A-Za-z][\w-]{2,31}|(?=[A-Z][a-z]{1,20}[A-Z])[A-Z]\w{3,31}|\p{Lu}[\p{L}]{2,20}[ ](?:Guests?|Employees?|Staff|Corp|Corporate|Home|Mobile|Secure|Internal|Visitors?|WiFi|Wi-Fi|WLAN|IoT|BYOD|Office|Net|Network|5G|2\.4G)(?:[ ]\d{1,2})?)(?![\w@\\]|\.\w)",
        "ssid wifi wi-fi wlan wireless hotspot",
        lambda text: (
            any(_unknown(part) for part in text.replace("_", "-").replace(" ", "-").split("-"))
            and text.lower() not in {"bitlocker", "powershell"}
        ),
    ),
    (
        "SECRET",
        0.88,
        r"(?i:\b(?:pin|puk|pass(?:word|code|phrase|wort)?|pwd|pw|code|kennwort)\b[^\n]{0,80}?\b(?:(?:changed?|set|reset|switched|updated|chang\w{3})(?:[ ](?:it|this|that|mine|hers|his|them))?(?:[ ]back)?[ ]to|(?:it|that|new[ ]one|which)?(?:[ ]is|['\u2019]s|[ ]was)[ ]now|now[ ](?:it[ ]is|it['\u2019]s)|new[ ]one(?:[ ]is|['\u2019]s|:)?|instead[ ](?:of|it[ ]is)|i[ ](?:tried|typed|entered|used|took|chose)|old[ ]one(?:[ ]was)?|before[ ]it[ ]was)[ :]{1,2}[\"'`\u201c]?)(?!(?i:kb\d|0x|\d{1,2}:\d\d|20[12]\d\b|\d{1,4}[ ](?:times?|days?|hours?|minutes?|chars?|characters?|digits?|users?|months?)\b))(?=[^\s]{0,40}\d)(?=[^\s]{0,40}[\d!@#$%^&*+?].?[^\s]{0,40}\d|[^\s]{0,40}[A-Za-z])\K[^\s\"'`<>\\/:,;()]{4,64}(?<![.!?])",
        "pin puk pass pwd pw code kennwort",
    ),
    (
        "SECRET",
        0.88,
        r"(?i:\b(?:set|sets|setting|chang\w{1,3}|reset|switch\w{0,3}|updat\w{1,3}|put)[ ](?:(?!to\b)[\w'-]{1,20}[ ]){0,4}(?:pin|puk|pass(?:word|code|phrase)?|pwd|pw|code|key)(?:[ ](?:(?!to\b)[\w'-]{1,20}[ ]){0,4})?[ ]?(?:back[ ])?to[ :]{1,2}[\"'`\u201c]?)(?=[^\s]{0,40}\d)(?!\d{1,3}(?:[ ](?:chars?|characters?|digits?|days?|times)\b|\b))(?!(?i:0x|kb\d|v?\d+\.\d))\K[^\s\"'`<>\\/:,;()]{4,64}(?<![.!?])",
        "pin puk pass pwd pw code key",
    ),
    (
        "SECRET",
        0.88,
        r"(?i:\b(?:with|using|entered|typed|used|gave)[ ][\"'`]?)(?=[^\s]{0,40}\d)\K[^\s\"'`<>\\/:,;()]{5,64}(?=[\"'`]?[ ]as[ ](?:the[ ]|my[ ]|a[ ]|his[ ]|her[ ])?(?:initial[ ]|temporary[ ]|new[ ])?(?:pass|pw|pin|code))",
        "pass pw pin code",
    ),
    (
        "SSID",
        0.3,
        r"(?<![\w./\\@$-])(?=[a-z\d_-]{0,30}[A-Z])(?=[A-Za-z\d]{1,30}[_-])(?!(?i:wi-fi|wlan-|wpa|wep|eap|802|usb|kb|ms-|tp-link|d-link))[A-Za-z][A-Za-z\d]{1,20}(?:[_-][A-Za-z\d]{2,20}){1,3}(?![\w@\\(]|\.\w)",
        "wifi wi-fi wlan ssid wireless hotspot",
        lambda text: any(_unknown(part) for part in text.replace("_", "-").split("-")),
        "wifi wi-fi wlan ssid wireless hotspot fi",
    ),
    (
        "SSID",
        0.8,
        r"(?<![\w./\\@$-])(?=[A-Za-z]{1,20}_)(?<=\b(?i:network|joined|join|joins|sees?|ssid|connected[ ]to|connects[ ]to|connect[ ]to)[ ])[A-Z][A-Za-z\d]{1,20}_[A-Za-z\d]{2,20}(?![\w@\\(]|\.\w)",
        "_",
        lambda text: any(_unknown(part) for part in text.split("_")),
    ),
    (
        "SSN",
        0.9,
        r"(?i:\b(?:ssn|s\.s\.n\.?|social(?:[ ]security)?(?:[ ](?:number|no\.?|num|nr\.?|\#))?)(?:[ ,:=#(]{1,3}(?:is|on|file|of|was|number|no\.?|the|record|her|his|my|for|user|employee|given|as|ends|ending|we|have|it['\u2019]?s)){0,5}[ :=#\"'(]{1,3})\K\d{3}[ ./-]?\d{2}[ ./-]?\d{4}(?!\d)",
        "ssn s.s.n social",
    ),
    (
        "EMPLOYEE",
        0.79,
        r"(?<=\p{Lu}[\p{L}'\u2019-]{1,30}[ ]\p{Lu}[\p{L}'\u2019-]{1,30}[ ]?[(\[/|,][ ]?)(?:[A-Z]{1,4}[-_ ]?\d{3,9}|0\d{4,9}|\d{6,9})(?=[ ]?[)\]/|,;.]|\Z)",
        "0 1 2 3 4 5 6 7 8 9",
    ),
    (
        "EMPLOYEE",
        0.8,
        r"(?i:\b(?:personnel|employee|staff|emp\.?|payroll|worker|badge|hr|matricule|pers\.?|mitarbeiter)[ -]?(?:number|no\.?|nr\.?|num|id|\#|nummer)?(?:[ ](?:is|was|number|id|card))?[ :=#(/]{1,3})\K(?=[A-Z]{0,5}-?\d)[A-Z]{0,5}-?\d{4,10}(?![\w]|[.-]\w)",
        "personnel employee staff emp payroll worker badge hr matricule pers mitarbeiter",
    ),
    # a relative name may hold an escaped comma: CN=Doe\, Jane,OU=...
    (
        "DN",
        0.995,
        r"(?i)\b(?:CN|UID)=[^,;=\"\n\\]{1,64}\\,[^,;=\"\n\\]{1,64}(?:,[ ]?(?:CN|OU|DC|UID|O|L|ST|C|STREET|SN|GN)=[^,;=\"\s]{1,64}(?:[ ][^,;=\"\s]{1,32}(?=[^;=\"\n]{0,64},[ ]?(?:OU|DC|CN|O|C)=)){0,4}){1,12}(?<![.])",
        "\\,",
    ),
)

CONTEXTS: Final[tuple[IdentifierPattern, ...]] = (*_ACCOUNTS, *_HOSTS, *_NAMED_FREELY, *_LABELS)
