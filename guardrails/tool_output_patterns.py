# SPDX-License-Identifier: Apache-2.0
"""What stands in pasted commands, events and exports, where a place says what a value is.

An argument of `Get-ADUser`, a field of an event or of a query string, the third column of a list:
no sentence is needed, and the value may look like any word.
"""
# ruff: noqa: E501 - a regular expression does not read better in pieces

import re
from typing import Final

from guardrails.identifier_tokens import TECHNICAL, is_thread
from guardrails.pattern_parts import NO_ACCOUNT, NO_NAME, SYSTEM_ACCOUNTS, patterns
from guardrails.vocabulary import is_common, is_english, is_listed

_WORDS: Final = re.compile(r"[^\W\d_]+")
_CMDLET: Final = r"(?:Get|Set|New|Remove|Add|Unlock|Disable|Enable|Search|Reset|Move|Revoke|Test|Update)-(?:AD(?:User|Account\w*|Object|PrincipalGroupMembership)|Mg(?:Beta)?User\w*|AzureADUser\w*|Msol(?:User)\w*|LocalUser|Mailbox(?:Permission|Statistics|FolderPermission|FolderStatistics|AutoReplyConfiguration)?|CASMailbox|CsOnlineUser|RemoteMailbox|Recipient)"
# Devices as they are called by kind and number, often with a place between: `zebra-ham-55`.
_KIND: Final = r"(?:notebook|nb|laptop|lap|lt|desktop|dt|ws|wks|wkst|workstation|srv|server|vm[a-z]{0,6}|esxi?|hyperv|zebra|printer|prn|prt|plotter|mfp|drucker|ups|usv|nas|san|switch|sw|fw|rtr|router|wap|kiosk|tablet|ipad|iphone|thinclient|scanner|beamer|print|file|fs|dc|ntb|pos|till)"
_MIN_LISTED: Final = 6  # letters of an account in a list without a colon
_STAGES: Final = frozenset(("prod", "prd", "dev", "tst", "test", "qa", "uat", "stg", "dr", "int"))
_COLUMN_EDGE: Final = r"[ \t]*[|;\t][ \t]*"


def _has_strange_word(text: str) -> bool:
    """Say whether a word of it is none of English, computing or the trade."""
    return any(
        not is_english(word) and word not in TECHNICAL
        for word in map(str.lower, _WORDS.findall(text))
    )


def _may_be_people(text: str) -> bool:
    """Say whether all words could be names, and one is listed or strange."""
    words = [word for word in _WORDS.findall(text) if len(word) > 1]
    return bool(words) and all(
        is_listed(word, given=True)
        or is_listed(word, given=False)
        or not (is_common(word.lower()) or is_english(word.lower()) or word.lower() in TECHNICAL)
        for word in words
    )


def _is_numbered_name(text: str) -> bool:
    """Say whether a word is a name of our lists and a number: `hassan6`."""
    letters = text.rstrip("0123456789")
    return letters not in TECHNICAL and (
        is_listed(letters, given=True) or is_listed(letters, given=False)
    )


def _is_host_of_parts(text: str) -> bool:
    """Say whether parts with hyphens name a machine: a strange word, or a stage as `prod`."""
    if is_thread(text):
        return False
    parts = text.lower().split("-")
    return bool(_STAGES & {*parts}) or _has_strange_word(text)


def _is_own_account(text: str) -> bool:
    return text.lower().rstrip("$") not in SYSTEM_ACCOUNTS and not text.endswith("$")


