# SPDX-License-Identifier: Apache-2.0
"""Short forms that people at a helpdesk write: networks, short hosts, accounts, lists of them.

What the other tables have in full, here as it is typed in a hurry. A form that could be anything
has a score below the threshold and counts beside a word of its context only.
"""
# ruff: noqa: E501, SIM905 - a regular expression does not read better in pieces

import re
from typing import Final

from guardrails.foreign_words import is_foreign_word
from guardrails.identifier_tokens import TECHNICAL
from guardrails.pattern_parts import IdentifierPattern, patterns
from guardrails.plain_words import PRODUCTS
from guardrails.short_numbers import SHORT_NUMBERS
from guardrails.spelling import is_misspelt
from guardrails.vocabulary import is_common, is_english, read_english

_SHORT_WORD: Final = 3
_CAMEL: Final = re.compile(r"[A-Z][a-z]+|[A-Z]+(?![a-z])|\d+")
# What an address of a network ends with: whose it is, or for whom.
_NETWORK_END: Final = r"(?:Corp|Corporate|Guests?|Gast|Staff|Employees?|Mobile|Secure|Internal|Visitors?|WiFi|Wifi|Wi-Fi|WLAN|IoT|BYOD|Office|Home|Net|Private|Public|Free|Legacy|Lab|5G|2G|2\.4G|5GHz|EXT|Ext|Conf|Hotspot|Campus)"


def _is_network(text: str) -> bool:
    """Say whether a word with capitals inside could be a network's name, and no product's."""
    pieces = [piece.lower() for piece in _CAMEL.findall(text) if piece.isalpha()]
    return (
        bool(pieces)
        and pieces[0] not in PRODUCTS
        and not is_common(text.lower())
        and not (pieces[0] in TECHNICAL and text.isupper())
    )


def _is_nobodys_word(text: str) -> bool:
    """Say whether no word of a text is English, computing or foreign prose."""
    return not any(
        is_english(word) or word in TECHNICAL or is_misspelt(word) or is_foreign_word(word)
        for word in text.lower().split()
    )


def _is_service_host(text: str) -> bool:
    """Say whether two words with a hyphen are a service and a place: `nas-basement`."""
    first, _, second = text.lower().partition("-")
    if text.lower().replace("-", "") in read_english():
        return False
    pair = {first, second}
    if pair & _GENERIC:
        return False
    return bool(pair & _SERVICES) or any(
        len(part) > _SHORT_WORD and not is_english(part) for part in pair
    )


_SERVICES: Final = frozenset(
    "nas redis sql mysql postgres pg mongo kafka nginx apache k8s kube jenkins git gitlab ldap radius"
    " dc fs db dns dhcp ntp ftp sftp rds vdi esx esxi vm vcenter wsus sccm citrix exch exchange smtp"
    " imap squid haproxy grafana zabbix nagios prom elastic kibana rabbit rabbitmq mq cache queue"
    " print prn prt srv svr web app api proxy vpn jump bastion backup bkp file files mail db1 db2"
    " pbx cam nvr ups sap crm erp jira wiki fileserver printserver webserver mailserver appserver"
    " dbserver raspi pi".split()
)
_GENERIC: Final = frozenset(
    "server servers client clients app apps store share shares setting settings job jobs service"
    " services based only in out side sided end up off on level wide free user users name names"
    " file files folder page pages site sites add ins plug based enabled aware facing hosted test"
    " driven specific related native like style mode type tier link links mail address addresses"
    " list lists sharing size system systems manager management admin policy version control print"
    " printing read write back front full self pre post non re co de un sub multi cross third built"
    " to the by of for and or log logs call calls box boxes token tokens connection connections".split()
)

