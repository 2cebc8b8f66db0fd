# SPDX-License-Identifier: Apache-2.0
"""What stands in a row beside a person, what was found and stands elsewhere, names by position."""

import pytest

MASKED = [
    # --- cells without a header
    ("3; Ramos, Barbara; 03209041; 20-May-1961", ("03209041", "20-May-1961")),
    ("7; Collins, Gregory; H567334686780; 3.4.1960", ("H567334686780", "3.4.1960")),
    ("11; Hans, Amrita; TN09 20178915342; 1966-08-20", ("TN09 20178915342", "1966-08-20")),
    ("Kowalska, Barbara\tbkowals\t22 740 79 53\tb.kowalska@acme.example", ("22 740 79 53",)),
    ("45880,Sandra Wagner,5078-8814-9607,CLSPD8204B", ("45880", "5078-8814-9607")),
    ("Gonzales, Lisa - passport 653323451 - born 1998-04-24", ("Gonzales, Lisa", "1998-04-24")),
    # --- beside a number of one person
    ("Panfilo Passalacqua NL29MWDE8339307414 AC04", ("Panfilo Passalacqua",)),
    ("SSN 216-89-9094 Bishop, Jeffrey duplicate", ("Bishop, Jeffrey",)),
    ("found scans ssn 618-89-1898 (salazar, amber)", ("salazar, amber",)),
    ("Pranav Sharma 829685279323 AMBPA4829X", ("829685279323",)),
    # --- beside a name
    ("no MFA: A0334839 Michelle Besson; A6411371 Raymond Klein", ("A0334839", "A6411371")),
    ("Leaver: Noah Trevino, ID A8314903, last day Friday", ("A8314903",)),
    ("For: Michelle Besson / 00831646", ("00831646",)),
    ("activate James Hubbard, June 24, 1979, again", ("June 24, 1979",)),
    ("pc of Michelle Besson, 673 744 169", ("673 744 169",)),
    # --- lists go on
    ("badge numbers 0509433, BD764060 and BD437967 fail", ("0509433", "BD764060", "BD437967")),
    # --- found once, masked wherever it stands
    ("C:\\Users\\triveni is full. Triveni OK with deleting caches", ("Triveni",)),
    ('DSAR: "Frida Riehl", frida_riehl@corp.example, friehl', ("Frida Riehl", "friehl")),
    ("ssh to lt-7kq2fx fails. restarted LT-7KQ2FX", ("lt-7kq2fx", "LT-7KQ2FX")),
    ("Pinging x [2003:73f::b7f9] now\nReply from 2003:73f::b7f9: time=1ms", ("2003:73f::b7f9",)),
    # --- names by position
    ("my new number follows. thx meaghan\nbye", ("meaghan",)),
    ("full access, approved by giada\n", ("giada",)),
    ("give kwame boateng full access", ("kwame boateng",)),
    ("Replaced the headset. -W.G.", ("W.G.",)),
    ("We'll rotate it once you're in. /KM", ("KM",)),
    ("Total 12 files, failed 4. Mazzanti informed.", ("Mazzanti",)),
    ("Can you raise the limit? Ties Brugman, Talent Team", ("Ties Brugman",)),
    # --- holders of numbers
    ("Customer no. A8345924 can not register", ("A8345924",)),
    ("employees with badge no. 755-75525 wait", ("755-75525",)),
    ("IBAN and passport 73MV40077 by mail", ("73MV40077",)),
    ("sie brauchen Reisepass-Nr. G381JJCFZ", ("G381JJCFZ",)),
    ("Bank a/c 72995854065024 IFSC HDFC0442650", ("72995854065024", "HDFC0442650")),
    ("nbrandt2: S-1-5-21-845861572-2285525088-35058598-1105", ("nbrandt2",)),
    ("(Audrey Aubry, n\u00e9(e) le 26.03.1969)", ("26.03.1969",)),
    ("kiosk cleanup on L-XFEU42X done", ("L-XFEU42X",)),
    ("vMotion of p-hyv67 started", ("p-hyv67",)),
    ("session on WIN11-TCTZ90: crashes", ("WIN11-TCTZ90",)),
    ("account lock source is CPC-MKJDQ-TSKS", ("CPC-MKJDQ-TSKS",)),
    ("My home network is JioFiber-ItMK9, router", ("JioFiber-ItMK9",)),
    ("roams between Acme-PUN and Acme-Corp, adapter", ("Acme-PUN", "Acme-Corp")),
    ("GivenName;Surname;Sam\nElise;Hamann;elihama", ("Elise", "Hamann", "elihama")),
    # --- a key's machine, dates in a row, initials behind a name
    (
        "keys:\nIT87918-Q 696949-031812-074855-553311-529320-365475-516791-638671",
        ("IT87918-Q",),
    ),
    ("2. hmi-line6 / Charles / 45BF-T13C-DM71-GNE5-SDHS-96KQ", ("hmi-line6", "Charles")),
    ("3,Lisa Butler,617-42-6373,January 25, 1954", ("January 25, 1954",)),
    ("date of birth 13-01-1983 instead of 03.10.1958", ("13-01-1983", "03.10.1958")),
    ("case 7221 (de Smit, L.) upstream", ("de Smit, L.",)),
    ("O'Devanney, Dairine (P-01682)", ("P-01682",)),
    ("My ID is MA-719755.", ("MA-719755",)),
    ("renewed by gusingh, nginx reload", ("gusingh",)),
    ("account holder Dursun Stiebitz. SAP", ("Dursun Stiebitz",)),
    ("back on p-lnx-1211 now", ("p-lnx-1211",)),
    ("log on erp_app07, since", ("erp_app07",)),
    ("sticker says 453114-LT and", ("453114-LT",)),
    ("informed on 9812424882", ("9812424882",)),
    ("MULTI: Learn: -> monique.texier/93.82.217.173:49152", ("monique.texier",)),
    ("username BONNES privilege 15 password 0 ArsenalMunich!", ("BONNES", "ArsenalMunich!")),
    ("community !Klinik%759 and local user", ("!Klinik%759",)),
    ("dependents: 708 68 7157 vs 589-84-2601", ("708 68 7157",)),
    (
        "deliver to C. de Odalys Sanchez 260 Puerta 9, Las Palmas, 48878; call",
        ("Odalys", "260 Puerta", "48878"),
    ),
]