TOOL_OUTPUT: Final = patterns(
    # --- accounts
    (
        "USERNAME",
        0.84,
        rf"(?i:\b{_CMDLET}[ ][\"']?)(?![-$|{{(@])(?!(?i:cmdlets?|commands?|outputs?|results?|objects?|properties|parameters?|script)\b){NO_ACCOUNT}\K[\w][\w.@\\-]{{1,63}}(?<![.-])",
        "-ad -mg -azuread -msol -localuser -mailbox -casmailbox -cs -remotemailbox -recipient",
        _is_own_account,
    ),
    (
        "USERNAME",
        0.84,
        r"(?i:\b(?:(?:target|subject|caller|remote|source|client)_?user(?:_?name)?|account_?name|sam_?account_?name|src_?user|dst_?user|suser|duser|user_?principal_?name|initiated_?by|logon_?account)[\"']?[=:][ ]?[\"']?)(?!(?i:null|none|true|false|n/a|system|anonymous|local|network|unknown|-)(?![\w.-]))\K[\w][\w.@\\$-]{1,63}(?<![.-])",
        "user name initiated account",
        _is_own_account,
    ),
    (
        "USERNAME",
        0.83,
        r"(?i:\baccount for which logon failed:[ \t]{1,8}|\baccount name:[ \t]{1,8}|\blogon account:[ \t]{1,8})(?!(?i:system|anonymous|local|network|-)(?![\w.-]))\K[\w][\w.@\\-]{1,63}(?<![.-])",
        "account",
        _is_own_account,
    ),
    (
        "USERNAME",
        0.83,
        r"(?i:\b(?:denied|failed|login|logon|authenticat\w{1,3}|authori[sz]ation)\b[^\n]{0,60}?\b(?:user|role|principal|login)[ ]{1,2})[\"'`]\K[\w][\w.@+-]{1,63}(?=[\"'`])",
        "denied failed login logon authenticat authori",
        _is_own_account,
    ),
    (
        "USERNAME",
        0.82,
        r"(?i:\b(?:benutzer(?:in)?|usuario|utilisateur|gebruiker|utente|anv\u00e4ndare|bruger|u\u017cytkownik)[ ])(?!(?i:\p{L}{1,3}\b))\K[a-z\d][a-z\d._-]{3,31}(?=[ ](?:kann|ist|hat|wurde|war|meldet|konnte|darf|no|est|ne|n'|a|non|\u00e8|bloqueado|bloqu\u00e9|gesperrt|kan|is|heeft|nie|zosta\u0142)\b|[,.;:)\n]|\Z)",
        "benutzer usuario utilisateur gebruiker utente anv\u00e4ndare bruger u\u017cytkownik",
    ),
    (
        "USERNAME",
        0.79,
        r"(?<=\b(?i:users|usernames|logins|accounts|user[ ]ids|benutzer)[ ](?:[\w.@-]{3,40}(?:,[ ]?|[ ](?:and|und|or)[ ])){0,8})[a-z][a-z\d._-]{3,31}(?<![.-])(?=,[ ]|[ ](?:and|und|or)[ ]|[.;)\n]|\Z)",
        "users usernames logins accounts ids benutzer",
        lambda text: len(text) >= _MIN_LISTED and _has_strange_word(text),
    ),
    (
        "USERNAME",
        0.8,
        r"(?<=\p{Lu}[\p{L}'\u2019-]{1,30},?[ ]\p{Lu}[\p{L}'\u2019.-]{0,30}[ ]?[(\[])(?=[a-z\d]{0,24}[a-z])[a-z\d][a-z\d._-]{3,31}(?<!\.(?:msc|exe|dll|cpl|sys|msi|com|net|org|ps1|bat|cmd|log|txt|xml|ini|inf|cfg|dat|zip|pst|ost|evtx))(?=[)\]])",
        "( [",
        _has_strange_word,
    ),
    (
        "USERNAME",
        0.8,
        rf"(?i:\b(?:PAT|access[ ]token|ssh[ ]key|api[ ]key|certificate|home[ ]directory|crontab|cron[ ]job|keytab|commits?|pull[ ]request)[ ](?:of|for|by)[ ]){NO_ACCOUNT}\K[a-z][a-z\d._-]{{3,31}}(?<![.-])(?![\w@])",
        "pat token key certificate directory cron keytab commit request",
        _has_strange_word,
    ),
    (
        "USERNAME",
        0.84,
        r"(?<![\w./:-])[A-Za-z][\w$.-]{2,30}(?=/[^\s/@]{4,64}@(?!sha\d)[A-Za-z][\w.-]{1,64}(?::\d|/\w))",
        "@",
    ),
    (
        "USERNAME",
        0.77,
        r"(?i)(?<![\w./\\@-])(?:svc|srvacc|sa|svcacct|service|app|usr|tech|bot|ext|adm|admin|s|t|a|x|p)[-_](?=[a-z_-]{0,30}[a-z]{2})[a-z\d]{2,20}(?:_[a-z\d]{1,16}){0,3}(?![\w@\\(=.-])(?=['\"]@|['\"]?[ ](?:account|acct|login|logon|user)\b)|(?<![\w./\\@-])(?:svc|srvacc|svcacct)[-_][a-z\d][a-z\d_-]{1,31}(?![\w@\\(=]|[.-]\w)",
        "svc srvacc svcacct account acct login logon user @",
    ),
    (
        "USERNAME",
        0.82,
        r"(?m)^(?:\[?\d{1,2}:\d\d(?::\d\d)?\]?[ ])?<\K[a-z][a-z\d_.-]{2,24}(?=>[ ])",
        "<",
        _has_strange_word,
    ),
    (
        "USERNAME",
        0.84,
        r"(?<![\w.])(?:[A-Z\d]{1,20}_)?(?:USER|USERNAME|LOGIN|USERID)=[\"']?(?!%|\$|(?i:true|false|null|none|root)\b)\K[\w][\w.@\\-]{1,63}(?<![.-])",
        "user login",
        _is_own_account,
    ),
    (
        "USERNAME",
        0.8,
        r"(?<=[(\[])[a-z]{1,3}-[a-z]{3,20}\d{0,3}(?=[)\]])",
        "-",
        _has_strange_word,
    ),
    (
        "USERNAME",
        0.79,
        r"(?<![\w./\\@%$&+~=<-])[a-z]{4,20}\d{1,2}(?![\w@\\(=-]|\.\w)",
        "",
        _is_numbered_name,
    ),
    (
        "USERNAME",
        0.8,
        r"(?<![\w./\\@-])[A-Za-z][\w.-]{2,24}(?=[ ]/[ ](?=\S{0,20}\d)(?=\S{0,20}[A-Z])(?=\S{0,20}[a-z])[^\s/]{6,40}(?:\s|\Z))",
        " / ",
        lambda text: not is_english(text.lower()),
    ),
    # --- people
    (
        "PERSON",
        0.82,
        r"(?i:[ ]-(?:given_?name|surname|manager)[ :]?)[\"']\K\p{L}[\p{L}'\u2019-]{1,30}(?:[ ]\p{L}[\p{L}'\u2019.-]{0,30}){0,3}(?=[\"'])|(?i:[ ]-(?:display_?name|name|full_?name)[ :]?)[\"']\K\p{L}[\p{L}'\u2019-]{1,30}(?:[ ]\p{L}[\p{L}'\u2019.-]{0,30}){1,3}(?=[\"'])",
        "name surname manager",
        _may_be_people,
    ),
    (
        "PERSON",
        0.76,
        r"(?m)^(?:[(\[]?\d{1,2}:\d\d(?::\d\d)?[)\]]?[ ])?\K\p{Lu}\p{Ll}[\p{L}'\u2019-]{1,20}(?=:[ ][a-z])",
        ": ",
        _may_be_people,
    ),
    (
        "PERSON",
        0.77,
        r"(?im)^[ \t]*(?:thx|thanks|thank[ ]you|cheers|regards|br|rgds|groet(?:en|jes)?|gru\u00df|gr\u00fc\u00dfe|saludos|merci|cordialement|tack|ty)[ ,!.-]{1,3}\K\p{L}[\p{L}'\u2019-]{2,20}(?=[ \t.]*$)",
        "thx thanks thank cheers regards br rgds groet gru\u00df gr\u00fc\u00dfe saludos merci cordialement tack ty",
        _may_be_people,
    ),
    (
        "PERSON",
        0.78,
        rf"(?m)^[ \t]*(?:\[?\d{{1,2}}:\d\d(?::\d\d)?\]?[ ])?(?:Agent|Caller|Customer|Technician|Tech|Analyst|Kunde|Requester|Advisor|Support|Operator)[ ]{NO_NAME}\K\p{{Lu}}[\p{{L}}'\u2019-]{{1,20}}(?:[ ]\p{{Lu}}[\p{{L}}'\u2019-]{{1,20}}){{0,2}}(?=[ ]?:)",
        "agent caller customer tech analyst kunde requester advisor support operator",
        _may_be_people,
    ),
    (
        "PERSON",
        0.8,
        r"(?i:(?:^|[?&;\s])(?:caller(?:_id)?|opened_by|requested_for|requested_by|assigned_to|u_?caller|contact|on_behalf_of|watch_list|manager|employee)=)\K\p{L}[\p{L}'\u2019.+%-]{1,30}(?:[ ]\p{L}[\p{L}'\u2019.-]{1,30}){0,3}(?=[&;\n]|\Z)",
        "caller opened requested assigned contact behalf watch_list manager employee",
        _has_strange_word,
    ),
    (
        "PERSON",
        0.8,
        r"(?im)^[ \t]*(?:given[ ]?name|surname|last[ ]?name|first[ ]?name|family[ ]?name|sn|vorname|nachname)[ \t]{0,24}[:=][ \t]{1,4}\K\p{L}[\p{L}'\u2019-]{1,30}(?:[ ]\p{L}[\p{L}'\u2019-]{1,30}){0,3}(?=[ \t]*$)",
        "name sn",
    ),
    (
        "PERSON",
        0.77,
        rf"(?<={_COLUMN_EDGE})\p{{Lu}}[\p{{L}}'\u2019-]{{2,24}}(?:[ ]\p{{Lu}}[\p{{L}}'\u2019.-]{{0,24}}){{0,3}}(?={_COLUMN_EDGE}\S)",
        "| ;",
        _may_be_people,
    ),
    (
        "PERSON",
        0.78,
        r"(?m)(?<=^[ \t>]{0,12}(?i:hi|hello|hey|dear|hallo|liebe[r]?|bonjour|ciao|hola)[ ]\p{Lu}[\p{L}'\u2019-]{1,24}(?:,[ ]\p{Lu}[\p{L}'\u2019-]{1,24}){0,3}[ ](?:and|&|und|et|e|y)[ ])\p{Lu}[\p{L}'\u2019-]{1,24}(?=[,!.]|[ ]?$)",
        "hi hello hey dear hallo liebe bonjour ciao hola",
    ),
    # --- secrets
    (
        "SECRET",
        0.88,
        r"(?<=(?<![\w./:-])[A-Za-z][\w$.-]{2,30}/)[^\s/@]{4,64}(?=@(?!sha\d)[A-Za-z][\w.-]{1,64}(?::\d|/\w))",
        "@",
    ),
    ("SECRET", 0.95, r"(?<![\w~.-])[\w.-]{3}\dQ~[\w.~-]{30,40}(?![\w~])", "q~"),
    (
        "SECRET",
        0.9,
        r"(?i:\bkey content[ \t]{1,24}:[ \t]{1,4})\K\S[^\n]{3,63}(?<!\s)",
        "key content",
    ),
    (
        "SECRET",
        0.86,
        r"(?i:\b(?:set|reset|changed|changing)[ ](?:it|this|that|hers?|his|him|them|mine)[ ](?:back[ ])?to[ ][\"'`]?)(?=\S{0,40}\d)(?=\S{0,40}(?:[A-Z#!@$%&*]|-\w+-))\K[^\s\"'`,;]{6,40}(?<![.!?)])",
        "set changed changing",
    ),
    (
        "SECRET",
        0.86,
        r"(?<=[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,4}[a-z]{2,12}:)(?!\d{1,5}(?:[/\s]|\Z)|[/\\])[^\s,;/\\]{5,64}(?=[\s,;]|\Z)",
        "@",
    ),
    (
        "SECRET",
        0.9,
        r"(?i:\bconvertto-securestring[ ](?:-string[ ])?)[\"']\K[^\"'\n$]{4,64}(?=[\"'])",
        "convertto-securestring",
    ),
    (
        "SECRET",
        0.82,
        r"(?i:\b(?:password|passwort|pwd|pw|passcode)\b[^\n(]{0,40})\(\K(?=[A-Za-z]*[a-z][A-Z])[A-Za-z]{8,24}(?=\))",
        "pass pwd pw",
        lambda text: not is_english(text.lower()),
    ),
    (
        "SECRET",
        0.9,
        r"(?i:\b(?:curl|wget|http|https)[ ][^\n|;]{0,200}?(?:-u|--user|-a|--auth)[ =]?[\"']?[^\s:\"'$]{1,64}:)\K[^\s\"'@$][^\s\"'@]{3,63}",
        "curl wget http",
    ),
    ("SECRET", 0.9, r"(?i:\bsshpass[ ]-p[ ]?[\"']?)\K[^\s\"'$-][^\s\"']{3,63}", "sshpass"),
    (
        "SECRET",
        0.9,
        r"\b(?:MYSQL_PWD|(?:[A-Z]{1,20}_?){0,3}(?:PASSWORD|PASSWD|SECRET|TOKEN))=[\"']?\K[^\s\"'$%<*][^\s\"']{3,127}",
        "pwd= password= passwd= secret= token=",
    ),
    (
        "SECRET",
        0.88,
        r"(?i:\bnet1?[ ]user[ ][\"']?[\w.-]{1,32}[\"']?[ ][\"']?)\K(?![/*<>|\"']|(?:is|was|has|and|or|the|command)\b)\S{4,64}",
        "net user net1 user",
    ),
    ("SECRET", 0.9, r"(?i:\b(?:set-)?cookie:[ ])\K[^\n]{4,500}", "cookie:"),
    (
        "SECRET",
        0.9,
        r"(?i:[\"'](?:password|passwd|pwd|secret|client_?secret|passphrase|api_?key|access_?token|token)[\"'][ ]?:[ ]?[\"'])\K(?!<)[^\"'\n]{2,200}(?=[\"'])",
        "pass pwd secret key token",
    ),
    (
        "SECRET",
        0.9,
        r"(?i:<(?:\w{1,20}:)?(?:password|passwd|pwd|secret|passphrase|token)>)\K(?!<)[^<\n]{1,200}(?=</)",
        "password> passwd> pwd> secret> passphrase> token>",
    ),
    (
        "USERNAME",
        0.86,
        r"(?i:<(?:\w{1,20}:)?(?:user|username|login|samaccountname|userid|account)>)\K(?!<)[^<\s]{2,64}(?=</)",
        "user> username> login> samaccountname> userid> account>",
        _is_own_account,
    ),
    # --- machines and what is stuck on them
    (
        "HOST",
        0.78,
        rf"(?i)(?<![\w./\\@&%$-])(?:{_KIND}\d{{0,3}}(?:-[a-z]{{2,4}}){{1,2}}-\d{{1,5}}|{_KIND}-(?!20[0-3]\d(?!\d))(?:\d{{2,5}})|(?:esxi?|vm[a-z]{{0,6}}|srv|dc|fs|sw|fw)\d{{1,4}}-[a-z]{{2,4}})(?![\w@\\(=]|[.-]\w)",
        "- ",
    ),
    (
        "SERIAL",
        0.82,
        r"(?<![\w/.-])(?!(?:TCP|UDP|IP|GET|PUT|UTC|AC|DC|HP|OS|PC|NT|IT/OT)/)[A-Z]{2,4}/[A-Z]{2,5}/\d{3,6}(?![\w/])",
        "/",
    ),
    ("SERIAL", 0.8, r"(?<![\w/.-])(?i:asset|inv|tag)[-_#]?\d{4,8}(?![\w-]|\.\d)", "asset inv tag"),
    (
        "HOST",
        0.77,
        r"(?<![\w./\\@&%$+~=-])(?!(?:us|eu|ap|sa|ca|me|af|il)-|iso-|cve-|kb-|ipv|utf|rfc|en-|x-)[a-z]{2,9}\d{0,2}(?:-[a-z\d]{1,8}){1,3}(?<=[a-z-])-?\d{1,5}(?<=-[a-z]?\d{1,5})(?![\w@\\(=]|[.-]\w)",
        "-",
        _is_host_of_parts,
    ),
    ("HOST", 0.84, r"(?<=\[[\w.-]{2,32}@)[A-Za-z][\w-]{1,62}(?=[ ][~/])", "@"),
    (
        "HOST",
        0.76,
        r"(?<![\w./\\@&%$-])(?:TERM|KIOSK|POS|TILL|WKS|WKST|NTB|VDI|THIN|ZEBRA|SRV|SVR)\d{2,6}(?![\w@\\(=]|[.-]\w)",
        "term kiosk pos till wks ntb vdi thin zebra srv svr",
    ),
    (
        "SERIAL",
        0.84,
        r"(?i:\bserial_?number[ \t]{0,20}\r?\n[ \t=-]{0,40}\n?[ \t]{0,4})\K[A-Z\d][A-Z\d-]{4,24}(?=\s|\Z)",
        "serial",
    ),
    (
        "SERIAL",
        0.82,
        r"(?i:\b(?:etiqueta|\u00e9tiquette|inventaire|inventario|etichetta|aktivum)[ :.#]{1,3}(?:n\W{1,2})?)\K[A-Z]{0,4}-?\d{4,10}(?![\w-])",
        "etiqueta \u00e9tiquette inventaire inventario etichetta aktivum",
    ),
    (
        "NATIONAL_ID",
        0.84,
        r"(?i:\b(?:national[ ]id|id[ ]number|identity[ ]number|personnummer|tax[ ]?id|dni|nie|codice[ ]fiscale|steuer-?id\w{0,6}|pesel|cpf|bsn|nino|insurance[ ]number)\b[^\n]{0,40}?)(?<![\w-])\K(?=(?:\D{0,2}\d){8,14}[A-Z]?(?!\d))\d[\d .-]{6,16}\d[A-Z]?(?![\w-])",
        "national identity personnummer tax dni nie codice steuer pesel cpf bsn nino insurance number",
    ),
    (
        "PHONE",
        0.8,
        r"(?i:\b(?:llamar(?:me)?|ll\u00e1m\w+|m\u00f3vil|tel\w{0,6}|appel\w{1,3}|call|ring|erreichbar|chiama\w{0,4}|cell\w{0,6})[ .:]{1,3}(?:al[ ]|le[ ]|au[ ]|me[ ]|on[ ]|unter[ ]|n\W{1,2})?)\K[1-9]\d{2}(?:[ .]\d{3}){2}(?![\w-]|[ .]\d)",
        "llam ll\u00e1m m\u00f3vil tel appel call ring erreichbar chiama cell",
    ),
    (
        "DATE",
        0.76,
        r"(?<![\w./-])(?!19[78]0-01-01)(?:\d{1,2}[ ](?i:jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec)\w{0,6}\.?[ ,]{1,2}19[3-9]\d|\d{1,2}([./-])\d{1,2}\1(?:19[3-9]\d)|19[3-9]\d-\d{2}-\d{2})(?![\w/:-]|[.]\d|T\d|[ ]\d\d:)",
        "193 194 195 196 197 198 199",
    ),
    (
        "SERIAL",
        0.82,
        r"(?i:\binventar(?:nummer|nr\.?|-?nr\.?)[ :.#]{1,3})\K[A-Z]{0,4}-?\d{4,10}(?![\w-])",
        "inventar",
    ),
    (
        "PHONE",
        0.82,
        r"(?i:(?:^|[?&;\s])(?:u_)?(?:callback|call_back|phone|mobile|extension|ext|tel)(?:_number)?=)\K\+?\d[\d ()+-]{2,20}(?=[&;\s]|\Z)",
        "callback call_back phone mobile ext tel",
    ),
    # rows of `query user`: the name stands first
    (
        "USERNAME",
        0.84,
        r"(?im)^[ >]{0,2}(?!username)\K[\w.-]{2,31}(?=[ ]{2,40}(?:(?:rdp-tcp#\d+|console|ica-\S+)[ ]{2,20})?\d{1,5}[ ]{1,6}(?:active|disc|conn|aktiv|getr)\b)",
        "active disc conn aktiv getr",
        _is_own_account,
    ),
)