_WORDED: Final = patterns(
    (
        "HOST",
        0.3,
        r"(?<![\w./\\@&%$=+~-])[a-z]{2,10}-[a-z]{2,14}(?![\w@\\(=-]|\.\w)",
        "-",
        _is_service_host,
        "reach reachable ping refused ssh rdp unreachable down timeout offline mount connect connecting connection conn reboot rebooted restart restarted server host node vm container answers responds backup migrated failover lost dhcp ip mac lease skipped",
    ),
    (
        "HOST",
        0.82,
        r"(?<=\b(?i:ssh|scp|sftp|rsync|mosh|xfreerdp|rdesktop)[ ][^\n]{0,40}[\w.-]{1,31}@)[A-Za-z][\w-]{1,62}(?![\w.]\w)",
        "@",
    ),
    # --- wireless networks
    (
        "SSID",
        0.79,
        r"(?i:\b(?:broadcast(?:s|ing)?|ssid|joined|joins|hotspot|wi-?fi|wlan)[ ](?:the[ ]|only[ ]|still[ ])?[\"'\u201c]?)\K[a-z][a-z\d]{2,14}[_-][a-z\d]{2,14}(?:[_-][a-z\d]{2,14})?(?![\w@\\(]|\.\w)",
        "broadcast ssid joined joins hotspot wifi wi-fi wlan",
        lambda text: "_" in text or not all(map(is_english, re.split("[_-]", text))),
    ),
    (
        "SSID",
        0.8,
        r"(?i:\b(?:network|wi-?fi|wlan|ssid|hotspot|wireless)[ ])\K(?=\p{Lu})[\p{L}\d]{2,20}(?:-[\p{L}\d]{1,14}){1,3}(?![\w@\\(-]|\.\w)",
        "network wifi wi-fi wlan ssid hotspot wireless",
        lambda text: _is_network(text) and not all(map(is_common, text.lower().split("-"))),
    ),
    (
        "SSID",
        0.79,
        r"(?i:\bssid[ ])\K[a-z][a-z\d-]{3,20}(?=[ ](?:is|was|has|does|disappeared|keeps|drops|not|from|on|in|at)\b|[,.;)\n]|\Z)",
        "ssid",
        lambda text: not is_common(text),
    ),
    (
        "SSID",
        0.3,
        r"(?<=\b(?:on|to|from|joins?|joined|via|network)[ ])[A-Z]{5,16}(?:-\d{1,2}G?)?(?![\w@\\(-]|\.\w)",
        "",
        lambda text: not is_english(text.split("-")[0].lower()),
        "wifi wi-fi wlan ssid wireless hotspot roam roaming dhcp signal",
    ),
    (
        "HOST",
        0.78,
        r"(?i:\b(?:nas|server|host|vm|box|machine|printer|switch|router|workstation|pc|laptop|notebook|mac|macbook|offender|node)[ ]\([\"']?)\K(?=[\w-]{0,30}(?:[A-Z\d]|-))[A-Za-z][\w-]{3,30}(?=[\"']?\))",
        "(",
        lambda text: not all(map(is_english, re.split("[-_]", text.lower()))),
    ),
    (
        "SSID",
        0.8,
        r"\bSSIDs?[ ]\K(?=\p{Lu})(?!(?i:is|was|not|name|the|and|broadcast\w*|hidden|visible)\b)[\p{Lu}\d][\p{L}\d'\u2019&-]{1,20}(?:[ ][\p{Lu}\d][\p{L}\d'\u2019&-]{0,20}){0,4}",
        "ssid",
    ),
    (
        "SSID",
        0.8,
        r"(?i:\b(?:connected|connects?|joined|joins?|roam\w{0,3})[ ](?:only[ ])?(?:to[ ])?)\K[\"\u201c'](?=\p{Lu})[^\"\u201d'\n]{2,32}[\"\u201d'](?=[ ](?i:at|in|on|from|wi-?fi|network|but)\b)",
        "connect join roam",
    ),
    ("SSID", 0.76, r"(?<![\w./\\@-])(?:eduroam|govroam)(?![\w.-]\w)", "eduroam govroam"),
    (
        "SSID",
        0.77,
        rf"(?<![\w./\\@$-])(?!(?i:Wi|Non|Pre|Post|Sub|Multi|Public|Azure|Microsoft|Windows|Ad|Add|Log|Guest|Self|Work|Small|In|Back|Home|Open|Visual|Dot|Power|Entra|Exchange|Share|Net|Front|Box)[-_])[A-Z][A-Za-z\d]{{1,20}}(?:[-_][A-Za-z\d]{{2,14}})?[-_]{_NETWORK_END}(?![\w@\\(]|[.-]\w)",
        "-corp _corp -guest _guest -gast _gast -staff _staff -employee _employee -mobile _mobile -secure _secure -internal _internal -visitor _visitor -wifi _wifi -wi-fi -wlan _wlan -iot _iot -byod _byod -office _office -home _home -net _net -private _private -public _public -free _free -legacy _legacy -lab _lab -5g _5g -2 _2 -ext _ext -conf _conf -hotspot _hotspot -campus _campus",
        _is_network,
    ),
    (
        "SSID",
        0.3,
        r"(?<![\w./\\@$<-])[A-Z][a-z]{2,14}(?:[A-Z][a-z]{2,12}|[A-Z]{2,4}|\d{1,3}[A-Z][a-z]+){1,2}\d{0,3}(?![\w@\\(=]|[.-]\w)",
        "",
        _is_network,
        "wifi wi-fi wlan ssid wireless hotspot signal roaming joined scanners handhelds eduroam fi",
    ),
    (
        "SSID",
        0.81,
        rf"(?i:\b(?:network|wi-?fi|wlan|ssid|hotspot|wireless)[ ](?:(?:named|called|is|name|network)[ ]){{0,2}})\K(?!(?i:the|a|our|my)\b)\p{{Lu}}[\p{{L}}\d'\u2019]{{2,20}}(?:[ ][\p{{Lu}}\d][\p{{L}}\d'\u2019]{{0,20}}){{0,3}}[ ](?:{_NETWORK_END})\b",
        "network wifi wi-fi wlan ssid hotspot wireless",
    ),
    (
        "SSID",
        0.82,
        r"(?i:\b(?:ssid|network[ ]name|wi-?fi[ ]name|(?:wi-?fi|wlan|wireless|network|hotspot|home[ ]network|guest[ ]network)[ ](?:is[ ])?(?:named|called))(?:[ ]is|[ ]?[:=])?[ ]{1,2})\K(?!(?i:not|the|hidden|visible|missing|gone|wrong|unknown|broadcast\w*|disabled|enabled|correct|different|same|set|is|in|on|and|or)\b)(?=[^,.;\n]{0,40}(?:\p{Lu}|\d))[\p{L}\d][^\s,.;()\n]{1,20}(?:[ ][^\s,.;()\n]{1,16}){1,5}(?=[ ]?[,.;()\n]|\Z)",
        "ssid name called",
    ),
    # --- accounts
    (
        "PERSON",
        0.77,
        r"(?im)^[ \t]*(?:reporter|assignee|requester|requestor|caller|contact|technician|agent|owner|name|opened[ ]by|raised[ ]by)[ ]?:?[ ]\K\p{Ll}[\p{L}'-]{2,20}(?:[ ]\p{Ll}[\p{L}'-]{2,20})?(?=[ \t]*$)",
        "reporter assignee requester requestor caller contact technician agent owner name by",
        lambda text: not any(map(is_english, text.lower().split())),
    ),
    # beside what they are quoted with: `"it went black" - oszkar`, `oszkar said "..."`
    (
        "PERSON",
        0.77,
        r"(?m)(?<=[\"\u201d][ ]?(?:[-\u2013\u2014]{1,2}|\(|,?[ ](?:by|says|said|wrote))[ ]{0,2})\p{Ll}[\p{L}'\u2019-]{2,20}(?:[ ]\p{Ll}[\p{L}'\u2019-]{2,20})?(?=[ )]{0,2}(?:[.,;][ ]|[.,;]?$))",
        '" \u201d',
        _is_nobodys_word,
    ),
    (
        "PERSON",
        0.77,
        r"(?<![\w.@/\\-])\p{Ll}[\p{L}'\u2019-]{2,20}(?=[ ](?:said|says|wrote|writes|told[ ](?:me|us)|replied|quoted|typed)[ ,:]{1,2}[\"\u201c])",
        '" \u201c',
        _is_nobodys_word,
    ),
    (
        "USERNAME",
        0.78,
        r"(?i)(?<![\w./\\@-])(?:adm|admin|svc|srv|priv|ext|sa|t[012]|x|a|da|wa|su)[_.](?!(?:exe|dll|sys|log|txt|ini|conf|cfg|json|xml|ps1|bat|cmd|msc|com|net|org|local|service|d|so|md|html?|next|example|sc|id|name|cpl)\b)[a-z]{1,20}\d{0,6}(?:_[a-z]{2,6})?(?![\w@\\(=]|[.-]\w)",
        "adm_ adm. admin_ admin. svc_ svc. srv_ srv. priv_ ext_ sa_ t0_ t1_ t2_ x_ a_ da_ wa_ su_",
        lambda text: (
            text.lower().startswith(("adm", "svc", "priv", "srv"))
            or any(map(str.isdigit, text))
            or not is_english(re.split(r"[_.]", text.lower())[1])
        ),
    ),
    (
        "USERNAME",
        0.84,
        r"(?i:(?<!\S)/(?:user\w?|u|ru|username|domainuser)[:=][ ]?[\"']?)\K[A-Za-z][A-Za-z\d.-]{1,30}\\[\w.$-]{2,62}(?<![.-])",
        "/u /ru /dom",
    ),
    (
        "USERNAME",
        0.82,
        r"(?i:\b(?:(?:my|his|her|their|the|new|old)[ ])?(?:user(?:[ ]?name|[ ]id)?|login(?:[ ]name)?|logon(?:[ ]name)?|account(?:[ ]name)?|alias|nt[ ]id|u/n|windows[ ]id|benutzername|kennung)(?:[ ](?:is|was|ist|lautet|=)|[ ]?[:=])[ ]{1,2}[\"'`(]?)(?!(?i:0x|kb\d|v\d|win\d|windows|locked|id\b))(?=[\w.-]{0,30}(?:\d|[._-][a-z]))\K[A-Za-z][\w.-]{2,31}(?<![.-])(?![\w@\\])",
        "user login logon account alias nt u/n windows benutzer kennung",
        lambda text: not all(is_english(part) for part in re.split(r"[._-]", text.lower()) if part),
    ),
    (
        "SECRET",
        0.88,
        r"(?i:\b(?:ldap\w{2,10}|sshpass|mysql|psql|mysqldump|smbclient|rpcclient|curl|wget|openssl|ipmitool|snmpget|net[ ]rpc|xfreerdp|plink|pscp|putty|7z|7za|zip|unzip|unrar|rar)[ ][^\n|;]{0,200}?[ ](?:-w|-p|-pw|-P|/p:|--password|-pass))[ :=]?[\"']?\K(?![-/])[^\s\"'|;]{4,64}",
        "ldap ssh sql smb rpc curl wget openssl ipmi snmp plink pscp putty freerdp 7z zip rar net",
    ),
    (
        "HOST",
        0.76,
        r"(?<![\w./\\@&%$-])[A-Z]{2,10}(?:PROD|PRD|DEV|TEST|TST|UAT|STG|DR|QA|MGMT|BKP)(?:-[A-Z\d]{1,3}|\d{1,3})(?![\w@\\(-]|\.\w)",
        "prod prd dev test tst uat stg dr qa mgmt bkp",
    ),
)

