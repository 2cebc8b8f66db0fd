# SPDX-License-Identifier: Apache-2.0
"""The many forms in which people and machines stand in tickets, and what looks like them."""
# ruff: noqa: E501 - tables of cases

import pytest

MASKED = [
    # people
    ("My manager Anna Schmidt approved it", "Anna Schmidt", "PERSON"),
    ("Thanks,\nDeborah Ring\nBuyer", "Deborah Ring", "PERSON"),
    ("hey tom, the pc is slow", "tom", "PERSON"),
    ("[10:02] Priya: reboot pls", "Priya", "PERSON"),
    ("From: Leif Iversen <x@y.zz>", "Leif Iversen", "PERSON"),
    ("On Mon Jane Doe wrote:\n> hi", "Jane Doe", "PERSON"),
    ("laptop of Daniel van Dongen (old)", "Daniel van Dongen", "PERSON"),
    ("桂芳 袁 cannot log on to Teams", "桂芳 袁", "PERSON"),
    ("Владимир Иванов has no sound in the meeting room", "Владимир Иванов", "PERSON"),
    ("Name;Device\nEva Novak;B1", "Eva Novak", "PERSON"),
    # accounts
    (r"net use Z: \\fs\x /user:ACME\kim.lee Winter22!", "Winter22", "SECRET"),
    ("pls unlock bwagner asap", "bwagner", "USERNAME"),
    ("username jsmith / password welcome567", "jsmith", "USERNAME"),
    ("uid=501(kdavis) gid=20(staff)", "kdavis", "USERNAME"),
    ("-rw-r--r--  1 kdavis staff 12 a.txt", "kdavis", "USERNAME"),
    ("jane(at)corp.com bounced", "jane(at)corp.com", "EMAIL"),
    ("kdavis@ubuntu-ws:~$ ls", "kdavis", "USERNAME"),
    ("mount //nas01/share fails", "//nas01/share", "UNC_PATH"),
    ("Account Domain:\t\tACME", "ACME", "DOMAIN"),
    # machines
    ("10.0.0.5-10.0.0.9 are taken", "10.0.0.9", "IP"),
    ("IP:10.1.2.3 is mine", "10.1.2.3", "IP"),
    ("its MAC is a7b1.d758.9968.", "a7b1.d758.9968", "MAC"),
    ("mac address 001A2B3C4D5E", "001A2B3C4D5E", "MAC"),
    ("KRAMER-M12291 is offline", "KRAMER-M12291", "HOST"),
    ("anna-macbook-pro is slow", "anna-macbook-pro", "HOST"),
    ("ping vpn.kramer-group.de fails", "vpn.kramer-group.de", "HOST"),
    ("| host | user |\n|---|---|\n| quokka | x |", "quokka", "HOST"),
    ("asset tag 204481", "204481", "SERIAL"),
    ("the wifi password of FRITZ!Box 5545 is DINK-96239066", "DINK-96239066", "SECRET"),
    ("laptop joins Wolf_5G but gets no address", "Wolf_5G", "SSID"),
    # secrets
    ("password for r.butler is monkey808, change it", "monkey808", "SECRET"),
    ("FileVault key: AB12-CD34-EF56-GH78-IJ90-KL12", "AB12-CD34", "SECRET"),
    ("my PIN is 4821", "4821", "SECRET"),
    ("-----BEGIN PGP PRIVATE KEY BLOCK-----\nxyz\n-----END PGP PRIVATE KEY BLOCK-----", "xyz", "SECRET"),
    # numbers
    ("Aadhaar 2363 5842 8019 given", "2363 5842 8019", "NATIONAL_ID"),
    ("PAN ABCPK1234F", "ABCPK1234F", "NATIONAL_ID"),
    ("NI number AB 12 34 56 C", "AB 12 34 56 C", "NATIONAL_ID"),
    ("codice fiscale RSSMRA85T10A562S", "RSSMRA85T10A562S", "NATIONAL_ID"),
    ("my SSN 219-09-9999", "219-09-9999", "SSN"),
    ("IBAN gb82west12345698765432", "gb82west12345698765432", "IBAN"),
    ("amex 3782 822463 10005", "3782 822463 10005", "CARD"),
    ("driver's license A1234567", "A1234567", "LICENCE"),
    ("passport no. X1234567", "X1234567", "PASSPORT"),
    ("born on 16 November 1982", "16 November 1982", "DATE"),
    ("badge B-4471 is lost", "B-4471", "EMPLOYEE"),
    ("tel 030/1234567", "030/1234567", "PHONE"),
    ("call 06 12 34 56 78 today", "06 12 34 56 78", "PHONE"),
    ("(487) 364-7593 ext. 824", "ext. 824", "PHONE"),
    ("desk phone 2958", "2958", "PHONE"),
    # addresses
    ("Ship it to 12 High Street, London SW1A 1AA.", "12 High Street, London SW1A 1AA", "ADDRESS"),
    ("ich wohne Lindenallee 7, 10115 Berlin", "Lindenallee 7, 10115 Berlin", "ADDRESS"),
    ("PSC 7004, Box 8380\nAPO AP 11949", "11949", "ADDRESS"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "gone", "entity"), MASKED)
