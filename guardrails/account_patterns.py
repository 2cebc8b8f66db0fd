# SPDX-License-Identifier: Apache-2.0
"""Accounts and directory identities: e-mail, user names, SIDs, DNs, shares, paths with a user."""
# ruff: noqa: E501 - a regular expression does not read better in pieces

import re
from typing import Final

from guardrails.account_words import is_account_like, is_account_of_word
from guardrails.pattern_parts import (
    ACCOUNT,
    EQUALS,
    NO_ACCOUNT,
    STATE_WORD,
    IdentifierPattern,
    patterns,
)
from guardrails.plain_words import account_length, is_plain
from guardrails.vocabulary import is_english

_RDN: Final = r"(?:CN|OU|DC|UID|O|L|ST|C|STREET|SN|GN)=[^,;=\"\n]{1,64}"
_USERS_WORD: Final = r"(?i:[<%$\{*\[]|\.\.\.|(?:public|default|all users|shared|default user|defaultapppool|defaultuser0|guest|administrator|admin|localized|username|user)(?![\w.-]))"
_NOT_A_DOMAIN: Final = r"(?!(?i:HKLM|HKCU|HKCR|HKU|HKCC|HKEY_\w{1,30}|SOFTWARE|SYSTEM|SYSTEM32|SYSWOW64|SAM|SECURITY|HARDWARE|WINDOWS|BUILTIN|NT|AUTHORITY|MICROSOFT|USERS|PROGRAM|PROGRAMDATA|TEMP|APPDATA|DRIVERS|POLICIES|CURRENTVERSION|CURRENTCONTROLSET|SERVICES|CONTROL|ROOT|WMI|CIMV2|PCI|USB|HID|ACPI|SWD|STORAGE|LOCAL|ROAMING|LOCALLOW|NULL)\\)"


def _is_no_code(text: str) -> bool:
    """Say whether two joined parts are no code: they are a name's, or a strange word and a letter."""
    first, last = re.split("[._]", text)
    return is_account_like(text) or (len(last) == 1 and not is_english(first))


def _is_somebodys(text: str) -> bool:
    """Say whether a distinguished name is more than a domain that everybody has: `DC=ad,DC=local`."""
    return _EVERYBODYS.fullmatch(text) is None


