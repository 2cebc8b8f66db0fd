# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: SIM905 - tables
"""Single words that look like identifiers: letters mixed with digits, and no word of the trade.

A name such as `nfsql018p`, `PC0497940` or `ber-sw-3f-05` says nothing to who does not know the
tenant, and everything to who does. So a word is taken for an identifier by its shape, unless it is
a number with a unit, a hexadecimal code, a name with capitals inside as programs have, or begins
with a word of products, standards or prose. What shape alone does not tell counts beside a word
about machines, accounts or labels. Whether it is a host or an account matters less than that no
piece of it is left.
"""

from collections.abc import Sequence
from typing import Any, Final

import regex  # type: ignore[import-untyped]  # presidio's engine; ships no types

from guardrails.findings import find_all, make_result
from guardrails.ordinary_words import ORDINARY_WORDS
from guardrails.pattern_parts import LANGUAGE, compile_bounded
from guardrails.plain_words import is_plain
from guardrails.presidio_runtime import LocalRecognizer, RecognizerResult

_SCORE: Final = 0.66
_WEAK_SCORE: Final = 0.3  # counts beside a word of context
_MIN_CHARACTERS: Final = 4
_SHORT: Final = 2
_SHORT_PART: Final = 4  # up to this it may be an acronym that we do not know
_MAX_CHARACTERS: Final = 32
_TOKEN: Final = compile_bounded(
    r"(?<![\w./\\@%$&+~-])(?=[A-Za-z-]{0,31}\d)(?=[\d-]{0,31}[A-Za-z])"
    r"[A-Za-z0-9]{1,32}(?:-[A-Za-z0-9]{1,32}){0,5}(?![\w@\\/(%]|[.-]\w)"
)
# Without a digit: a kind of machine and a place, a department or a letter.
_JOINED: Final = compile_bounded(
    r"(?<![\w./\\@%$&+~-])(?:[A-Z]{2,12}(?:-[A-Z]{1,12}){1,4}|[a-z]{2,12}(?:-[a-z]{1,12}){1,4})"
    r"(?![\w@\\/(%]|[.-]\w)"
)
_NUMBER_FIRST: Final = compile_bounded(
    r"\d+[A-Za-z]+|\d\dH\d|\d+(?:-[A-Za-z]+)+|\d{8}T\d{6}Z?|\d{4}-\d\d-\d\dT\d{1,6}Z?"
)
_THREAD: Final = compile_bounded(
    r"(?:[a-z]{2,12}-){0,3}(?:nio\d?-)?(?:\d{1,5}-){0,2}(?:[a-z]{2,12}-){0,2}(?:exec|thread|worker|executor|scheduler|poller|acceptor|task|dispatcher|eventloop|timer|consumer|listener|forkjoinpool|pool)-\d{1,5}(?:-(?:thread|exec|worker)-\d{1,5})?"
)
_INTERFACE: Final = compile_bounded(
    r"(?:wl|en|ww|ib)(?:[op]|x[0-9a-f]{12}|s)?\d{0,3}(?:[pfdns]\d{1,3}){0,4}(?:u\d(?:i\d)?)?|(?:eth|wlan|usb|docker|br|tun|tap|virbr|bond|vlan|veth|utun|awdl|llw|anpi|ap|gif|stf)\d{1,4}(?:\.\d{1,4})?"
)
_HEXADECIMAL: Final = compile_bounded(r"(?i)0x[0-9a-fx]+|(?:[0-9a-f]{2})+")
_STAFF_NUMBER: Final = compile_bounded(r"[a-z]\d{5,6}")
_PIECES: Final = regex.compile(r"[A-Za-z]+|\d+")
_WORD_BEFORE: Final = compile_bounded(r"([A-Za-z]+)[ :#\"'(=]{1,3}\Z")
_CHARACTERS_BEFORE: Final = 24