def test_masks(masker, text, gone, entity):
    masked = masker.mask(text)
    assert gone not in masked.text
    assert f"<{entity}_" in masked.text


KEPT = [
    "Office 16.0.17328.20162 and Teams 24004.1309.2689.2246 crash with exception c0000409.",
    "Event ID 1001, bugcheck 0x0000007e, module ntkrnlmp.exe, see HKLM\\SYSTEM\\CurrentControlSet.",
    "KB5034441, MS17-010 and CVE-2024-21412 on Windows 11 22621.3007",
    "firmware 1.14.0.2 of the dock WD19S, driver 31.0.101.2111",
    "disable extensions, then ask Thunderbird Support or the Help Desk",
    "the user is locked out; user profiles and accounts are kept",
    "lost its account's password (1069)",
    "Internet Message Access Protocol (IMAP) and Client Access Server (CAS)",
    "C:\\Program Files (x86)\\Mozilla Thunderbird\\thunderbird.exe",
    "{8A69D345-D564-463C-AFF1-A69D9E530F96} and org.gnome.Shell and com.apple.Safari",
    "2024-02-11 08:15:22 ERROR 0x80070005 in line 42",
    "INC0012345 waits, priority 2, since 14:30",
    "nslookup learn.microsoft.com, then https://support.apple.com/HT201234",
    "set UTF-8, AES-256, SHA-256, WPA2, USB-C 3.2 and HDMI 2.1",
    "802.11ac on 5 GHz, MTU 1500, DNS port 53",
    "rc.local, resolv.conf and systemd-resolved.service",
]  # fmt: skip


@pytest.mark.parametrize("text", KEPT)
def test_keeps(masker, text):
    assert masker.mask(text).text == text


def test_people_in_another_script_are_left_where_the_text_is_in_it(masker):
    text = "印刷できません。ドライバーを更新しました。"
    assert masker.mask(text).text == text


def test_the_directory_changes_without_a_new_analyser(masker):
    masker.warm_up()
    before = masker._engine
    masker.set_directory(["Page Vexholt"])
    assert masker.mask("page vexholt called").text == "<PERSON_1> called"
    masker.set_directory([])
    assert masker.mask("page vexholt called").text == "page vexholt called"
    assert masker._engine is before


def test_a_credential_across_the_pieces_of_a_long_text_is_masked(masker):
    key = "-----BEGIN PRIVATE KEY-----\n" + "MIIBVQIBADANBgkq\n" * 120 + "-----END PRIVATE KEY-----"
    for length in (15_000, 16_300, 16_384):
        masked = masker.mask("plain words \n" * (length // 13) + key + "\n" + "x y\n" * 5000)
        assert "MIIB" not in masked.text
