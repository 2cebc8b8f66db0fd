# SPDX-License-Identifier: Apache-2.0
"""Machines and wireless networks where tools name them: principals, connection strings, lists.

The host in `cifs/host.example` or `jdbc:postgresql://host:5432/x`, a name of the internal network
wherever it stands, the rows of `nmcli` and what NetworkManager says of a connection.
"""
# ruff: noqa: E501 - a regular expression does not read better in pieces

import re
from typing import Final

from guardrails.identifier_tokens import TECHNICAL
from guardrails.machine_patterns import KNOWN_SITE, PUBLIC_SUFFIX
from guardrails.pattern_parts import IdentifierPattern, patterns
from guardrails.strange_words import is_compound
from guardrails.vocabulary import is_english, read_names

_WORDS: Final = re.compile(r"[^\W\d_]+")
_INTERFACE: Final = re.compile(r"(?:wl|en|eth|ww|ib|lo|br|tun|tap|docker|virbr|veth|bond|vlan)\w*")
# Of systems, and editions of them: `debian-bookworm`, `fedora-silverblue`.
_RELEASES: Final = frozenset(
    """
    jammy focal noble bionic xenial trusty lunar mantic oracular plucky bookworm bullseye buster
    stretch trixie sid silverblue kinoite coreos workstation server minimal cloud slim release
    releases ports updates security backports iot tumbleweed leap wsl netinst live addr address
    book pro air mini max rolling stream latest stable edge testing unstable repos lts
    """.split()  # noqa: SIM905 - a table
)
_LABEL: Final = r"[A-Za-z\d_](?:[A-Za-z\d_-]{0,62})"
_HOST: Final = rf"(?=[\w.-]{{0,64}}[A-Za-z]){_LABEL}(?:\.{_LABEL}){{0,6}}(?<![.-])"
# Of service principal names.
_SERVICE: Final = r"(?:cifs|host|http|ldap|gc|dns|mssqlsvc|mssql|termsrv|wsman|restrictedkrbhost|nfs|ftp|imap|pop|smtp|smtpsvc|rpc|exchangemdb|exchangerfr|exchangeab|hyper-v[ ]replica[ ]service|microsoft[ ]virtual[ ](?:console|system)[ ](?:service|migration)|vmrc|postgres|oracle|hdfs|hive|zookeeper|kafka|yarn|sip|iscsitarget|msserverclustermgmtapi|msclustervirtualserver|e3514235-4b06-11d1-ab04-00c04fc2dcd2|dfsr-\w{8}(?:-\w{4}){3}-\w{12}|ntfrs-\w{8}(?:-\w{4}){3}-\w{12}|kadmin|afpserver|afs|vnc)"
_SCHEME: Final = r"(?:jdbc:[a-z\d:]{2,40}|postgres(?:ql)?|mysql|mariadb|mssql|sqlserver|mongodb(?:\+srv)?|rediss?|amqps?|kafka|ldaps?|smb|cifs|nfs|afp|ssh|sftp|svn|telnet|tcp|udp|ssl|tls|mqtts?|nats|rtsp|sips?|rsync|oracle|clickhouse|cassandra|couchbase|elasticsearch|etcd|consul|vault|grpcs?|ws|wss|ftp|ipps?|socks[45]?h?|vnc|rdp|spice|net\.tcp|net\.pipe|docker|unix|nbd|iscsi|bolt|neo4j|zk|hdfs|thrift|syslog|statsd)"
_INTERNAL: Final = (
    "corp", "int", "ad", "ads", "internal", "intern", "intra", "lan", "emea", "apac", "amer",
    "americas", "nam", "noram", "latam", "hq", "local", "intranet", "priv", "private", "mgmt",
    "dmz", "ds", "win", "infra", "prod", "prd", "stg", "dev", "uat", "test", "qa", "office",
    "inet", "inside", "dc", "dc1", "dc2", "us", "eu", "uk", "de", "in", "fr", "na", "ap",
)  # fmt: skip
_ANY_INTERNAL: Final = "|".join(_INTERNAL)


def _names_machine(text: str) -> bool:
    """Say whether a host of one label is more than a word: a digit, or a word that nobody knows."""
    if "." in text or any(map(str.isdigit, text)):
        return True
    words = [word.lower() for word in _WORDS.findall(text)]
    return any(not (is_english(word) or word in TECHNICAL) for word in words)


def _names_network(text: str) -> bool:
    """Say whether a connection is named after a network: no interface, no default of a system."""
    if _INTERFACE.fullmatch(text) or text.lower().startswith(("wired connection", "lo", "--")):
        return False
    return any(map(str.isdigit, text)) or not all(
        is_english(word) or word in TECHNICAL for word in map(str.lower, _WORDS.findall(text))
    )


def _is_owned(text: str) -> bool:
    """Say whether a kind of machine is joined to somebody's name or a word that nobody knows."""
    owner = text.lower().rsplit("-", 1)[1].rstrip("0123456789")
    given, family = read_names()
    if owner in _RELEASES or owner in TECHNICAL:
        return False
    return owner in given or owner in family or not (is_english(owner) or is_compound(owner))


