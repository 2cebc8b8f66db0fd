# SPDX-License-Identifier: Apache-2.0
"""Where scripts of Linux and macOS may write: what they make themselves stays ordinary."""

import pytest

from guardrails.effects import EffectSeverity
from guardrails.script_analysis import analyse_script


def _find_severity(text, interpreter="bash"):
    analysis = analyse_script(interpreter, text.encode())
    assert analysis.judgeable, analysis.doubts
    return analysis.severity


@pytest.mark.parametrize(
    "text",
    [
        "df -h > /tmp/disks.txt",
        "df -h > ~/disks.txt",
        "df -h > disks.txt",
        "cp -p /etc/hosts /var/backups/hosts.before",
        "df -h > /backup/disks.txt",
        "df -h > /mnt/share/disks.txt",
        "df -h > /Users/Shared/disks.txt",
        "date > ~/.cache/tool/stamp",
        "date > /home/anna/.cache/tool/stamp",
        "echo 1 > /run/tool/state",
        'mkdir -p /opt/tool "$HOME/.config/tool"',
        "touch /var/lib/tool/stamp",
        "unzip -o a.zip -d /tmp",
        "df -h >> /var/log/tool.log",
        "df -h | tee -a /var/log/tool/disks.log",
    ],
)
def test_what_a_script_makes_for_itself_is_ordinary(text):
    assert _find_severity(text).rank < EffectSeverity.MEDIUM.rank


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("echo x > /var/log/auth.log", "critical"),
        (": > /var/log/tool.log", "critical"),
        ("echo x | tee /var/log/syslog", "critical"),
        ("echo x >> /var/log/tool/x.log", "none"),
        ("echo x | tee -a /var/log/tool/x.log", "none"),
        ("echo x >> /var/log/auth.log", "medium"),
        ("journalctl --vacuum-size=200M", "medium"),
        ("journalctl --vacuum-time=2weeks", "medium"),
        ("journalctl --vacuum-size=1M", "critical"),
        ("journalctl --rotate --vacuum-time=1s", "critical"),
    ],
)
def test_a_log_that_is_emptied_is_worse_than_one_that_grows(text, severity):
    assert _find_severity(text).value == severity


@pytest.mark.parametrize(
    "text",
    [
        "ln -s /tmp/tool-2 /tmp/tool; date > /tmp/tool/stamp",
        "ln -s /etc/hosts /tmp/hosts; cat /tmp/hosts > /tmp/copy",
        "ln -s /tmp/a /tmp/b; ln -s /tmp/b /tmp/a; date > /tmp/c",
    ],
)
def test_a_link_between_ordinary_places_is_ordinary(text):
    assert _find_severity(text).rank < EffectSeverity.MEDIUM.rank


@pytest.mark.parametrize(
    "text",
    [
        'getent hosts "$(hostname -f)"',
        "for x in a b; do dig +short $x.example.com; done",
        'gate=$(ip route show default); ping -c 3 "$gate"',
        'dig @127.0.0.1 "$(hostname)"',
        'avahi-resolve -n "$(hostname).local"',
        "cp -a /home/anna/.cache/tool /tmp/tool",
        'cp -a /tmp/tool "$HOME"',
    ],
)
def test_a_look_up_that_reaches_nobody_in_particular_is_ordinary(text):
    assert _find_severity(text).rank < EffectSeverity.MEDIUM.rank


def test_what_zsh_prints_is_no_option_when_it_begins_with_a_letter():
    assert _find_severity('print "low: $x%"', "zsh") is EffectSeverity.NONE
    for text in ('print "$x"', 'print -P "$x"', 'print "-$x" y', "print $x"):
        assert not analyse_script("zsh", text.encode()).judgeable


@pytest.mark.parametrize(
    "text",
    [
        'retry() { until "$@"; do sleep 2; done; }\nretry nmcli networking connectivity check',
        'retry() { shift; until "$@"; do sleep 2; done; }\nretry 3 ping -c 1 1.1.1.1',
    ],
)
def test_a_function_runs_what_its_calls_show(text):
    assert _find_severity(text) is EffectSeverity.NONE