# Several values behind one label: "users: jdoe, mreyes and tanaka".
_ITEM: Final = r"[\w.@\\-]{2,40}"
_ITEMS_BEFORE: Final = rf"[ ]?[:=][ ]?(?:{_ITEM}(?:[ ]?[,;/|&][ ]?|[ ](?:and|or|und|et|y)[ ]|,[ ](?:and|or)[ ])){{0,12}}"


def _is_no_word(text: str) -> bool:
    return not all(is_english(part) for part in re.split(r"[._@\\-]", text.lower()) if part)


_SEVERAL: Final = patterns(
    (
        "USERNAME",
        0.78,
        rf"(?<=\b(?i:users|usernames|user[ ]?ids|logins|accounts|members|owners|aliases){_ITEMS_BEFORE}){_ITEM}(?<![.-])(?![\w@\\])",
        "users usernames ids logins accounts members owners aliases",
        _is_no_word,
    ),
    (
        "HOST",
        0.78,
        rf"(?<=\b(?i:hosts|hostnames|servers|machines|computers|devices|pcs|laptops|nodes|vms|printers){_ITEMS_BEFORE}){_ITEM}(?<![.-])(?![\w@\\])",
        "hosts hostnames servers machines computers devices pcs laptops nodes vms printers",
        _is_no_word,
    ),
    (
        "SECRET",
        0.8,
        r"(?<=\b(?i:passwords|pws|pwds|pins|codes|tokens|keys|secrets)[ ]?[:=][ ]?(?:[^\s,;|]{3,40}(?:[ ]?[,;|][ ]?|[ ](?:and|or|/)[ ])){0,8})(?=[^\s,;|]{0,40}[\d!#$%&*?])[^\s,;|]{4,40}",
        "passwords pws pwds pins codes tokens keys secrets",
    ),
    (
        "SSID",
        0.78,
        rf"(?<=\b(?i:ssids|networks){_ITEMS_BEFORE}){_ITEM}(?<![.-])(?![\w@\\])",
        "ssids networks",
        _is_no_word,
    ),
    (
        "SERIAL",
        0.78,
        rf"(?<=\b(?i:serials|serial[ ]numbers|assets|asset[ ]tags|service[ ]tags|tags){_ITEMS_BEFORE})(?=[\w/-]{{0,20}}\d)[\w/-]{{4,24}}(?![\w@\\])",
        "serials numbers assets tags",
    ),
)

HELPDESK: Final[tuple[IdentifierPattern, ...]] = (*SHORT_NUMBERS, *_WORDED, *_SEVERAL)