# Begins what everybody has: standards, ciphers, files, interfaces, messages, editions.
TECHNICAL: Final = frozenset(
    """
    aad aadsts ac ad adr aes ai aix alc amd ansi api arm art asp ata ath atom attr avx bcm be bios
    book bt cal camellia cat cbc ccm chacha chap class clsid cm cmd col com core cp cpu crc cu curve
    cve cx d3d dav dbf dbs ddr des dh dhe directx dma dns docx dot dotnet dp dpapi dsa dvd ecb ecc
    ecdh ecdhe ecdsa ecma ed edp eap efi el emf en enp ens eno err error esp eth event evo ex exch
    ext ext4 fat fc fedora fido fips firefox float fx gb gbe gcc gcm gen gpu grade gt gtk gtx
    h hci hcw hd hdmi hdr hevc hex hmac html http https hypr i ie iec ieee iis ikev imap inc int
    ios ip ipad iphone ipp ipsec ipv ipx irq iso isatap itu java jdk jis jpeg jre js kb kde
    kernel kex koi l laser latin layer ldap level lfs lib libc libre line log lpddr lpt lte lto luks
    lvm lz m mac macos mapi mc md mdm mfc mime mode model module mono mov mp mpeg ms mschap mssql
    mst msvcp msvcr msxml mtu mvm net netbios nfs ng nist node ntfs ntlm ntlmv num nvme nvm o
    oauth oauthv odbc ofdm office ole ora os osx otf outlook p pbkdf pcie pci pcl pdf perl pfs pgp
    php pid pip pkcs png po point poly pop port post ppp prb proplus ps psk psr pt pxe py python qt
    quic r raid ram rc realm reg req rev rfc rgb rhel ritm rj rng room rs rsa rtl rtx ru ruby rx
    sas sata sc sctask script sd sda sdb sdc sdd sdk sha sheet shell sles slot smb smbv smbus smime
    sms snmp snmpv socks sp spf sr srp srtp ssd sse ssh ssl sslv step stop str sub sys system
    systemd t table task tb tcp tds tf tga tif tkip tls tlsv tpm trap tun tap type ubuntu udf udp
    uefi uhd uint unicode up usb user utc utf uuid v var vb vba vc vcruntime ver version vga vlan vm
    vol volume vp vt vtx w wasm wav web webgl webrtc webview wep wifi win windows winrm wlan wlp wow
    wpa wps ws x xbox xeon xexch xfs xhtml xml xp xps z zip zlib gi te fa ge hu mig twe lo veth
    bond br docker virbr wlo wwan ens tty ttys ttyusb hda vda xvd loop dm zram sr nbd emmc mmcblk
    lenovo dell hp ibm epson canon brother thinkpad latitude optiplex elitebook probook surface
    galaxy pixel cannon kyocera ricoh lexmark xerox samsung intel nvidia geforce radeon ryzen
    """.split()
)  # fmt: skip
# Before the name of a message, a model or a version, which is nobody's.
_NAMING: Final = frozenset(
    """
    error errors code codes exception event status alert bugcheck warning stop message hresult
    result id ids model version release build edition type series chip chipset processor cpu gpu
    driver firmware bios adapter kernel update hotfix cve advisory bulletin standard cipher
    suite algorithm protocol cell range column row sheet field function format codec encoding
    charset section rfc figure table key registry module package library class licence license plan
    sku dell hp hpe lenovo ibm brother canon epson kyocera ricoh lexmark xerox konica sharp samsung
    apple asus acer msi intel amd nvidia realtek qualcomm broadcom mediatek marvell atheros cisco
    meraki aruba ubiquiti juniper fortinet fortigate netgear zebra logitech jabra poly plantronics
    yealink sony lg benq aoc eizo philips toshiba seagate crucial kingston sandisk micron wd
    synology qnap apc thinkpad thinkcentre thinkstation thinkbook ideapad latitude optiplex
    precision inspiron xps vostro elitebook probook zbook elitedesk prodesk laserjet officejet
    deskjet pagewide surface galaxy pixel iphone ipad macbook imac office windows server exchange
    macos ubuntu debian java gen core xeon ryzen geforce quadro radeon dock monitor
    """.split()
)  # fmt: skip
# Parts that names of machines are made of.
_KINDS: Final = frozenset(
    """
    srv svr sw swi rtr fw ap wap ac prn prt print ps dc fs nas san esx esxi hv vm vdi rds ts ctx
    sql db erp crm app web mail exch lt nb pc ws wks wkst dt lap mbp mba mac tab kiosk cam nvr ups
    core acc dist edge idf mdf ilo idrac bmc host node dev tst uat stg prd prod bkp backup dns dhcp
    ad adm jump term term file data mgmt mon ftp proxy vpn gw lb
    """.split()
)  # fmt: skip
# Those of the kinds that are no words of prose.
_MACHINES: Final = _KINDS - frozenset(
    "ac acc ad adm app cam core data dev dist edge file ftp mail mac mon node host print proxy ps"
    " tab term ts ups vpn jump tst".split()
) | {"ts", "app", "node", "print"}
_ENDS: Final = ("DC", "FS", "SQL", "SRV", "SVR", "PRT", "PRN", "RDS", "NAS", "ESX", "WEB", "APP")
_CONTEXT: Final = frozenset(
    """
    server servers host hosts hostname vm vms switch queue node machine laptop notebook computer
    workstation pc device printer router firewall cluster rdp ping ssh reboot rebooted restart
    restarted migrated moved name named user username userid account alias login logon log logged
    serial tag asset sticker label s/n sudo su runas bind owner domain dc share backup badge
    employee personnel staff ticket desktop client unreachable offline online reachable imaged
    dns lookup nslookup resolve drive mapped connection connect connected remote vpn rack vlan
    registered disconnected gateway jumphost monitoring vcenter overload patch scanner tablet
    loaner loan carbon due handheld ap
    """.split()
)


