# SPDX-License-Identifier: Apache-2.0
"""What single words give away: names of lists, passwords by their look, accounts and hosts."""

import time

import pytest

from guardrails.account_words import is_account_like, is_account_of_word
from guardrails.secret_tokens import rate_secret
from guardrails.spelling import is_misspelt
from guardrails.vocabulary import is_english

MASKED = [
    # people of our lists, wherever they stand
    ("anyone around? priya at the front desk says the scanner is down", "priya"),
    ("mbp-dal884 -> done (Noora), the other failed", "Noora"),
    ("Loaner goes to Roch, Jędrzej. due back on Friday", "Roch, Jędrzej"),
    ("approver is lehtonen, emma", "lehtonen, emma"),
    ("Dr. Hannelore Voss", "Dr."),
    ("walked Nguyen Thi Thuy through the enrolment", "Thuy"),
    # passwords in any wording
    ("I reset her to Welcome2Acme! and told her to change it", "Welcome2Acme!"),
    ("he wrote it on a sticky note: Tr0ub4dor&3. Everybody saw it", "Tr0ub4dor&3"),
    ("It keeps rejecting Aut0mn_Leaves although I typed it thrice", "Aut0mn_Leaves"),
    ("Tried both Spring#2024 and Summer#2024, neither worked", "Summer#2024"),
    ("password:\nSommer!2025", "Sommer!2025"),
    ('The passphrase is "correct horse battery staple" on both', "correct horse"),
    ("the combination adeshpan / marble-Coffee-48 works", "marble-Coffee-48"),
    ("pw is AQyc-DZus-ohum on the local admin", "AQyc-DZus-ohum"),
    ("the password is banana, really", "banana"),
    ("ldapsearch -x -D cn=x -w L3m0n227 -H ldap://a", "L3m0n227"),
    ("passwords: apple12, grape!x and pear77", "apple12"),
    # accounts
    ("jlindqvist is locked out again", "jlindqvist"),
    ("add hbrandt, kfeld and omeyer to the group", "omeyer"),
    ("account for abdulr expired", "abdulr"),
    ("Belonged to millerm?", "millerm"),
    ("Unlocked t.vaidya.", "t.vaidya"),
    ("users: jdoe, bigtanaka and zorg", "zorg"),
    ("give e15929 modify on the share", "e15929"),
    ("Members: n14678, adm_e56807", "adm_e56807"),
    ("netdom resetpwd /userd:SRT\\francois.rocher", "francois"),
    # hosts
    ("Linux box tuxedo shows a kernel panic", "tuxedo"),
    ("server mercury is not answering", "mercury"),
    ("conn refused from app-node-7b to redis-main", "redis-main"),
    ("teams will not start on de197-nbk430", "de197-nbk430"),
    ("send again to W11-8MT7UE", "W11-8MT7UE"),
    ("sql login on SQLPROD-A", "SQLPROD-A"),
    ("ssh deploy@atlas-ci-04 hangs", "atlas-ci-04"),
    # networks
    ("no, my home one, BKM-Corp", "BKM-Corp"),
    ("SSID is Pretty Fly for a WiFi, channel 11", "Pretty Fly"),
    ("All the scanners on WarehouseScan drop every hour", "WarehouseScan"),
    # short numbers
    ("desk x5519", "5519"),
    ("Extension on display 2999", "2999"),
    ("vm left on 06.93.60.78.99", "06.93.60.78.99"),
    ("confirm on 0049 221 7850069", "7850069"),
    ("MAC LAN: 7DCDE9E13BD3", "7DCDE9E13BD3"),
    ("reservation for 9ceb-e84d-1102", "9ceb-e84d-1102"),
    ("whitelist A4C3F0:112233 please", "A4C3F0:112233"),
    ("hw address 9c eb e8 4d 11 02 not allowed", "9c eb e8"),
    ("the date of birth must be 8-Aug-1984", "8-Aug-1984"),
    ("DOB is the third of May 1979", "third of May"),
    ("my account PL53 0394 7732 4148 1131 7155 7259", "PL53"),
    # addresses of several countries, after words that ask for one
    ("shipped to 55, 3rd Floor, Shanti Niwas, Andheri West, Mumbai - 400 529. Thanks", "Andheri"),
    ("Shipping address 1-2-3 Kasumigaseki, Chiyoda-ku, Tokyo 100-0013", "Chiyoda"),
    ("send it to Unit 9, Fairfield Industrial Estate, Cork T12 X2Y3", "Fairfield"),
    ("Deliver to: Av. Paulista 1578, apto 92, São Paulo - SP, 01310-200", "01310"),
    # encoded
    ("mail jane.doe%40corp.local now", "jane.doe"),
    ("contact jane.doe&#64;corp.local", "jane.doe"),
    ("jane[at]corp[.]local", "jane"),
    ("open hxxps://git.kramer-group[.]de/team", "kramer"),
    ("Gr=C3=BC=C3=9Fe, J=C3=BCrgen M=C3=BCller", "M=C3"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "gone"), MASKED)
