# SPDX-License-Identifier: Apache-2.0
"""Machines and networks: host names by scheme and by context, serials, MACs, SSIDs, web addresses."""
# ruff: noqa: E501 - a regular expression does not read better in pieces

from typing import Final

from guardrails.pattern_parts import (
    DEVICE_WORD,
    EQUALS,
    HOSTNAME,
    IS,
    NO_HOST,
    STATE_WORD,
    IdentifierPattern,
    patterns,
)
from guardrails.plain_words import host_length
from guardrails.vocabulary import is_english

_PRIVATE_SUFFIX: Final = r"(?:local|lan|internal|intern|corp|corporate|company|intra|intranet|private|priv|home|home\.arpa|localdomain|localnet|loc|domain|dmz|mgmt|ad|office|prod|site|hq)"
_PRIVATE_NEEDS: Final = ".local .lan .int .corp .company .priv .home .loc .domain .dmz .mgmt .ad .office .prod .site .hq"
# Generic and country suffixes of names on the public internet; those that are file endings too
# (sh, py, md, pl, ps, so, zip, app) are left out.
PUBLIC_SUFFIX: Final = r"(?:com|net|org|edu|gov|io|info|biz|dev|cloud|tech|online|eu|de|at|ch|uk|ie|fr|be|nl|lu|it|es|pt|gr|pl|cz|sk|hu|ro|bg|hr|si|dk|no|se|fi|ee|lv|lt|ru|ua|tr|il|ae|in|cn|jp|kr|tw|hk|sg|my|th|vn|id|ph|au|nz|ca|us|mx|br|ar|cl|co|pe|za|ng|ke|example|test)"
# Sites that articles name: makers, their documentation and their endpoints.
KNOWN_SITE: Final = r"(?i:(?:www\.)?example\.(?:com|org|net|edu)(?![\w-]|\.\w)|aka\.ms(?![\w.])|(?:[\w-]{1,63}\.){0,6}(?:microsoft|microsoftonline|windows|windowsupdate|office|office365|live|outlook|skype|msftconnecttest|msftncsi|msauth|msftauth|azure|azureedge|sharepoint|onedrive|visualstudio|msn|bing|sysinternals|powershellgallery|apple|icloud|mzstatic|apple-cloudkit|google|googleapis|gstatic|googleusercontent|youtube|chrome|chromium|android|mozilla|firefox|thunderbird|mozillazine|mozdev|mozillamessaging|adobe|oracle|java|dell|hp|hpe|lenovo|intel|amd|nvidia|cisco|citrix|vmware|broadcom|zoom|slack|dropbox|github|githubusercontent|gitlab|ubuntu|debian|redhat|fedoraproject|centos|suse|opensuse|archlinux|canonical|snapcraft|launchpad|freedesktop|gnome|kde|kernel|gnu|apache|nginx|python|pypi|npmjs|nodejs|docker|wikipedia|wikimedia|stackoverflow|superuser|serverfault|askubuntu|stackexchange|reddit|yahoo|aol|gmx|web|hotmail|gmail|protonmail|proton|fastmail|zoho|facebook|twitter|linkedin|instagram|amazon|amazonaws|cloudflare|akamai|letsencrypt|verisign|digicert|symantec|mcafee|sophos|malwarebytes|avast|avg|bitdefender|kaspersky|eset|crowdstrike|virustotal|nist|mitre|w3|ietf|iana|icann|schemas|openxmlformats|xmlsoap|json-schema|pool|ntp|spamhaus|opendns|nextcloud|libreoffice|openoffice|videolan|vlc|winscp|putty|7-zip|notepad-plus-plus|wireshark|teamviewer|anydesk|logitech|logi|epson|canon|brother|samsung|sony|asus|acer|toshiba|realtek|qualcomm|broadcom|msi|gigabyte|steampowered|spotify|netflix|paypal|openssl|openssh|samba|cups|bluez|pulseaudio|pipewire|systemd)\.(?:[a-z]{2,12})(?:\.[a-z]{2})?)(?![\w-]|\.\w)"
_DOCUMENTED: Final = r"(?i:localhost|127\.|0\.0\.0\.0|\[::1\]|schemas?\.)"