_EVERYBODYS: Final = re.compile(
    r"(?i)(?:DC=(?:corp|ad|local|lan|internal|intern|intra|intranet|example|contoso|test|dev|prod|com|net|org|domain|company|home|office|ds|int|root|priv|private)[,'\")\]]{0,2} ?)+"
)
_CERTAIN: Final = patterns(
    ("SID", 0.95, r"\bS-1-(?:5-21|12-1)(?:-\d{1,10}){3,5}\b", "s-1-"),
    (
        "DN",
        0.995,
        rf"(?i)\b(?=(?:[A-Z]{{1,6}}=[^,;=\"\n]{{1,64}},[ ]?){{0,12}}(?:OU|DC|UID)=)(?:{_RDN},[ ]?){{1,12}}(?:CN|OU|DC|UID|O|L|ST|C)=[^,;=\"\s]{{1,64}}(?<![.])",
        "=",
        _is_somebodys,
    ),
    # --- e-mail of any suffix, and written so that machines do not see it
    (
        "EMAIL",
        0.995,
        r"(?<![\w.+%'-])[\w+%'][\w.+%'-]{0,63}@(?:[\w-]{1,63}\.){1,8}(?!(?:service|socket|timer|target|mount|slice|scope|path|device|swap)\b)[\p{L}\d-]{2,24}(?<![\d-])(?![\w-])",
        "@",
    ),
    # a name in quotes, and one with a tag
    (
        "EMAIL",
        0.995,
        r"(?:(?<![\w\"])\"[^\"\n@]{1,64}\"|(?<![\w.+%'-])[\w.%'-]{1,64}\+[\w.+=-]{1,64})@(?:[\w-]{1,63}\.){1,8}[\p{L}\d-]{2,24}(?<![\d-])(?![\w-])",
        "@",
    ),
    ("EMAIL", 0.95, r"(?<![\w.+%'-])[\w+%][\w.+%-]{0,63}@\[\d{1,3}(?:\.\d{1,3}){3}\]", "@["),
    (
        "EMAIL",
        0.9,
        r"(?<![\w.+%'-])(?=[\w.+%-]{0,63}[._\d@\[( ])[\w+%][\w.+%-]{1,63}[ ]?[\[({](?:at|AT)[\])}][ ]?[\w-]{1,63}(?:[ ]?(?:\.|[\[({](?:dot|DOT)[\])}])[ ]?[\w-]{2,63}){1,5}",
        "(at) [at] {at}",
    ),
    (
        "USERNAME",
        0.88,
        r"(?<![\w.@-])[a-z_][\w.-]{1,31}@(?!sha\d)(?=[A-Za-z][\w-]{1,62}(?:[:~\]\s,;)\"'/]|\Z)|\d{1,3}(?:\.\d{1,3}){3}(?![\w.]))",
        "@",
    ),
    ("HOST", 0.88, r"(?<=[a-z][\w.-]{1,31}@)(?!sha\d)[A-Za-z][\w-]{1,62}(?=[:~\]])", "@"),
    (
        "USERNAME",
        0.95,
        r"\w://(?!(?:git|hg|svn)@|[$<{%])\K[^\s/:@]{1,128}(?=@[\w\[])",
        "://",
    ),
    # a mention: two parts, of which one is no word
    (
        "USERNAME",
        0.8,
        r"(?<![\w@./:`\"'-])@\K[a-z][a-z\d]{1,24}[._][a-z]{1,24}\d{0,3}(?![\w@/(-]|\.\w)",
        "@",
        _is_no_code,
    ),
    # --- shares
    (
        "UNC_PATH",
        0.995,
        r"(?<![\\\w:])\\\\(?![?.]\\)[\w.$-]{1,64}(?:\\[^\s\\/:*?\"<>|]{1,128}){1,16}(?<![.,;)])",
        "\\\\",
    ),
    ("UNC_PATH", 0.9, r"(?<=\s)\\\\(?![?.]\\)[A-Za-z][\w.-]{1,64}\\?(?=[\s,.;)]|\Z)", "\\\\"),
    (
        "UNC_PATH",
        0.9,
        r"(?i)(?<![\w:/.])(?:(?:smb|cifs|afp|nfs):)?//(?!localhost\b)[a-z\d][\w.-]{1,64}/[\w$][^\s\"'<>|,;]{0,200}(?<![.)])",
        "//",
    ),
    # --- DOMAIN\user
    (
        "USERNAME",
        0.86,
        rf"(?<![\\\w:.%-])(?<!NT[ ]){_NOT_A_DOMAIN}[A-Z][A-Z0-9-]{{1,14}}\\(?![\w.-]*\.(?:exe|dll|msi|ps1|bat|cmd|sys|log|txt|xml|ini|lnk|vbs|reg)\b)[\p{{L}}\d][\p{{L}}\d_.-]{{1,62}}\$?(?<![.-])(?![\w\\])",
        "\\",
    ),
    (
        "USERNAME",
        0.86,
        rf"(?<![\\\w:.%-])(?<!NT[ ]){_NOT_A_DOMAIN}[A-Za-z][A-Za-z0-9.-]{{1,30}}\\(?![\w.-]*\.(?:exe|dll|msi|ps1|bat|cmd|sys|log|txt|xml|ini|lnk|vbs|reg)\b)(?=[a-z._-]{{1,31}}(?![\w.-])|[\w-]*\d|[a-z]+[._][a-z])[a-z][a-z\d_.-]{{1,62}}\$?(?<![.-])(?![\w\\])",
        "\\",
        None,
    ),
    (
        "USERNAME",
        0.87,
        r"(?i:\b(?:user|account|login|logon|as|owner|for|runas|identity|/user)(?:name)?[ ]{0,2}[:=]?[ ]{0,2}[\"'(]?)\K[A-Za-z][A-Za-z0-9.-]{1,30}\\[A-Za-z\d][\w.-]{1,62}(?<![.-])(?![\w\\])",
        "\\",
    ),
    # --- paths that hold a user's name
    (
        "USERNAME",
        0.88,
        rf"(?i:(?:\b[a-z]:)?(?<!\w\.)[\\/]{{1,2}}(?:users|documents and settings|benutzer|utilisateurs)[\\/]{{1,2}})(?!{_USERS_WORD})\K(?:[^\s\\/:*?\"'<>|,;]{{1,64}}(?:[ ][^\s\\/:*?\"'<>|,;]{{1,32}}){{1,3}}(?=[\\/])|[^\s\\/:*?\"'<>|,;()`\]]{{1,64}}(?<![.]))",
        "users documents benutzer utilisateurs",
    ),
    (
        "USERNAME",
        0.88,
        r"(?<![\w.])/(?:home|media|run/media|export/home|var/spool/mail|var/mail|var/spool/cron/crontabs|var/lib/AccountsService/users)/(?!(?:linuxbrew|lost\+found|cdrom|usb|floppy|root|user|username|you|your)\b|[.$<{*%])\K[^\s/:*?\"'<>|,;()\[\]`]{1,64}(?<![.])",
        "/home/ /media/ /mail/ /crontabs/ /users/",
    ),
    ("USERNAME", 0.85, r"(?<![\w/.~])~\K[a-z][a-z\d._-]{2,31}(?=[/\s:,;)]|\.(?!\w)|\Z)", "~"),
    # folders of roaming profiles, on whatever drive; Windows ends their names with a version
    (
        "USERNAME",
        0.86,
        rf"(?i:(?<!\w)[a-z]:[\\/]{{1,2}}(?:[\w$ -]{{1,32}}[\\/]{{1,2}})?(?:(?:user|roaming|benutzer)?[ _-]?profil(?:e|es|s)?|homes?)\$?[\\/]{{1,2}})(?!{_USERS_WORD})\K[^\s\\/:*?\"'<>|,;]{{2,64}}?(?=\.[Vv]\d(?!\w)|[\\/\s,;:)\"']|\Z)",
        "profil home",
        lambda text: "." in text or not is_plain(text),
    ),
    # the name of a certificate
    (
        "USERNAME",
        0.84,
        r"(?i:\bCN=)\K[a-z]{1,24}[._][a-z-]{2,24}\d{0,3}(?<!\.(?:com|org|net|dev|app|info|example|invalid|test))(?![\w*]|[.-]\w)",
        "cn=",
    ),
    # --- logs and shells
    (
        "USERNAME",
        0.85,
        rf"(?<![\w.\\/-]){NO_ACCOUNT}[a-z_][\w.-]{{1,31}}(?=\(uid=\d)",
        "(uid=",
    ),
    (
        "USERNAME",
        0.82,
        rf"(?<![\w./\\-]){NO_ACCOUNT}[a-z_][\w.-]{{1,31}}(?=[ \t]{{1,16}}(?:pts/\d{{1,4}}|tty\d{{1,2}})(?![\w/]))",
        "pts/ tty",
        lambda text: not is_english(text),
    ),
    # two of a kind, as one person's accounts are
    (
        "USERNAME",
        0.8,
        r"(?<![\w./\\@-])[a-z]{5,20}\d{1,3}(?=[ ]?(?:[/,&+]|and|und|et|or)[ ]?[a-z]{5,20}\d{1,3}(?![\w@.(-]))",
        "0 1 2 3 4 5 6 7 8 9",
        is_account_of_word,
    ),
    (
        "USERNAME",
        0.8,
        r"(?<=(?<![\w./\\@-])[a-z]{5,20}\d{1,3}[ ]?(?:[/,&+]|and|und|et|or)[ ]?)[a-z]{5,20}\d{1,3}(?![\w@(]|[.-]\w)",
        "0 1 2 3 4 5 6 7 8 9",
        is_account_of_word,
    ),
    (
        "USERNAME",
        0.85,
        rf"(?m)^{NO_ACCOUNT}\K[a-z_][\w.+-]{{1,31}}(?=[ ]{{1,12}}\d{{1,7}}[ ]{{1,8}}\d{{1,3}}\.\d[ ]{{1,8}}\d{{1,3}}\.\d[ ])",
        ".",
    ),
    (
        "USERNAME",
        0.85,
        rf"(?i:\b(?:accepted|failed|postponed)[ ](?:password|publickey|none|keyboard-interactive(?:/pam)?|gssapi-with-mic)[ ]for[ ](?:invalid[ ]user[ ])?){NO_ACCOUNT}\K{ACCOUNT}",
        "accepted failed postponed",
    ),
    (
        "USERNAME",
        0.85,
        rf"\b(?:uid|gid|euid|auid|groups?|owner)=\d{{1,10}}\(\K(?!(?i:root|staff|users|wheel|everyone|admin|sudo|adm|nobody|system)\)){ACCOUNT}(?=\))",
        "id= owner= groups=",
    ),
    (
        "USERNAME",
        0.85,
        rf"(?:\bsudo|\bsu|CRON\[\d{{1,8}}\]):[ ]{{1,8}}\(?{NO_ACCOUNT}\K[a-z_][\w.-]{{1,31}}(?=\)?[ ](?::|is[ ]not|CMD|to[ ])|\))",
        "sudo: su: cron[",
    ),
    (
        "USERNAME",
        0.8,
        rf"(?:\b(?:ssh|scp|sftp|sudo[ ]-u|su[ ]-|su|id|finger|passwd|chage[ ]-l|net[ ]user|getent[ ]passwd|usermod(?:[ ]-\w{{1,3}})?|adduser|useradd|loginctl[ ]user-status|dscl[ ]\.[ ]-read[ ]/users/)[ ]){NO_ACCOUNT}\K(?=[a-z._-]{{0,31}}[\d._]\w|[a-z]{{3,31}}(?:[ ]?[\n`\"']|\Z))[a-z_][\w.-]{{2,31}}(?![\w@.-])",
        "ssh scp sftp sudo su id finger passwd chage net getent usermod useradd adduser loginctl dscl",
        None,
    ),
    (
        "USERNAME",
        0.85,
        rf"(?i:(?<!\S)(?:--?(?:username|login|identity|samaccountname|account)[ :=]|--?user[:=]|-User[ ]|(?<=(?:psql|mysql|curl|ssh|sudo)[ ][^\n]{{0,40}})-[ul][ ]|/user:|/u:)[ ]?[\"']?){NO_ACCOUNT}\K(?=[\w.-]{{0,31}}[a-z])(?!\w{{1,64}}[\\@])[a-z_\d][\w.-]{{2,63}}(?<![.-])",
        "-user -login -identity -sam -account -u -l /u",
    ),
    (
        "USERNAME",
        0.85,
        rf"(?m)^[ \t]{{0,4}}[bcdlps-][rwxsStT-]{{9}}[@+.]?[ ]{{1,4}}\d{{1,6}}[ ]{{1,8}}{NO_ACCOUNT}\K[a-z_][\w.-]{{1,31}}",
        "rwx r-x rw- r--",
    ),
    (
        "USERNAME",
        0.8,
        r"(?i:\bfind an? \w{1,20} with identity:?[ ]['\"])\K[^'\"\n]{2,64}",
        "identity",
    ),
)