class TokenRecogniser(LocalRecognizer):
    """Identifiers by the shape of one word."""

    def __init__(self) -> None:
        super().__init__(
            supported_entities=["HOST", "USERNAME", "SERIAL", "EMPLOYEE"],
            supported_language=LANGUAGE,
        )

    def load(self) -> None:
        """Do nothing: there is no model."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: Any = None
    ) -> list[RecognizerResult]:
        """Return the words that look like identifiers; the doubtful with a low score."""
        del entities, nlp_artifacts
        results = []
        for match in find_all(_TOKEN, text):
            start, end = match.span()
            judged = judge_token(match.group())
            if judged is None or _is_named(text[max(0, start - _CHARACTERS_BEFORE) : start]):
                continue
            entity, score = judged
            context = _CONTEXT if score < _SCORE else None
            results.append(make_result(self, entity, start, end, score, context))
        if "-" in text:
            results += [
                make_result(self, "HOST", match.start(), match.end(), score, _CONTEXT)
                for match in find_all(_JOINED, text)
                if (score := _judge_joined(match.group()))
            ]
        return results


def _judge_joined(token: str) -> float:
    """Return the score of a kind of machine joined to what is no word; 0 if it is not that."""
    parts = token.lower().split("-")
    others = [part for part in parts if part not in _MACHINES]
    strange = [part for part in others if len(part) == 1 or not _is_known(part)]
    if len(others) == len(parts) or not strange:
        return 0
    if len(parts) - len(others) > 1:
        return _SCORE
    is_long = max(map(len, strange)) > _SHORT_PART
    return _SCORE if token.isupper() and is_long else _WEAK_SCORE


def _is_named(before: str) -> bool:
    """Say whether the word before makes what follows a code, a model or a version."""
    match = _WORD_BEFORE.search(before)
    return match is not None and match.group(1).lower() in _NAMING


def judge_token(token: str) -> tuple[str, float] | None:
    """Return entity and score of a word of letters and digits; None where everybody has it.

    >>> judge_token("SHA256"), judge_token("nfsql018p")
    (None, ('HOST', 0.66))
    """
    if not _MIN_CHARACTERS <= len(token) <= _MAX_CHARACTERS:
        return None
    if _NUMBER_FIRST.fullmatch(token) or is_thread(token) or is_interface(token):
        return None
    if _HEXADECIMAL.fullmatch(token) and not _STAFF_NUMBER.fullmatch(token):
        return None
    if "-" in token:
        return _judge_parts(token)
    if token.isupper():
        return _judge_capitals(token)
    return _judge_small(token) if token.islower() else None


def is_thread(token: str) -> bool:
    """Say whether a token is what a program calls a thread: `http-nio-8443-exec-7`.

    >>> is_thread("pool-2-thread-14"), is_thread("exec-berlin-07")
    (True, False)
    """
    return _THREAD.fullmatch(token) is not None


def is_interface(token: str) -> bool:
    """Say whether a token is an interface of a network as Linux calls them: `wlp2s0`."""
    return _INTERFACE.fullmatch(token) is not None


def _is_known(letters: str) -> bool:
    lower = letters.lower()
    return lower in TECHNICAL or lower in ORDINARY_WORDS or (len(lower) > 2 and is_plain(lower))


def _judge_parts(token: str) -> tuple[str, float] | None:
    """Judge a word with hyphens: site, kind and number, in any order."""
    parts = token.split("-")
    letters = [piece.lower() for piece in _PIECES.findall(token) if piece.isalpha()]
    kinds = sum(piece in _KINDS for piece in letters)
    strange = sum(not _is_known(piece) for piece in letters)
    one_case = token.isupper() or token.islower()
    if letters and letters[0] in TECHNICAL - _KINDS and not _is_random(parts[-1]):
        return None
    if one_case and _is_numbered(parts, strange):
        return "HOST", _SCORE
    if len(parts) > 2 and one_case and parts[-1] not in {"based", "bit", "fs"}:
        is_sure = (kinds and (strange or kinds > 1)) or (token.isupper() and strange > 1)
        is_weak = strange and len(parts[0]) > 1
        return ("HOST", _SCORE if is_sure else _WEAK_SCORE) if is_sure or is_weak else None
    if one_case and parts[0].lower() in _MACHINES and parts[-1][0].isalpha():
        return "HOST", _SCORE
    if one_case and (kinds or strange) and len(letters) > 0 and len(parts[0]) > 1:
        return "HOST", _WEAK_SCORE
    return None


def _is_numbered(parts: Sequence[str], strange: int) -> bool:
    """Say whether letters and numbers alternate over the parts: `de197-nbk430`, `LDNW7-0311`."""
    mixed = sum(_is_mixed(part) for part in parts)
    long_number = any(part.isdigit() and len(part) > _SHORT for part in parts)
    return bool(
        (strange and (mixed > 1 or (mixed and long_number)))
        or (len(parts[0]) > 1 and any(map(_is_random, parts)))
    )


def _is_mixed(part: str) -> bool:
    return part[:1].isalpha() and part[-1:].isdigit()


def _is_random(part: str) -> bool:
    """Say whether letters and digits alternate as nobody would choose: `8MT7UE`."""
    return len(part) > _SHORT_PART and len(_PIECES.findall(part)) > _SHORT


def _judge_capitals(token: str) -> tuple[str, float] | None:
    pieces = _PIECES.findall(token)
    head, n_digits = pieces[0], sum(character.isdigit() for character in token)
    if len(pieces) > 3 and len(token) > 5 and n_digits > 1:
        is_serial = head.lower() not in TECHNICAL or len(head) <= _SHORT or len(token) > 8
        return ("SERIAL", _SCORE) if is_serial else None
    if not head.isalpha() or len(pieces) > 3:
        return "SERIAL", _WEAK_SCORE
    if _is_known(head):
        is_long = n_digits > 5 and len(pieces) == 2
        return ("SERIAL", _SCORE) if is_long and _may_be_numbered(head) else None
    if (len(head) == 1 and n_digits > 4) or (len(head) > 1 and n_digits > 3):
        return "EMPLOYEE" if len(head) == 1 else "HOST", _SCORE
    if len(head) > 3 and (n_digits > 1 or head.endswith(_ENDS)):
        return "HOST", _SCORE
    return ("HOST", _WEAK_SCORE) if len(token) > _MIN_CHARACTERS else None


def _may_be_numbered(head: str) -> bool:
    """Say whether many digits after a known word number the tenant's things, not messages."""
    return head.lower() not in TECHNICAL or head.lower() in {"p", "m", "t", "w", "v", "x", "z"}


def _judge_small(token: str) -> tuple[str, float] | None:
    pieces = _PIECES.findall(token)  # one where the digit that was looked for is beyond its end
    if (
        len(pieces) < 2
        or not pieces[0].isalpha()
        or len(pieces) > 3
        or len("".join(pieces[2:])) > 2
    ):
        return None
    head, number = pieces[0], pieces[1]
    if len(head) == 1 and len(number) > 4 and len(pieces) == 2:
        return "USERNAME", _SCORE
    if number in {"32", "64"} or (head not in _KINDS and _is_known(head)):
        return None
    if head in _KINDS:
        is_year = number.startswith(("19", "20")) and len(number) == 4
        return None if is_year else ("HOST", _WEAK_SCORE)
    if len(head) < 3:
        return ("USERNAME", _SCORE) if len(number) > 3 else None
    return ("HOST", _SCORE) if len(number) > 1 else ("USERNAME", _WEAK_SCORE)
