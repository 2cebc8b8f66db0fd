# SPDX-License-Identifier: Apache-2.0
"""Forms that an attacker found unmasked, and technical or foreign words that were masked."""
# ruff: noqa: RUF001 - tables of cases, of other scripts

import pytest

from guardrails.foreign_words import are_foreign_words
from guardrails.name_recogniser import _is_of_number

MASKED = [
    # accounts
    ("session opened for user root(uid=0) by tgarner(uid=1044)", "tgarner"),
    ("VPN cert CN=adaeze.obi expired", "adaeze.obi"),
    ("ksmith1 / ksmith2 both see the banner", "ksmith1"),
    ("ksmith1 / ksmith2 both see the banner", "ksmith2"),
    ("ssh release@jump-eu2", "release"),
    ("scp file nortega@198.51.100.7:/tmp", "nortega"),
    ("afp://lorenz@10.8.8.9/ asks again", "lorenz"),
    ("last: jbarton pts/1 still logged in", "jbarton"),
    (r"E:\Profiles\kboateng.V6\NTUSER.DAT locked", "kboateng"),
    (r"D:\data\Profile$\kboateng\ntuser.dat", "kboateng"),
    ("comment by ~lhawkins", "lhawkins"),
    ("message from @niamh.k", "niamh.k"),
    # glued to what is before
    ("colleagueAnna from finance", "Anna"),
    ("日本Brunner from HR", "Brunner"),
    ("BDRoma 12", "BDRoma 12"),
    ("12 JLSUDIRMAN", "12 JLSUDIRMAN"),
    ("ATATÜRK BULVARI 12, Ankara", "ATATÜRK BULVARI 12"),
    # ids and dates
    ("geb. 3. März 1979", "3. März 1979"),
    ("née le 12 août 1988, absente", "12 août 1988"),
    ("nacido: fecha de nacimiento 4 de mayo de 1990", "4 de mayo"),
    ("Krankenversichertennummer B234567891", "B234567891"),
    ("Numéro de sécurité sociale : 285017511600199", "285017511600199"),
    ("sécu 2 85 01 75 116 001 99", "2 85 01"),
    ("ID: 1B3A2B1C-9D8E-4F60-A1B2-C3D4E5F60719 recovery key requested", "1B3A2B1C"),
    ("please unlock acct 00512093 employee no", "00512093"),
    ("00512093 is my employee number", "00512093"),
    # secrets
    ("WPA key greentablefork for the hall", "greentablefork"),
    ('wlan profile with psk "apfelstrudel"', "apfelstrudel"),
    ("snmp community cor3Sw1 on switch", "cor3Sw1"),
    ("my code word is raspberry", "raspberry"),
    ("Zoom host key 194827 shared in chat", "194827"),
    # places
    ("The server 10.20.3.4 is down", "10.20.3.4"),
    ("gps 48.137154, 11.576124", "48.137154, 11.576124"),
    ("lat=48.137 lon=11.576", "11.576"),
    ("Envoyer à 12 ter rue des Lilas, 69003 Lyon", "12 ter"),
    ("Wohnung: Am Neuen Markt 5 // 3. OG, 10178 Berlin", "3. OG"),
    ("on behalf of Dr. med. Ilona Varga", "med"),
    # people
    ("WEBER K logged off unexpectedly", "WEBER K"),
    ("assigned to O'NEILL B", "O'NEILL B"),
    ("Пользователь Олег Сидоров не может войти", "Олег Сидоров"),
    ("Анна Сидорова не может войти", "Анна Сидорова"),
    ("鈴木花子 のPCが起動しません", "鈴木花子"),
    ("佐藤さんのアカウントがロックされました", "佐藤"),
    ("姓名：王小明", "王小明"),
]


@pytest.mark.parametrize(("text", "gone"), MASKED)
def test_masks(masker, text, gone):
    assert gone not in masker.mask(text).text


KEPT = [
    "Backup & Replication 12.1.1.56 job fails",
    "Error while mounting install.wim index 6",
    "Der Account ist gesperrt",
    "WPA key management and the WPA key handshake fail",
    "snmp community string wrong",
    "the loss fell from 0.1234, 0.5678 to 0.0312",
    "numpy@1.26.3 and the decorator @functools.wraps",
    "DRIVE D has no space, PORT A was down",
    "getty@tty1.service opens tty1 again",
    "resolvectl with the routing domain `~corp.example`",
    "Панель Управления не открывается",
    "管理者の権限が必要です。",
    "The security word is required",
    "the CN=localhost.example certificate",
    r"C:\Profile\Default\ntuser.dat",
]


@pytest.mark.parametrize("text", KEPT)
def test_keeps(masker, text):
    assert masker.mask(text).text == text


@pytest.mark.parametrize("text", ["203.0.113.9", "12.44.10.7"])
def test_an_address_behind_a_machine_is_no_version(masker, text):
    assert text not in masker.mask(f"Main Server {text} is down").text


@pytest.mark.parametrize(
    "text",
    ["Bitte Ersatzgerät", "svp rappelez-moi", "mot de passe", "neues Passwort", "Kontakt",
     "Salut", "Wohnung", "Krankenversichertennummer", "meine Handynummer"],
)  # fmt: skip
def test_ordinary_german_and_french_are_known(text):
    assert are_foreign_words(text)


@pytest.mark.parametrize("text", ["Kontakt Anna", "Jean", "Marie", "Martin", "Wagner", ""])
def test_names_are_no_ordinary_words(text):
    assert not are_foreign_words(text)


def test_a_piece_of_a_number_is_no_name():
    assert _is_of_number("Postgres 15.4 WAL segment", 12, 17)
    assert _is_of_number("every 10 min from", 9, 12)
    assert not _is_of_number("12 Baker Street", 0, 15)
    assert not _is_of_number("Min cannot print", 0, 3)