# What prose, too, may look like: plain words are no accounts.
_IN_PROSE: Final = patterns(
    (
        "USERNAME",
        0.83,
        rf"(?i:(?<![a-z])(?:user(?:[ _-]?(?:name|id|account|login))?|userid|account(?:[ _-]?(?:name|id))?|acct|login(?:[ _-]?(?:name|id))?|logon(?:[ _-]?(?:name|id))?|last[ _-]?(?:user|logon[ ]user)|primary[ _-]?user|current[ _-]?user|logged[ _-](?:in|on)[ _-]user|subject[ _-]?user[ _-]?name|target[ _-]?user[ _-]?name|upn|sam(?:[ _-]?account)?(?:[ _-]?name)?|ruser|logname|owner|identity|principal|profile|nick(?:name)?|handle|benutzer(?:name)?|utilisateur|usuario|mailnickname|uid|alias|created[ _-]?by|modified[ _-]?by|affected[ ]user|run[ _-]?as){EQUALS})(?!(?i:0x[0-9a-f]{{1,16}}|{STATE_WORD}|root|system|admin|administrator|daemon|nobody|local|network|name|id|n/a|guest|sid|s-1-5-\d\d|nt|default|\d{{1,4}}|true|public|domain|private|self)(?![\w.@-]))(?!(?:Mr|Mrs|Ms|Dr)\b)\K[\p{{L}}\d_][\p{{L}}\d_.@+$-]{{1,63}}(?<![.@+-])",
        "user acc login logon upn sam logname owner identity principal profile nick handle benutzer utilisateur usuario uid alias by run",
    ),
    (
        "USERNAME",
        0.82,
        rf"(?i:\b(?:for|of|by|from|invalid|unknown|as|illegal)[ ](?:(?:invalid|illegal|unknown|the|domain|local|ad)[ ])?(?:user(?:name|[ ]id)?|account|login|logon|uid|profile|alias)[ ](?:name[ ])?[\"'(]?){NO_ACCOUNT}\K{ACCOUNT}",
        "user account login logon uid profile alias",
    ),
    (
        "USERNAME",
        0.8,
        rf"(?i:\b(?:user(?:[ ]?name|[ ]id)?|userid|account(?:[ ]name)?|login(?:[ ](?:name|id))?|logon(?:[ ](?:name|id))?|uid|alias|samaccountname|ad[ ]account|windows[ ]account|username)(?:[ ](?:is|was)[ ](?=[\"'(`]?[\w.-]*(?:\d|[a-z][._][a-z]))|[ ](?:called|named|=)[ ]|[ ])[\"'(`]?){NO_ACCOUNT}(?!e\.g|i\.e|[a-z]+[\"'\u2019]t\b)\K[a-z][a-z\d._-]{{3,31}}(?![\w@\\=(]|[.-]\w)(?<![.-])",
        "user account login logon uid alias sam",
    ),
    (
        "USERNAME",
        0.8,
        rf"(?i:\b(?:(?:un)?lock|reset|(?:dis|en)able(?=[ ][\w.-]*(?:\d|[a-z][._][a-z])|[ ](?:the[ ])?(?:user|account))|re-?enable|deprovision|provision|terminate|offboard|onboard|impersonate|who[ ]is|whois|(?:password|pw|pass|pwd)[ ](?:for|of|4)|(?:seen|used|locked|opened|created|modified|changed|owned|started|requested|submitted|blocked|edited|deleted|held)[ ]by(?=[ ][\w.-]*(?:\d|[a-z][._][a-z]))|net[ ]user|mfa[ ](?:for|of)|account[ ](?:for|of)|mailbox[ ](?:for|of)|logged[ ](?:in|on)[ ]as|log(?:s|ged)?[ ](?:in|on)[ ]as|signed[ ]in[ ]as|sign(?:s)?[ ]in[ ]as|login[ ]as|running[ ]as|runs[ ]as|my[ ](?:login|user(?:[ ]?name)?|account|logon|alias|id)(?:[ ]is)?|(?:his|her|their)[ ](?:login|user(?:[ ]?name)?|account|logon|id)(?:[ ]is)?)[ :]{{1,2}}[\"'`(]?){NO_ACCOUNT}(?=[\w.-]*(?:\d|[a-z][._][a-z])|[a-z]{{3,24}}(?:[ ](?:asap|pls|please|now|again|today|urgently)\b|[ ]?[?!,;\n\"'`)]|\.(?:\s|\Z)|\Z|[ ](?:but|is|and|on|in)\b))(?!(?i:the|it|this|that|his|her|their|our|your|all|users?|accounts?|passwords?|mfa|windows|office|outlook|vpn|everything|them|him|us|me|you|admin|pc|laptop|computer|device|wi-?fi|router|printer|network|phone|file|files|drive|disk|screen|system|bios|tpm|bitlocker|firewall|root|login|sessions?|settings?|connection|button|mailbox|email|card|service|feature|option|gpu|policy|again|now|please|administrator|both|one|each|another|someone|somebody|anyone|nobody|everybody|everyone|not|no|locked|working|correct|fine|ok|disabled|enabled|expired|blocked|gone|missing|active)\b(?![\w.]*[\d_]))\K[a-z][a-z\d._-]{{2,31}}(?![\w@\\]|[.-]\w)(?<![.-])",
        "lock able reset provision terminate board impersonate who for of as my his her their",
    ),
    (
        "USERNAME",
        0.8,
        r"(?i:[(\[](?:user(?:name)?|account|login|logon)[ :=]{1,2})\K[a-z\d][\w.-]{2,31}(?=[)\],])",
        "(user (account (login (logon [user [account [login [logon",
    ),
    (
        "USERNAME",
        0.8,
        r"(?i:\b(?:user|account|login|username)[ ][\"'`\u201c\u2018])\K[\w.@+ -]{2,64}(?=[\"'`\u201d\u2019])",
        "user account login",
    ),
    (
        "USERNAME",
        0.78,
        r"(?i)(?<![\w.@/\\-])\K(?=[a-z._-]{0,31}[\d_.])[a-z][a-z\d._-]{2,31}(?=['\u2019]s[ ](?:account|profile|mailbox|login|password|pc|laptop|session|home|onedrive|machine)\b)",
        "'s \u2019s",
    ),
    # --- by form, credible beside a word about accounts
    (
        "USERNAME",
        0.3,
        r"(?<![\w.@/\\:%$=-])(?!(?:kb|id|v|ver|rev|ie|rc|sp|ms|os|ipv|mp|sha|md|rs|usb|win|hp|cat|fs|ps|pc|com|lpt|srv|v)\d)[a-z]{1,3}\d{4,7}(?![\w@\\/]|[.-]\w)",
        "0 1 2 3 4 5 6 7 8 9",
        None,
        "user username account login logon locked unlock password user: profile mailbox reset disable enable who session sign signed logged ad upn",
    ),
    (
        "USERNAME",
        0.3,
        r"(?<![\w.@/\\:%$=`\"'-])[a-z]{1,20}[._][a-z]{2,24}\d{0,3}(?<!^e\.g)(?<!\.(?:exe|dll|sys|log|txt|conf|cfg|ini|service|socket|timer|target|json|xml|yaml|yml|plist|app|sh|py|ps|msc|cpl|msi|dat|db|bak|tmp|zip|gz|deb|rpm|dmg|pkg|cat|inf|evtx|etl|dmp|com|net|org|io|de|uk|local|lan|internal|corp|md|html|htm|php|js|css|csv|xls|xlsx|doc|docx|pdf|png|jpg|ost|pst|reg|bat|cmd|vbs|d|so|ko|mount|list|lock|pid|key|pem|crt|cer|pfx|old|new|cache|desktop|home|timeout|enable|disable|start|stop))(?![\w@\\/(=]|[.-]\w)",
        "",
        None,
        "user username account login logon locked unlock profile mailbox reset who whose session signed logged ad upn",
    ),
    trim=account_length,
)

ACCOUNTS: Final[tuple[IdentifierPattern, ...]] = (*_CERTAIN, *_IN_PROSE)
