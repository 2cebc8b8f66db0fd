# SPDX-License-Identifier: Apache-2.0
"""What pasted commands, events, queries and lists hold is masked by the place where it stands."""

import pytest

MASKED = [
    ("Get-ADUser sales8 -Properties LockedOut", "sales8"),
    ("EventCode=4740 TargetUserName=sales8 Computer", "sales8"),
    ("Account For Which Logon Failed:  fabienne\nWorkstation Name: x", "fabienne"),
    ("Access denied for user 's-tickets'@'10.192.36.14'", "s-tickets"),
    ("Usuario montenegroa bloqueado en SAP", "montenegroa"),
    ("tried users jrobinso, kowalskip, and tfloresm. Blocked.", "tfloresm"),
    ("Leaver: Coleman, Dorothy (dcolemanx) last day", "dcolemanx"),
    ("connect string was batch_user/monkey7222@dbhost95:1521/ERP", "batch_user"),
    ("connect string was batch_user/monkey7222@dbhost95:1521/ERP", "monkey7222"),
    ("<morjea> anyone seeing packet loss", "morjea"),
    ("DB_USER=SA_reports\nHOST=1", "SA_reports"),
    ("Clone the groups from hassan6 please", "hassan6"),
    ("on a post-it: petrov8 / Lucky_6649!", "petrov8"),
    ("RE: INC23688 | Budniak | no audio", "Budniak"),
    ("caller_id=Helmuth Ring&short_description=x", "Helmuth Ring"),
    ("u_callback=45866&contact_type=phone", "45866"),
    ("GivenName         : Alexandra\nLockedOut : True", "Alexandra"),
    ('New-ADUser -GivenName "Oliwier" -Surname "Gapys"', "Gapys"),
    ('ConvertTo-SecureString "PDXymzb513?" -AsPlainText', "PDXymzb513"),
    ("    Key Content            : Guest-Mountain-7848", "Guest-Mountain"),
    ("new value 31D8Q~3xHa2p9Di6fMQxcxAqmw4yTSvb3OOufWod stored", "fMQxcx"),
    ("curl -u jdoe:SuperSecret9 https://a.example", "SuperSecret9"),
    ("sshpass -p SuperSecret9 ssh x", "SuperSecret9"),
    ("PGPASSWORD=SuperSecret9 psql", "SuperSecret9"),
    ("net user jdoe SuperSecret9 /add", "SuperSecret9"),
    ("Set-Cookie: JSESSIONID=8A1F33D0; Path=/", "8A1F33D0"),
    ('{"password": "correct horse battery"}', "correct horse"),
    ("<password>correct horse battery</password>", "battery"),
    ("<user>jdoe</user>", "jdoe"),
    ("I've set it to Initial24# - please change", "Initial24#"),
    ("dobre@amberg-mb.com:P@ssw0rd47, next one", "P@ssw0rd47"),
    ("Old name notebook-569, new name unknown", "notebook-569"),
    ("la stampante zebra-ham-55 non stampa", "zebra-ham-55"),
    ("** PROBLEM: amb-tst-sap-63 is CRITICAL **", "amb-tst-sap-63"),
    ("[ops@jenkins-prod-1 ~]$ df -h", "jenkins-prod-1"),
    ("Will bring laptop IT/PC/5060 on Monday", "IT/PC/5060"),
    ("wmic bios get serialnumber\nSerialNumber\n410789824235\n", "410789824235"),
    ("the wrong national ID for me. It should be 39159382509, not", "39159382509"),
    ("Es urgente, llamar al 661 663 650.", "661 663 650"),
    ("Visitor: Heather Smith, 01 Oct 1974", "1974"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "gone"), MASKED)
def test_masks(masker, text, gone):
    once = masker.mask(text).text
    assert gone not in once
    assert masker.mask(once).text == once


KEPT = [
    "Run the Get-Mailbox cmdlet and the Set-Mailbox command, then Get-MailboxDatabase FL",
    "<details><summary>How long does it take?</summary>",
    "On the accounts pane, click Server Settings; users report that it works",
    "open ADSI Edit (adsiedit.msc) or Task Manager (taskmgr.exe)",
    "docker pull library/postgres@sha256:1f2e3d, then npm i left-pad@1.3.0",
    "Windows-10-1909, iso-8859-1, us-east-1, TLS-1-2 and CVE-2024-3094",
    "HKLM\\SOFTWARE | 0x80070005 | Access is denied | Windows Update",
    "TCP/UDP/443 and RFC 1918; the epoch is 1970-01-01",
    "set it to DHCP and set this to 1500 bytes",
]  # fmt: skip


@pytest.mark.parametrize("text", KEPT)
def test_keeps(masker, text):
    assert masker.mask(text).text == text