def _is_no_default(text: str) -> bool:
    """Say whether a connection's name is given by somebody, not by a system."""
    return not (
        _INTERFACE.fullmatch(text.lower())
        or re.fullmatch(r"(?i)(?:wired|wireless|ethernet|vpn|bridge|bond|team)[ ]connection[ ]?\d*|auto[ ]\w+|--|lo", text)
    )  # fmt: skip


ENDPOINTS: Final[tuple[IdentifierPattern, ...]] = patterns(
    # --- service principal names
    (
        "HOST",
        0.86,
        rf"(?i:(?<![\w./\\:-]){_SERVICE}/)(?!{KNOWN_SITE})(?!\d+(?:\.\d+)*(?![\w.-]))\K{_HOST}(?![\w(]|/\w+/)(?:(?<=\.[\w-]{{2,63}})|(?<=[\d-][\w-]{{0,62}})|(?=[:@]))",
        "cifs/ host/ http/ ldap/ gc/ dns/ svc/ mssql/ termsrv/ wsman/ host/ nfs/ ftp/ imap/ pop/ smtp/ rpc/ mdb/ rfr/ ab/ service/ migration/ vmrc/ postgres/ oracle/ hdfs/ hive/ zookeeper/ kafka/ yarn/ sip/ iscsitarget/ api/ server/ d2/ dfsr- ntfrs- kadmin/ afs/ vnc/",
        _names_machine,
    ),
    (
        "DOMAIN",
        0.84,
        rf"(?i:(?<![\w./\\:-])(?:krbtgt|changepw|kadmin)/){_HOST}(?<=\.[\w-]{{2,63}})(?=[@\s,;)\"']|\Z)",
        "krbtgt/ changepw/ kadmin/",
    ),
    # --- connection strings
    (
        "HOST",
        0.86,
        rf"(?i:(?<![\w.-]){_SCHEME}://(?:[^\s/@]{{1,128}}@)?)(?!localhost\b|{KNOWN_SITE}|var\b|run\b)\K{_HOST}(?=[:/?;,\s\"')>\]]|\Z)",
        "://",
        lambda text: _names_machine(text) and not text.lower().startswith("example."),
    ),
    (
        "HOST",
        0.86,
        rf"(?i:\bjdbc:oracle:\w{{1,8}}:(?:[^\s@]{{1,128}})?@(?://)?)\K(?!localhost\b){_HOST}(?=[:/])",
        "jdbc:",
    ),
    (
        "HOST",
        0.85,
        rf"(?i:\b(?:data[ ]source|addr(?:ess)?|network[ ]address|servername|server|initial[ ]host|tns|failover[ _]partner)[ ]?=[ ]?(?:(?:tcp|np|lpc):)?)(?!localhost\b|\(|\.\b)\K{_HOST}(?=(?:\\\w{{1,32}})?(?:,\d{{2,5}})?[ ]?[;\"')])",
        "data address addr server host= tns partner",
        _names_machine,
    ),
    # --- a name with a label of internal networks, behind a slash, too
    (
        "HOST",
        0.84,
        rf"(?<![\w.\\@+%$-])(?!{KNOWN_SITE})(?:[A-Za-z\d][\w-]{{0,62}}\.){{1,3}}(?i:{_ANY_INTERNAL})\.(?:[A-Za-z\d-]{{2,63}}\.){{1,2}}{PUBLIC_SUFFIX}\b(?![\w-]|\.\w|\()",
        " ".join(f".{label}." for label in _INTERNAL),
    ),
    # --- where somebody sits: `root  tty1  desk-4`
    (
        "HOST",
        0.8,
        r"(?:\b(?:tty\d{1,2}|pts/\d{1,3}|console)[ \t]{1,16}(?:(?i:by|from|root|[a-z_][\w-]{1,15})[ \t]{1,16}){0,3}\(?)\K[a-z][a-z\d]{1,20}(?:-[a-z\d]{1,20}){1,3}(?![\w/@.(=-])",
        "tty pts/ console",
        _names_machine,
    ),
    # --- wireless networks as NetworkManager and its tools show them
    (
        "SSID",
        0.86,
        r"(?m)^[ \t]{0,12}(?:\*[ \t]{1,12})?(?:(?:[\dA-Fa-f]{2}:){5}[\dA-Fa-f]{2}[ \t]{1,8})?\K(?!--|\*)\S[^\n]{0,40}?(?=[ \t]{1,32}(?:Infra|Ad-Hoc|Mesh)[ \t]{1,8}\d)",
        "infra ad-hoc mesh",
    ),
    (
        "SSID",
        0.85,
        r"(?i:\bnmcli[ ][^\n|]{0,60}?\b(?:connection|con|c|dev(?:ice)?|d|wifi|w|connect|up|down|delete|modify|show|id|ssid|con-name)[ ](?:(?:show|up|down|delete|modify|edit|clone|wifi|connect|id|ssid|con-name)[ ]){0,3})(?:[\"']\K[^\"'\n]{1,64}(?=[\"'])|(?!(?i:show|up|down|delete|modify|edit|clone|wifi|connect|id|ssid|list|status|rescan|reload|add|type|password|ifname|hotspot|device|dev|connection|con|radio|general|on|off|active|con-name|import|export|load|monitor|set|disconnect)(?![\w.-]))\K[\w][\w.-]{2,31}(?=[ \t;|]|$|\Z))",
        "nmcli",
        _names_network,
    ),
    (
        "SSID",
        0.85,
        r"(?im)^[ \t>+-]{0,8}(?:connection\.id|802-11-wireless\.ssid|wifi\.ssid|wireless\.ssid)[ \t]{0,2}[:=][ \t]{0,48}[\"']?\K(?!--)\S[^\n\"']{0,40}?(?=[\"' \t]{0,16}(?:$|\Z))",
        "connection.id wireless.ssid wifi.ssid",
        _is_no_default,
    ),
    (
        "SSID",
        0.84,
        r"(?i:\b(?:(?:auto-)?activating|starting|disconnecting|deactivating|add(?:ed|ing)?|updated?|deleted|profile|known|new|current|policy:[^\n'\"]{1,40}|settings?[ ]for)[ ](?:wi-?fi[ ]|wireless[ ]|new[ ]|the[ ])?(?:connection|network|ssid|profile|essid)[ ])(?:'\K[^'\n]{1,48}(?='(?![\w]))|\"\K[^\"\n]{1,48}(?=\"))",
        "connection network ssid profile",
        lambda text: _is_no_default(text) and _names_network(text),
    ),
    # --- "(network X)" where a wireless password is told
    (
        "SSID",
        0.83,
        r"\((?i:network|ssid|wi-?fi|wlan|name)[ ]?(?i:is|name|called)?[ :=]{1,3}(?<=\b(?i:wi-?fi|wlan|wireless|hotspot|guest[ ]network)\b[^\n]{0,140})\K(?!(?i:adapter|card|driver|name|not|is|down|issue|error|problem|unavailable|unreachable)\b)[^()\n\"']{2,40}(?=\))",
        "(network (ssid (wifi (wi-fi (wlan (name",
        _names_network,
    ),
    # --- named after an owner
    (
        "HOST",
        0.8,
        r"(?<![\w./\\@&%$+~=-])(?:fedora|ubuntu|debian|arch|mint|suse|kali|rhel|centos|rocky|alma|manjaro|nixos|popos|dev|test|tst|mac|mbp|lap|laptop|lt|pc|nb|ws|wks|desktop|vm|win1[01]|linux|thinkpad|surface|dell|hp|home|remote)-[a-z]{3,20}\d{0,2}(?![\w@\\/(=-]|\.\w)",
        "-",
        _is_owned,
    ),
    (
        "HOST",
        0.8,
        r"(?<![\w./\\@&%$+~=-])(?:(?:MAC|MBP|IMAC|LT|LAP|NB|WS|WKS|PC|DT|VM|DEV)-[A-Z]{5,15}|(?!KB|CVE|MS|ISO|RFC|USB|DDR|ERR|HTTP)[A-Z]{1,3}\d{3,6}-[A-Z]{3,15})(?![\w@\\/(=-]|\.\w)",
        "-",
        _is_owned,
    ),
    (
        "HOST",
        0.8,
        r"(?i)(?<![\w./\\-])(?:iphone|ipad|macbook(?:-(?:pro|air))?|imac|galaxy(?:-\w{2,6})?|pixel(?:-\d\w{0,3})?|laptop|notebook|pc|apple-?watch|airpods|surface|thinkpad|tablet|handy|telefono?|portable)-(?:of|von|van|de|di|da|od|af|till|para|d)-[\p{L}'\u2019-]{2,40}(?:-\d{1,2})?(?![\w@\\(-])",
        "iphone- ipad- macbook- imac- galaxy- pixel- laptop- notebook- pc- watch- airpods- surface- thinkpad- tablet- handy- telefon portable-",
    ),
    (
        "HOST",
        0.8,
        r"(?<![\w./\\-])\p{Lu}[\p{L}]{1,20}(?:[ ]\p{Lu}[\p{L}]{1,20})?(?:['\u2019]s?|s['\u2019])[ ](?:AirPods|Apple[ ]?Watch|Galaxy(?:[ ][A-Z]\d{1,2})?|Pixel(?:[ ]\d)?|Phone|Tab|Kindle|Beats|Buds|Headset|Echo|Chromecast|HomePod|Apple[ ]TV|Watch|AirTag|Magic[ ](?:Mouse|Keyboard|Trackpad)|Keyboard|Mouse|Handy|Hotspot)(?:[ ](?:Pro|Max|Air|Ultra|Plus|mini|SE|\d{1,2}))?\b",
        "'s \u2019s s' s\u2019",
        lambda text: not is_english(re.split(r"['\u2019]", text.lower())[0].split()[0].rstrip("s")),
    ),
)  # fmt: skip