def test_masks(masker, text, gone):
    once = masker.mask(text).text
    assert gone not in once
    assert masker.mask(once).text == once


KEPT = [
    "Windows11, Office2019, Exchange2016, Server2022 and OAuth2 with the password of the service",
    "password policy: 12 characters, SHA-256, NTLMv2, AADSTS50126, KB5034441, 0xC000006D",
    "The password is expired. Your password is required. The password is too short.",
    "a server farm with one laptop, server crashes, laptop squeaks, machine learning",
    "press Ctrl+F5, then Alt+F4 and enter the 6-digit code from the Base64-encoded mail",
    "toggle the markup, expedite the deferral, recieve the passwrod from the acount",
    "set port=3389 and id=41, 100% of C:\\Temp &amp; more",
    "a 3-tier app-server with read-only access to the file-share over the vpn-client",
    "SharePoint, OneDrive, PowerShell and BitLocker over Wi-Fi with an Intel AX201",
]  # fmt: skip


@pytest.mark.parametrize("text", KEPT)
def test_keeps(masker, text):
    assert masker.mask(text).text == text


def test_names_that_are_words_are_left_to_what_else_finds_people(masker):
    assert masker.mask("tell the art team that joy will mark it in may").originals == {}


def test_how_much_a_token_looks_like_a_password():
    ratings = [rate_secret(one) for one in ("P@ssw0rd1", "g7#Rt2p", "Fluffy2019", "zephyr88")]
    assert ratings == sorted(ratings, reverse=True)
    assert all(ratings)
    for everybody_has in (
        "https://a.b/c1", "C:\\Temp1", "report2.xlsx", "v2.1.3", "22H2", "USB3.0", "1024x768",
        "sign-in", "alt+f4", "INC0012345", "10:45", "Get-Mailbox", "$env1", "%TEMP%", "a=b2",
    ):  # fmt: skip
        assert rate_secret(everybody_has) == 0, everybody_has


def test_accounts_are_told_from_words():
    for account in ("jlindqvist", "abdulr", "p.kessler", "mreyes2", "kowalskia", "annaschmidt"):
        assert is_account_like(account), account
    for word in ("keyboard", "bellow", "sharper", "markup", "smartd", "samaccountname", "john"):
        assert not is_account_like(word), word
    assert is_account_of_word("ssmith1")
    assert not is_account_of_word("blacksmith")


def test_english_is_known_with_its_endings_and_its_slips():
    for word in ("reimaged", "flickers", "unreachable", "policies", "stopped", "topology"):
        assert is_english(word), word
    assert not is_english("jonesd")  # but for the name it would be an ending
    assert is_misspelt("recieve")
    assert not is_misspelt("tnguyen")


def test_many_strange_words_cost_linear_time(masker):
    masker.warm_up()
    words = " ".join(f"the login of zq{chr(97 + n % 26)}xv{n}kw is Xy{n}!a" for n in range(1500))
    started = time.perf_counter()
    masker.mask(words)
    half = time.perf_counter() - started
    started = time.perf_counter()
    masker.mask(f"{words} {words.replace('zq', 'wq')}")
    assert time.perf_counter() - started < 8 * half + 1