def _is_mixed_hex(text: str) -> bool:
    """Say whether hexadecimal digits have both letters and figures, as an address has."""
    return sum(map(str.isdigit, text)) > 1 and sum(map(str.isalpha, text)) > 1


_BY_SCHEME: Final = patterns(
    # --- host names by scheme
    (
        "HOST",
        0.8,
        rf"(?<![\w./\\-]){NO_HOST}(?:[A-Z0-9]{{2,8}}-)?{DEVICE_WORD}-?(?:[A-Z]{{2,8}}-?)?\d{{2,6}}(?![\w.]\w|-\w)\b",
    ),
    # SITE-KIND-0042, ACME-L12345, BERLT00421
    (
        "HOST",
        0.8,
        rf"(?<![\w./\\&%$-]){NO_HOST}(?!(?i:hkey|code|error|event|inc|req|chg|kb|ms|cve|iso|rfc|ieee|sha|aes|tls|wpa|rsa|ecdhe|dhe|gpu|cpu|usb|pcie|ddr\d?|intel|amd|win|v|ver|ref|pci|acpi|isatap|utf|cp|ibm|x|p|inv|it|eq|as|at|as)-)[A-Z][A-Z0-9]{{1,11}}(?:-[A-Z][A-Z0-9]{{0,10}}){{1,3}}-?\d{{2,6}}(?![\w.]\w|-\w)\b",
        "-",
    ),
    (
        "HOST",
        0.72,
        rf"(?<![\w./\\&%$#-]){NO_HOST}[A-Z]{{3,10}}-[A-Z]{{0,2}}\d{{3,6}}[A-Z]?(?![\w.]\w|-\w)\b",
        "-",
    ),
    (
        "HOST",
        0.75,
        rf"(?<![\w./\\&%$#-]){NO_HOST}[A-Z0-9]{{2,6}}{DEVICE_WORD}\d{{3,6}}\b(?![.-]\w)",
    ),
    (
        "HOST",
        0.7,
        r"(?<![\w./\\&%$#=-])(?!ERR|KB|CVE|HTTP|EVENT|WIN|TLS|SHA|AES|UTF|INC|RITM|CHG|REQ|PRB|TASK|DDR|USB)[A-Z]{2}\d{1,2}-[A-Z]{2,4}-?\d{2,6}\b(?![.-]\w)",
        "-",
    ),
    (
        "HOST",
        0.75,
        r"(?<![\w./\\&%$=-])(?:[a-z][a-z0-9]{1,11}-){0,2}(?:ws|wks|wkst|lt|nb|srv|svr|server|dc|fs|nas|exch|exchange|vdi|prn|prt|print|printer|kiosk|esx|esxi|hv|rds|sql|db|web|app|file|mail|proxy|vm|host|node|client|laptop|desktop|dev|build|mbp|imac|pc|sw|ap|fw|cam|tablet|backup|git|jump|bastion|mgmt|ansible|k8s|docker|ldap|radius|dns|dhcp|ntp|monitor|wsus|sccm|wds)-(?:[a-z]{2,8}-)?\d{1,5}(?![\w.]\w|-\w)\b",
        "-",
    ),
    (
        "HOST",
        0.72,
        r"(?<![\w./\\&%$=-])(?!(?:sql|exch|exchange|app|web|host|node|client|vm|db)(?:19|20)\d\d\b)(?:[a-z]{2,4}-?)?(?:ws|wks|wkst|lt|nb|srv|svr|dc|fs|nas|exch|vdi|prn|prt|kiosk|esx|rds|sql|db|web|app|pc|dt)-?(?:0\d{1,4}|\d{3,6})(?![\w.]\w|-\w)\b",
    ),
    (
        "HOST",
        0.72,
        r"(?<![\w./\\&%$=-])(?!(?:utf|iso|aes|sha|rsa|kb|cve|org|lib|gcc|python|linux|x)-)[a-z]{2,10}-[a-z]{2,10}\d{2,5}(?![\w.]\w|-\w)\b",
        "-",
        lambda text: len(text) <= 22,
    ),
    (
        "HOST",
        0.7,
        r"(?<![\w./\\&%$=-])(?:[a-z]{2,6}-){1,3}(?:nb|lt|pc|ws|dt|mac|tab)-?\d{2,6}\b(?![.-]\w)",
        "-",
    ),
    ("HOST", 0.8, r"\bip-\d{1,3}-\d{1,3}-\d{1,3}-\d{1,3}\b", "ip-"),
    (
        "HOST",
        0.75,
        r"(?<![\w./\\&%$=-])[A-Z]{2,10}-[A-Z0-9]{2,10}-[A-Z0-9]{2,10}(?<=\d[A-Z0-9]{0,4})(?![\w.-])",
        "-",
        lambda text: (
            text.count("-") == 2
            and not text.startswith(("CVE", "ISO", "KB", "TLS", "ECDHE", "AES", "INV", "ERR"))
        ),
    ),
    digits=True,
)