KEPT = [
    "error 0x80070005; Windows 11; 22631.3447; 2024-03-12",
    "Defender; 4.18.24030.9; 2024-03-01; 12345 files",
    "- BitLocker\n- TPM\n- Windows 11\n",
    "products:\n- Windows 10\n- SSD\n- hard disk\n",
    "a file attachment called winmail.dat may be added",
    "Please restart the service. Thanks",
    "Please try again. Thank you",
    "the system isn't intrusive",
    "It happened twice. OK",
    "the workbook switches between tabs and windows",
    "event id 4625, event id 4740 and 4767",
    "customer reported that 12345 files are gone",
    "license count 2500, seats 2400",
    "account number of retries is 5",
    "see KB5034441, KB5034123 and KB5035853",
    "passport reader driver 10.0.22621 failed",
    "Use UTF-8, ISO-8859-1 or T-SQL",
    "sort code pages by name",
    "caused by add-ins\n1. Exit Outlook",
    "Exit Outlook, I. e. close it",
    "took 120 45 3000 ms",
    "address space of 64 bit programs is 16384 GB",
    "the home folder is 20480 MB",
    "use the community edition 2024",
    "was replaced by Windows Hello",
    "sent by default",
]


@pytest.mark.parametrize(("text", "values"), MASKED, ids=[text for text, _ in MASKED])
def test_nothing_of_it_is_left(masker, text, values):
    masked = masker.mask(text).text
    assert [value for value in values if value in masked] == []


@pytest.mark.parametrize("text", KEPT)
def test_what_says_nothing_of_anybody_stays(masker, text):
    assert masker.mask(text).text == text


def test_what_one_text_gives_away_is_masked_in_the_others_of_the_call(masker):
    first, second = masker.mask_many(
        ("called about friehl2 again", "mail of frida.riehl2@corp.example, login CORP\\friehl2")
    )
    assert "friehl2" not in first.text
    assert "friehl2" not in second.text


def test_a_document_is_one_call(masker):
    masked = masker.mask_value({"note": "nbrandt2 again", "log": "user=nbrandt2 failed"})
    assert "nbrandt2" not in str(masked)


def test_what_is_known_comes_before_what_is_found_again(masker):
    masked = masker.mask_many(
        ("VPN broken for jdoe42", "PC jdoe42 is off"), {"<USERNAME_1>": "jdoe42"}
    )
    assert [one.text for one in masked] == ["VPN broken for <USERNAME_1>", "PC <USERNAME_1> is off"]


def test_masking_twice_changes_nothing(masker):
    for text, _ in MASKED:
        once = masker.mask(text).text
        assert masker.mask(once).text == once
