# SPDX-License-Identifier: Apache-2.0
"""What the shape of a word, its place or the words around it give away, and what they do not."""

import pytest

from guardrails.identifier_tokens import judge_token

MASKED = [
    # one word, by its shape
    ("Clone of mumapp041q failed", "mumapp041q"),
    ("Uplink of muc-acc-2og-01 flaps", "muc-acc-2og-01"),
    ("QWMUN88231 froze twice", "QWMUN88231"),
    ("HOFMAN07 is locked out", "HOFMAN07"),
    ("x884213 has no licence", "x884213"),
    ("Sticker: JK83L12", "JK83L12"),
    ("DC-LINDAU answers no logon on the server", "DC-LINDAU"),
    ("SRVMAIL has no space on drive C", "SRVMAIL"),
    # accounts
    ("ran the script as pnowakowski.", "pnowakowski"),
    ("[sudo] password for wbrandt:", "wbrandt"),
    ("bind as svc_ldapread fails", "svc_ldapread"),
    ("username is mkowalski and he forgot it", "mkowalski"),
    ("please add kpark to VPN group", "kpark"),
    # machines
    ("the vm was moved from ora21 to ora22", "ora22"),
    ("We lost connection to thor.", "thor"),
    ("neptun is down again", "neptun"),
    ("Hostname kiosk-lobby shows a blue screen", "kiosk-lobby"),
    ("MBP-okafor does not report", "MBP-okafor"),
    # labels with words between
    ("the service tag, I think it reads 8HTQ2M3", "8HTQ2M3"),
    ("wlan profile KL-Visitors-3F is gone", "KL-Visitors-3F"),
    ("My PIN was 1180, so I changed it to 6604 today", "6604"),
    ("I set the password yesterday to Herbst!23", "Herbst!23"),
    ("SSN on record is 412 55 9012", "412 55 9012"),
    ("Nadia Petrova (00381920) left", "00381920"),
    ("bind CN=Smith\\, John,OU=Users,DC=acme,DC=example failed", "Smith\\, John"),
    # people
    ("Transferred from K.M. to T.W., who is on site", "T.W."),
    ("Handed over by MF, please look", "MF"),
    ("Nothing prints since noon. aoife", "aoife"),
    ("Who closed this?? /Per", "Per"),
    ("Works again now. Wojciech Zielinski", "Wojciech Zielinski"),
    ("no. 48213 / Hofmann, Luisa / no sound", "Hofmann, Luisa"),
    ("a visitor's phone (Chiara Bonetti), today only", "Chiara Bonetti"),
    ("I told yusuf demirel already", "yusuf demirel"),
    # addresses
    ("site: 14/220 Joinery Turn, West Millford 4021, ring twice", "14/220 Joinery Turn"),
]


@pytest.mark.parametrize(("text", "gone"), MASKED)
def test_masks(masker, text, gone):
    assert gone not in masker.mask(text).text


KEPT = [
    "Set-MsolUserLicense for Office365 E3, M365 and Win11 on a T480s with an i7-1185G7.",
    "MS-CHAPv2, IPv4, SHA256, ECDHE-RSA-AES256-GCM-SHA384, H.264, ED25519 and USB-C",
    "port Gi1/0/4 of vlan20, interface eth0, disk nvme0n1p1 and /dev/sda1",
    "kernel32.dll, user32 and msvcp140 of Windows Server 2012R2 22H2, 64-bit",
    "error HCW8110, AADSTS50012, event 4625, 0x80070005 and KB5034441",
    "HP HL-L2350DW and Brother MFC9340 print; the WD19S dock does not charge",
    "the server is down, nobody answers and the printer does not respond",
    "moved the mailbox from Exchange 2016 to Exchange 2019 on the same server",
    "Sign in as an administrator. Run the command as root. The login was successful.",
    "the service tag is missing and the serial number is hard to read",
    "change the password to a longer one; the PIN must have 6 digits",
    "wifi network is slow, WPA2-PSK on 802.11ac, Wi-Fi 6",
    "Reassigned to IT because of HR. Escalated to the VPN team (Network Support).",
    "Restarted the service twice. thanks",
    "It works again. please close",
    "- Get-Mailbox\n- Set-Mailbox\n- Enable-RemoteMailbox",
]


@pytest.mark.parametrize("text", KEPT)
def test_keeps(masker, text):
    assert masker.mask(text).text == text


def test_a_long_word_is_no_identifier_and_a_short_one_neither():
    assert judge_token("a1") is None
    assert judge_token("nf" + "sql018p" * 8) is None