_BY_FORM: Final = patterns(
    (
        "HOST",
        0.85,
        r"(?i:\b(?:DESKTOP|LAPTOP|WIN)-)(?=[A-Z0-9]{0,14}\d|[A-Z]{7,11}\b)[A-Z0-9]{6,11}\b",
        "desktop- laptop- win-",
    ),
    # --- named after their owner
    (
        "HOST",
        0.8,
        r"\b\p{Lu}[\p{L}]{1,20}(?:['\u2019]s|s|[\u2019'])?[ -](?:MacBook|iMac|iPhone|iPad|Mac|ThinkPad|Surface|Laptop|PC|Notebook|Desktop|XPS)(?:[ -](?:Pro|Air|mini|Mini|Studio|Max|Plus))?(?:-\d{1,2})?(?:\.local)?\b(?<!\b(?:[A-Z][a-z]{1,20}[ ](?:MacBook|iMac|iPhone|iPad|Mac|ThinkPad|Surface|Laptop|PC|Notebook|Desktop|XPS)(?:[ ](?:Pro|Air|mini|Mini|Studio|Max|Plus))?))",
        "macbook imac iphone ipad mac thinkpad surface laptop pc notebook desktop xps",
    ),
    (
        "HOST",
        0.8,
        r"(?i)(?<![\w./\\-])(?!(?:my|the|your|our|new|old|this|that|a|any|each|no|in|on|work|home|test|dell|hp|lenovo|asus|acer|microsoft|apple|gaming|virtual|remote|multi|non|pre|low|high|mid|all|windows|win|linux|to|and|or|for|per|cloud|single|dual|same|on|off)-)\p{L}{2,20}s?-(?:macbook|imac|mbp|mba|thinkpad|surface|laptop|notebook|pc|iphone|ipad|desktop)(?:-(?:pro|air|mini|max))?(?:-\d{1,3})?\b(?![-.]\w)",
        "macbook imac mbp mba thinkpad surface laptop notebook pc iphone ipad desktop",
    ),
    (
        "HOST",
        0.75,
        r"(?<![\w./\\-])(?:macbook|imac|laptop|desktop|pc|notebook|thinkpad)-(?:pro|air|mini)?-?(?:of|von|van|de|di)-[\p{L}-]{2,30}(?:-\d{1,2})?\b",
        "macbook- imac- laptop- desktop- pc- notebook- thinkpad-",
    ),
    # --- names in the domain name system
    (
        "HOST",
        0.8,
        rf"(?i)(?<![\w.\\-])(?<!(?<![:/])/)(?!localhost\b|rc\.local|[\w-]+\.(?:ad|site|domain|office|prod|home)\b(?!\.))(?:[a-z0-9_][a-z0-9_-]{{0,62}}\.){{1,6}}{_PRIVATE_SUFFIX}\b(?![\w-]|\.\w|\()(?<!\b(?:System|com|Microsoft|Windows|java|org)\.[\w.]{{1,60}})",
        _PRIVATE_NEEDS,
    ),
    (
        "HOST",
        0.7,
        rf"(?<![\w.\\/@+-])(?=[A-Za-z0-9-]{{1,63}}\.[A-Za-z0-9-]{{1,63}}\.[a-zA-Z0-9])(?!{KNOWN_SITE})(?!com\.|org\.|net\.|io\.)(?:[A-Za-z0-9][A-Za-z0-9-]{{0,62}}\.){{2,6}}{PUBLIC_SUFFIX}\b(?![\w-]|\.\w|\()(?<=[a-z]\w?)",
        ".",
        lambda text: not text[0].isupper() or text.isupper() or "-" in text,
    ),
    (
        "HOST",
        0.72,
        rf"(?i:\b(?:domain|site|website|server|host|realm|forest|tenant|url|ping|nslookup|dig|tracert|traceroute|resolve|resolving|suffix|zone|mail[ ]server|smtp|imap|webmail|vpn|gateway|portal|proxy){IS})(?!{KNOWN_SITE})(?!(?i:e\.g|i\.e))\K(?:[A-Za-z0-9][A-Za-z0-9-]{{0,62}}\.){{1,5}}{PUBLIC_SUFFIX}\b(?![\w-]|\.\w|\()",
        ".",
    ),
    (
        "HOST",
        0.8,
        r"https?://(?:[^\s/@]{1,128}@|(?![^\s/@]{1,128}@))(?!localhost\b)\K[A-Za-z][A-Za-z0-9-]{1,62}(?=[:/?#\s]|\Z)",
        "://",
    ),
    (
        "URL",
        0.6,
        rf"(?i)(?<![\w])(?:https?|ftps?|sftp|rdp|vnc|ldaps?|wss?)://(?:[^\s/@]{{1,384}}@\K)?(?!{_DOCUMENTED}|{KNOWN_SITE}|[a-z0-9-]{{1,63}}(?:[:/?#\s]|\Z)|<|\{{|%|\$)(?=[^\s/]{{0,255}}\.)[^\s\"'<>|)\]}},;]{{4,512}}(?<![.,:!?*`])",
        "://",
    ),
    (
        "URL",
        0.6,
        rf"(?i)(?<![\w./@-])www\.(?!{KNOWN_SITE})[a-z0-9-]{{1,63}}(?:\.[a-z0-9-]{{2,63}}){{1,4}}(?:/[^\s\"'<>|)\],;]{{0,256}})?(?<![.,:!?])",
        "www.",
    ),
)

# Host names that their context gives away; a plain word is none.
_IN_PROSE: Final = patterns(
    (
        "HOST",
        0.82,
        rf"(?i:(?<![a-z])(?:host(?:[ _-]?name)?|computer(?:[ _-]?name)?|machine(?:[ _-]?name)?|workstation(?:[ _-]?name)?|device(?:[ _-]?name)?|netbios(?:[ _-]?name)?|nodename|node|rhost|server(?:[ _-]?name)?|pc(?:[ _-]?name)?|laptop|client(?:[ _-]?name)?|source[ _-]?host|dest(?:ination)?[ _-]?host|fqdn|asset[ _-]?name|affected[ ]ci|ci|dns[ _-]?name|endpoint|agent[ _-]?host|dvc|src_host|dst_host|localhostname|comp(?:uter)?name|caller[ ]computer[ ]name|rechner(?:name)?|printer(?:[ _-]?name)?){EQUALS})(?!(?i:{STATE_WORD}|localhost|127\.|name|windows|macos|linux|ubuntu|debian|usb|pci|standard|generic|https?|n/a|local|default|microsoft-|laptop|desktop|tablet|server|client|workstation|\d{{1,5}}(?:\D|\Z))(?![\w-])|(?i:cifs|host|http|ldap|krbtgt|mssqlsvc|termsrv|wsman|nfs|dns)/)(?=[\w.-]{{0,62}}[A-Za-z])(?!{KNOWN_SITE})\K{HOSTNAME}(?![\w]*\()",
        "host computer machine workstation device netbios node server pc laptop client fqdn asset ci dns endpoint dvc comp rechner printer",
    ),
    (
        "HOST",
        0.76,
        rf"(?i:\b(?:host(?:name)?|computer|machine|laptop|notebook|workstation|server|device|pc|box|macbook|printer|desktop|client|node|vm)(?:[ ](?:named?|called|is|was|\(|=|[\"'`(]))?(?:[ ](?:called|named))?[ ]{{0,1}}[ \"'`(\u201c]{{1,2}}){NO_HOST}(?=[\w]{{0,20}}[-\d])(?=[\w-]{{0,40}}\d)(?!\d|[\d.]+\b|(?:v|r|gen|rev|ver|x|p|g|win|windows|office|server|version|build|port|usb|ipv|wd|id|h|u)\d{{1,4}}(?![\w-]))\K[\p{{L}}][\w-]{{3,40}}(?![\w]|\.\d)",
        "0 1 2 3 4 5 6 7 8 9",
    ),
    (
        "HOST",
        0.76,
        rf"(?i:\b(?:ping|rdp[ ](?:to|into)|remote[ ]desktop[ ](?:to|on)|connect(?:ed|ing)?[ ]to|log(?:ged)?[ ]?(?:on|in)[ ](?:to|on)|ssh(?:[ ](?:to|into))?|session[ ]on|admin[ ]on|installed[ ]on|reboot(?:ed)?|restart(?:ed)?|wake|reimage|rebuilt|image|user[ ]of|to[ ]host|on[ ]host|remote[ ]host|from[ ]host|print(?:ing)?[ ](?:to|on)|tracert|nslookup|disk[ ]in|running[ ]on)[ ][\"'`]?){NO_HOST}(?=[\w-]{{0,40}}\d)(?!(?:v|r|gen|rev|ver|x|p|g|win|windows|office|server|version|build|port|usb|ipv|h|u)\d{{1,4}}(?![\w-])|\d)\K[\p{{L}}][\w-]{{3,40}}(?![\w\\@]|\.\d)",
        "ping rdp remote connect log ssh session admin install reboot restart wake image rebuilt user host print tracert nslookup disk running",
    ),
    (
        "HOST",
        0.74,
        r"(?m)^(?:<\d{1,3}>)?(?:\d[ ])?(?:[A-Z][a-z]{2}[ ]{1,2}\d{1,2}[ ][\d:]{8}|\d{4}-\d\d-\d\d[T ][\d:.,+Z-]{8,32})[ ]\K(?!(?:INFO|WARN|WARNING|ERROR|DEBUG|TRACE|FATAL|NOTICE|CRITICAL)\b)[A-Za-z][\w.-]{1,62}(?=[ ][\w./()-]{1,48}(?:\[\d{1,8}\])?:)",
        ":",
    ),
    trim=host_length,
)

_OTHER: Final = patterns(
    # --- serials
    (
        "SERIAL",
        0.86,
        rf"(?i:(?<![a-z])(?:serial(?:[ _-]?(?:number|no\.?|nr\.?|num|\#))?|ser\.?[ ]?no\.?|s/n|s\.n\.|service[ _-]?tag|express[ ]service[ ]code|asset(?:[ _-]?(?:tag|number|no\.?|id|label|nr\.?|\#))?|inventory(?:[ _-]?(?:tag|number|no\.?|id|nr\.?))?|inv\.?[ ]?(?:no|nr)\.?|property[ ]tag|imei(?:[ ]?\d)?|meid|iccid|udid|hardware[ ]id|system[ ]sku|seriennummer|inventarnummer){IS})(?=[\p{{Lu}}\d/_-]{{0,30}}\d|[a-z\d/-]{{0,30}}\d)\K[A-Za-z0-9][A-Za-z0-9/_-]{{3,40}}\b",
        "serial ser. s/n s.n. tag service asset inv property imei meid iccid udid hardware sku inventar",
    ),
    (
        "SERIAL",
        0.76,
        r"(?i:\b(?:device|laptop|machine|pc|notebook|unit|macbook|thinkpad|iphone|ipad|latitude|elitebook|probook|phone|tablet|dock|monitor|disk|printer)[ ](?:with[ ])?[(\"']?)\K(?=[A-Z]{0,12}\d[A-Z]{0,12}\d)(?=[0-9]{0,12}[A-Z][0-9]{0,12}[A-Z])[A-Z0-9]{7,14}(?![\w-]|\.\w)",
        "device laptop machine pc notebook unit macbook thinkpad iphone ipad latitude book phone tablet dock monitor disk printer",
    ),
    (
        "SERIAL",
        0.82,
        r"(?i:(?<![a-z])s/?n[\"']?[ ]?[:=][ ]?[\"']?)\K(?=[A-Z0-9-]{0,24}\d)[A-Za-z0-9][A-Za-z0-9-]{4,24}\b",
        "sn s/n",
    ),
    (
        "SERIAL",
        0.82,
        r"\bSN[ ]{0,2}[:#=]?[ ]{0,2}\K(?=[A-Z0-9-]{0,24}\d)[A-Z0-9][A-Z0-9-]{4,24}\b",
        "sn",
    ),
    (
        "SERIAL",
        0.75,
        r"(?<![\w-])(?:C0[12]|FVF|C17|DMP|DNP|F[FGK]\d)(?=[A-Z0-9]{0,9}\d)(?=[A-Z0-9]{0,9}[A-Z])[A-Z0-9]{8,9}(?![\w-])",
        "c0 fvf c17 dmp dnp f",
    ),
    (
        "SERIAL",
        0.75,
        r"(?<![\w-])(?:IT|INV|AT|AST|ASSET|EQ|TAG|HW)[-#]?\d{4,8}(?:-\d{2,5})?(?![\w-])",
        "it inv at ast eq tag hw",
    ),
    (
        "DEVICE_ID",
        0.8,
        rf"(?i:\b(?:(?:azure[ ]ad[ ]|entra[ ]|aad[ ]|intune[ ]|ad[ ])?(?:device|object|tenant|subscription|machine|client|hardware|smbios)[ _-]?(?:id|guid|uuid)|objectguid|uuid){IS}\{{?)\K[0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}\b",
        "id guid uuid",
    ),
    (
        "DEVICE_ID",
        0.3,
        r"(?i)(?<![\w-])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![\w-])",
        "recovery bitlocker wiederherstellung",
        None,
        "recovery bitlocker wiederherstellungsschl\u00fcssel wiederherstellung",
    ),
    (
        "DOMAIN",
        0.82,
        rf"(?i:(?<![a-z])(?:(?:account|user|logon|netbios|ad|windows|target|subject|caller|local|primary)?[ _-]?domain(?:[ _-]?name)?|workgroup|realm){EQUALS})(?!(?i:{STATE_WORD}|nt|local|workgroup|name|admins?|users|controllers?)(?![\w-]))(?!{KNOWN_SITE})\K{HOSTNAME}",
        "domain workgroup realm",
    ),
    # --- networks
    (
        "MAC",
        0.9,
        r"(?i)(?<![0-9a-f:-])(?!(?:(?:ff[:-]){5}ff|(?:00[:-]){5}00|01[:-]00[:-]5e[:-]))[0-9a-f]{2}(?:([:-])[0-9a-f]{2})(?:\1[0-9a-f]{2}){4}(?![0-9a-f:-]?[0-9a-f])",
        ": -",
    ),
    (
        "MAC",
        0.85,
        r"(?i)(?<![0-9a-f.])[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}(?![0-9a-f]|\.[0-9a-f])",
        ".",
    ),
    (
        "MAC",
        0.8,
        r"(?i)(?<![\w:])(?=[0-9a-f:]{0,17}[a-f])(?!(?:ff:){5}ff)[0-9a-f]{1,2}(?::[0-9a-f]{1,2}){5}(?![\w:])",
        ":",
    ),
    (
        "MAC",
        0.85,
        r"(?i)(?<![\w-])[0-9a-f]{6}-[0-9a-f]{6}(?![\w-])",
        "-",
        lambda text: not text.replace("-", "").isdigit(),
    ),
    (
        "MAC",
        0.88,
        rf"(?i:\b(?:mac(?:[ _-]?addr(?:ess)?)?|hw ?addr|hwaddr|ether(?:net)?(?: address)?|physical address|bssid|wlan mac|lan mac){IS})\K(?=[0-9A-Fa-f :-]{{0,17}}\d)(?i:[0-9a-f]{{12}}|[0-9a-f]{{2}}(?:[ :-][0-9a-f]{{2}}){{5}}|[0-9a-f]{{4}}(?:[ :-][0-9a-f]{{4}}){{2}})(?![\w:])",
        "mac addr ether physical bssid",
    ),
    (
        "SSID",
        0.87,
        r"(?i:(?<![a-z])(?:e?ssid|network[ ]name|wi-?fi(?:[ ](?:name|network|profile|profile[ ]name))?|wlan(?:[ ]name)?|profile[ ]name|wireless(?:[ ]network)?(?:[ ]name)?)[ ]{0,8}[:=][ ]{0,8})(?!(?i:connected|disconnected|disabled|enabled|on|off|yes|no|not|none|ok|down|up|the|intel|realtek|qualcomm|broadcom|5|2\.4|wpa\d?)\b)\K(?:\"[^\"\n]{1,32}\"|'[^'\n]{1,32}'|[^\s\",;:{}|()]{1,32}(?:[ ](?![a-z]|[A-Z][\w-]{0,20}:)[^\s\",;:{}|()]{1,20}){0,4})",
        "ssid network wifi wi-fi wlan profile wireless",
    ),
    (
        "SSID",
        0.82,
        r"(?i:\b(?:wi-?fi|wireless|wlan|ssid|hotspot|access[ ]point|network)(?:[ ](?:network|called|named|is|ssid|at|name)){0,3}[ ]{1,2})\K[\"'\u201c\u2018`][^\"'\u201d\u2019`\n]{1,32}[\"'\u201d\u2019`]",
        "wifi wi-fi wireless wlan ssid hotspot access network",
    ),
    (
        "SSID",
        0.8,
        r"(?i:\b(?:wi-?fi|wlan|wireless|ssid|hotspot)[ ](?:network[ ])?(?:called|named|is|is[ ]called|ssid|name|network)?[ ]?|\b(?:wi-?fi|wlan|wireless|network)[ ](?:key|password|code|passphrase)[ ](?:of|for|to)[ ](?:the[ ])?|\b(?:joins?|joining|joined|connect(?:s|ed|ing)?[ ](?:only[ ])?to|associated[ ]with|roams?[ ]to|switch(?:es|ed)?[ ]to)[ ](?:the[ ])?(?:wi-?fi[ ]|wlan[ ]|ssid[ ]|network[ ])?)(?=[\w!-]{0,30}[\d_!-]|\p{Lu}[\p{L}]{1,30}[ ]Home\b)(?!(?i:wi-?fi|wlan|802|wpa|5|2\.4|ghz|usb|vpn|a|an|the|its|on|off|direct|calling|sense|network|networks|is|not|adapter|driver|card|router|domain)\b)(?![\w.-]*@|[\w-]*\.\w|\d)\K\p{L}[\w!-]{2,31}(?:[ ](?:Home|Guest|Gast|WLAN|WiFi|5G|\d{3,5}))?(?![\w\\@])",
        "wifi wi-fi wlan wireless ssid hotspot join connect associated roam switch",
    ),
    (
        "SSID",
        0.82,
        r"(?i:\b(?:bssid|associated[ ]with|wlan\d?|en\d|wifi|connected[ ]to|roam\w*)\b[^\n\"]{0,50}\(?\")\K[^\"\n]{1,32}(?=\")",
        '"',
    ),
    (
        "SSID",
        0.8,
        r"\b(?:[Ll]inksys\d{5}|VM\d{7}(?:[_-]?5G)?|VIRGIN\d{3,5}|Telstra[A-Z\d]{6}|MOVISTAR_\w{4}|TALKTALK-?\w{6}|PLUSNET-\w{4,6}|EE-\w{6}|Orange-\w{4,6}|Vodafone_\w{4,10}|ZTE_\w{4,6}|HUAWEI-\w{4,8}|TP-LINK_\w{4,8}|dlink-\w{4}|D-Link-\w{4,6}|ASUS_\w{2,4}(?:_5G)?|belkin\.\w{3,4}|ATT[a-zA-Z\d]{7}|MySpectrumWiFi\w{2}(?:-5G)?|CenturyLink\d{4}|Verizon_\w{6}|Fios-\w{5}|JioFi(?:ber)?[-_]\w{4,8}|Airtel_\w{4,14}|Fastweb-\w{4,8}|TIM-\d{8}|Telia-\w{6}|Bbox-\w{6,8}|NUMERICABLE-\w{4}|SKY[A-Z]{5}|o2-WLAN\d{2,4}|EasyBox-\w{6}|Tele2-\w{4,6}|FRITZ!Box(?:[ ](?:Fon|Gastzugang|WLAN|Cable|\d{3,5}|\w{2})){1,4}|NETGEAR\d{2}(?:-5G)?|TP-Link_\w{4,8}|Linksys\d{5}|Vodafone-\w{4,8}|WLAN-\d{4,8}|SKY[\dA-F]{5}|BT\w{0,3}Hub\d?-\w{4}|DIRECT-\w{2}-[\w-]{2,24}|Livebox-\w{4}|SFR_\w{4}|Freebox-\w{6}|AndroidAP_?\d{0,4}|UPC\d{6,8}|Ziggo\w{4,8}|KPN\w{4,8}|xfinitywifi)\b",
        "fritz netgear tp-link linksys vm virgin telstra movistar_ talktalk plusnet- ee- orange- zte_ huawei- dlink- d-link- asus_ belkin. att myspectrum centurylink verizon_ fios- jiofi airtel_ fastweb- tim- telia- bbox- numericable- o2-wlan easybox- tele2- vodafone wlan- sky bt direct- livebox sfr_ freebox androidap upc ziggo kpn xfinity",
    ),
    (
        "SSID",
        0.3,
        r"(?<![\w./\\@-])[\w-]{3,28}[-_](?i:5g(?:hz)?|2\.?4g(?:hz)?|guest|gast|wifi|wlan|iot|staff|ext)(?![\w-]|\.\w)",
        "5g 4g guest gast wifi wlan iot staff ext",
        None,
        "wifi wi-fi wlan ssid network wireless joins join joined connect connected hotspot access fi",
    ),
)

# Addresses without their usual separators, and names that say what kind of machine they are.
_SHORT: Final = patterns(
    (
        "MAC",
        0.82,
        r"(?<![\w-])[0-9A-F]{12}(?![\w-])",
        "",
        _is_mixed_hex,
    ),
    (
        "MAC",
        0.3,
        r"(?i)(?<![\w-])[0-9a-f]{12}(?![\w-])",
        "",
        lambda text: any(map(str.isdigit, text)),
        "mac hw hardware address addr nic ethernet ether wlan wifi wi-fi fi card adapter dhcp reservation whitelist allowlist port switch radius bssid ap lan device register registered",
    ),
    (
        "MAC",
        0.84,
        r"(?i)(?<![\w:-])(?:[0-9a-f]{6}[:-][0-9a-f]{6}|[0-9a-f]{4}([:-])[0-9a-f]{4}\1[0-9a-f]{4}|(?:[0-9a-f]{2}\.){5}[0-9a-f]{2})(?![\w:-]|\.\w)",
        "",
        _is_mixed_hex,
    ),
    (
        "MAC",
        0.3,
        r"(?i)(?<![\w:-])[0-9a-f]{2}(?:[ ][0-9a-f]{2}){5}(?![\w:-]|[ ][0-9a-f]{2}\b)",
        "",
        _is_mixed_hex,
        "mac hw hardware address addr nic ethernet ether wlan wifi card adapter dhcp reservation whitelist",
    ),
    (
        "HOST",
        0.85,
        r"(?i)(?<![\w./\\@-])(?:desktop|laptop|win|lap|pc|nb|mac|mbp)-(?=[a-z\d]{0,10}\d)(?=[\d]{0,10}[a-z])[a-z\d]{6,11}(?![\w-]|\.\w)",
        "desktop- laptop- win- lap- pc- nb- mac- mbp-",
        lambda text: not is_english(text.lower().split("-")[1].strip("0123456789")),
    ),
    (
        "HOST",
        0.3,
        r"(?<![\w./\\@&%$-])(?:DC|FS|EX|TS|DB|WEB|APP|SQL|RDS|VM|HV|NAS|SRV|CTX|ESX)-?\d{1,2}(?![\w@\\(.-]\w|\w)",
        "",
        None,
        "server servers host hosts domain controller controllers dc replication sync synced ping rdp reboot rebooted restart restarted down unreachable offline patch patched vm vms failover node nodes",
    ),
    digits=True,
)

MACHINES: Final[tuple[IdentifierPattern, ...]] = (
    *_BY_SCHEME, *_BY_FORM, *_IN_PROSE, *_OTHER, *_SHORT,
)  # fmt: skip
