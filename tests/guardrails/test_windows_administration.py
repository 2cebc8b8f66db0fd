# SPDX-License-Identifier: Apache-2.0
"""Ordinary administration of Windows stays judgeable, and its effects are what it does."""
# ruff: noqa: E501 - tables of cases

import pytest

from guardrails.effects import EffectKind as Kind
from guardrails.powershell_cmdlets import ALIASES, find_cmdlet
from guardrails.script_analysis import analyse_script

# A kind, or `-` for a mere look, before a script; `\n` is a line end.
POWERSHELL = r"""
- Get-Service | Where-Object { $_.Status -eq 'Stopped' } | Select-Object Name, Status | Format-Table
- Get-ADUser -Filter * -Properties mail | Select-Object Name, mail | Sort-Object Name
- Get-MgUser -All | Where-Object AccountEnabled | Measure-Object
- Get-Mailbox -ResultSize Unlimited | Get-MailboxStatistics | Sort-Object TotalItemSize
- Get-NetAdapter | Get-NetIPAddress -AddressFamily IPv4
- Get-DnsClientServerAddress -AddressFamily IPv4 | Where-Object ServerAddresses
- Resolve-DnsName a.test -Type A -ErrorAction SilentlyContinue
- Test-NetConnection -ComputerName a.test -Port 443
- Get-Volume C | ForEach-Object { [math]::Round($_.SizeRemaining / 1GB, 1) }
- Get-PhysicalDisk | Get-StorageReliabilityCounter | Select-Object Temperature, Wear
- Get-BitLockerVolume -MountPoint C: | Select-Object ProtectionStatus
- Get-MpComputerStatus | Select-Object AntivirusEnabled, RealTimeProtectionEnabled
- Get-ScheduledTask | Where-Object State -ne 'Disabled' | ForEach-Object TaskName
- Get-WinEvent -FilterHashtable @{ LogName = 'System'; Level = 2; StartTime = (Get-Date).AddDays(-1) }
- Get-AppxPackage -AllUsers | Where-Object { $_.Name -like '*x*' } | ForEach-Object { $_.Name.ToUpper() }
- Get-Printer | Where-Object { $_.PrinterStatus -ne 'Normal' }
- Get-VM | Where-Object State -eq 'Running' | Get-VMNetworkAdapter
- Get-Process | Sort-Object CPU -Descending | Select-Object -First 5
- Get-CimInstance Win32_OperatingSystem | Select-Object LastBootUpTime
- Get-HotFix | Where-Object { $_.InstalledOn -gt (Get-Date).AddDays(-30) }
- Get-ChildItem C:\Logs -Recurse -Filter *.log | Where-Object { $_.Length -gt 10MB } | Measure-Object Length -Sum
- Get-ItemProperty 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\*' | Select-Object DisplayName
- $name = 'spooler'\n$state = (Get-Service -Name $name).Status\nWrite-Host "The state of $name is $state"
- function Get-Free {\nparam($Drive)\n(Get-PSDrive $Drive).Free / 1GB }\nGet-Free -Drive C
- function Write-Log { param([string]$Text)\nWrite-Host "$(Get-Date -Format s) $Text" }\nfunction Main { Write-Log 'a' }\nMain
- [CmdletBinding()]\nparam([Parameter(Mandatory)][ValidateSet('a', 'b')][string]$Mode = 'a')\nWrite-Output $Mode
- try { Test-Path C:\x -ErrorAction Stop } catch [System.IO.IOException] { Write-Warning $_.Exception.Message } finally { 1 }
- switch ((Get-Date).DayOfWeek) {\n'Monday' { 'a' }\ndefault { 'b' }\n}
- $list = [System.Collections.Generic.List[string]]::new()\n$list.Add('a')\n$list -join ','
- $h = @{}; $h['a'] = 1; $h.GetEnumerator() | Sort-Object Value
- [pscustomobject]@{ Name = $env:COMPUTERNAME; Free = 1 } | ConvertTo-Json -Compress
- [Environment]::GetFolderPath('Desktop'); [IO.Path]::Combine('a', 'b'); [IO.File]::ReadAllLines('C:\x')
- 'a,b'.Split(',') | ForEach-Object { $_.Trim().Replace('a', 'b').Substring(0, 1) }
- $id = [Security.Principal.WindowsIdentity]::GetCurrent(); ([Security.Principal.WindowsPrincipal]$id).IsInRole('Administrators')
- [Net.ServicePointManager]::SecurityProtocol = [Net.SecurityProtocolType]::Tls12
- if ($PSVersionTable.PSVersion.Major -ge 7) { Import-Module ActiveDirectory }
- using namespace System.Text\nGet-Date
- $watch = [Diagnostics.Stopwatch]::StartNew(); $watch.Stop(); $watch.Elapsed
- ipconfig /all; netstat -ano; systeminfo; nslookup a.test; sc.exe query spooler; reg query HKLM\SOFTWARE
- & "$env:windir\System32\ipconfig.exe" /all
- Start-Process notepad.exe
- Get-WmiObject Win32_BIOS | Select-Object -ExpandProperty SerialNumber
- $sb = { Get-Date }; & $sb; Invoke-Command -ScriptBlock $sb
- manage-bde -status C:; powercfg /list; w32tm /query /status; gpresult /r; dism /online /get-features
- Import-Csv C:\a.csv | ForEach-Object { Write-Output "$($_.Name): $($_.Mail)" }
- class Point { [int]$X; Point([int]$x) { $this.X = $x } [string] Show() { return "$($this.X)" } }\n$p = [Point]::new(1)
- $x = "a`nb"; $x -split "`n" | Select-String 'a' | Out-String
- Get-AzVM | Get-AzDisk; Get-CsTenant; Get-SPOSite; Get-DnsServerZone; Get-DhcpServerv4Scope
- Set-Location HKLM:\SOFTWARE; reg.exe query HKLM\SOFTWARE\x; Set-Location C:\Windows\System32; ipconfig /all
- Start-Process ipconfig.exe -ArgumentList '/all' -WorkingDirectory $env:windir -Wait
- net.exe localgroup 'Remote Desktop Users'; fsutil.exe dirty query C:; certutil.exe -hashfile C:\x SHA256
- Read-Host 'Press Enter' | Out-Null; Start-Sleep -Seconds 1; exit 0
- Get-Process | Sort-Object WS -Descending | Select-Object -First 10 Name, Id, @{n='MB';e={[int]($_.WS/1MB)}}
- Get-Process | Select-Object Name,\n  @{n='MB';e={$_.WS/1MB}},\n  Id,\n  @{n='a';e={$_.Id}} | Format-Table
- Get-Volume | Select-Object DriveLetter, @{\n  Name = 'GB'\n  Expression = { [math]::Round($_.Size / 1GB, (2)) }\n}, FileSystem
- param([Parameter(Mandatory, Position = 0)][string]$a, [int]$b)\nGet-Process | Select-Object Name, @{n='a';e={$_.Id}}
- Write-Output a, (1); Write-Output @{a=1}, b, (2); Get-Service -Name a, b, @('c')
- Get-ChildItem "\\$server\share"; Test-Path "\\$env:COMPUTERNAME\c$"; Test-Path "\\srv.corp.test\logs\$($x.Name).log.txt"
- foreach ($c in Get-Content C:\computers.txt) { Get-Service -ComputerName $c }
- $list = @(); Get-EventLog -LogName System -Newest 5 | ForEach-Object { $list += $_ }; $list.Clear()
- Get-ItemProperty 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon' -Name Shell
changes_services Restart-Service -Name spooler -Force
changes_services Get-Service -Name 'a*' | Set-Service -StartupType Automatic -PassThru | Start-Service
ends_processes Get-Process -Name teams -ErrorAction SilentlyContinue | Stop-Process -Force
deletes_files Get-ChildItem $env:TEMP -Recurse | Where-Object { $_.LastWriteTime -lt (Get-Date).AddDays(-7) } | Remove-Item -Force
changes_network Clear-DnsClientCache; ipconfig /flushdns
changes_network Set-DnsClientServerAddress -InterfaceAlias Ethernet -ServerAddresses 10.0.0.1
changes_network Restart-NetAdapter -Name Ethernet
changes_registry Set-ItemProperty -Path 'HKLM:\SOFTWARE\x' -Name a -Value 1 -Type DWord
changes_registry if (-not (Test-Path HKLM:\SOFTWARE\x)) { New-Item -Path HKLM:\SOFTWARE\x -Force | Out-Null }
changes_software Get-AppxPackage *xbox* | Remove-AppxPackage
changes_software Install-Module PSWindowsUpdate -Force -Scope CurrentUser
changes_software winget upgrade --all --silent
changes_software Start-Process msiexec.exe -ArgumentList '/x {0000} /qn' -Wait
changes_software DISM.exe /Online /Cleanup-Image /RestoreHealth; sfc /scannow
changes_accounts Unlock-ADAccount -Identity a; Set-ADUser a -Title b
changes_accounts New-LocalUser -Name a -NoPassword
changes_preferences Add-Printer -Name a -DriverName b -PortName c
changes_preferences Get-PrintJob -PrinterName a | Remove-PrintJob; Restart-PrintJob -ID 1
changes_time Set-TimeZone -Id UTC; w32tm /resync
changes_disks Repair-Volume -DriveLetter C -Scan
restarts_device Restart-Computer -Force
writes_system_files Get-Process | Export-Csv C:\Reports\a.csv -NoTypeInformation
writes_system_files New-Item -ItemType Directory -Path C:\Temp\a -Force | Out-Null
writes_system_files "$(Get-Date) done" | Out-File -FilePath $LogFile -Append
writes_system_files Compress-Archive -Path C:\Logs\* -DestinationPath C:\Temp\logs.zip
downloads Invoke-WebRequest -Uri https://a.test/x.json -UseBasicParsing
downloads (Invoke-RestMethod https://a.test/api).items | ForEach-Object Name
persists Register-ScheduledTask -TaskName a -Action (New-ScheduledTaskAction -Execute 'ipconfig.exe' -Argument '/flushdns') -Trigger (New-ScheduledTaskTrigger -Daily -At 3am)
reads_credentials $c = Get-Credential
reaches_devices Invoke-Command -ComputerName a -ScriptBlock { Get-Service spooler }
runs_dynamic_code Start-Job -ScriptBlock { Get-Date } | Receive-Job -Wait
disables_security Add-MpPreference -ExclusionPath C:\x
"""
CMD = r"""
- @echo off\nsetlocal enabledelayedexpansion\nset name=a\necho %name%\nendlocal
- if "%1"=="" (echo usage & exit /b 1) else (echo %1)
- ipconfig /all | findstr /i "dns"
- for /f "tokens=2 delims=:" %%a in ('ipconfig ^| find "IPv4"') do echo %%a
- if exist "C:\x\y.txt" type "C:\x\y.txt"
- :loop\nping -n 1 10.0.0.1 >nul 2>&1\nif errorlevel 1 goto loop
- call :show a\ngoto :eof\n:show\necho %~1\nexit /b
- net user\nnet localgroup administrators\nnet start\nsc query spooler
- reg query "HKLM\SOFTWARE\Microsoft" /v a
- tasklist /fi "imagename eq a.exe" | find /i "a.exe" >nul && echo runs
- pushd "%~dp0" && dir /b *.log & popd
- wmic os get caption /value
- vol C: & ver & hostname & whoami
- set /a n=1+2\nif %n% gtr 2 (\n  echo big\n) else (\n  echo small\n)
- rem nothing & nobody\ntitle Check & color 0a
- schtasks /query /fo list
- cd /d "%~dp0"\nipconfig /all
- pushd %windir%\System32 & systeminfo & popd & whoami
- net user a /domain\nnet localgroup "Remote Desktop Users"\nnet view \\server
- wmic process where "name='a.exe'" get processid /format:list
- netsh interface ip show config & netsh winhttp show proxy & dism /online /get-features
- powershell -NoProfile -Command "Write-Output 'a'"
- for /f "tokens=3" %%a in ('dir /-c C:\ ^| find "bytes free"') do set free=%%a\necho %free%
- for /f "tokens=2 delims==" %%a in ('wmic os get localdatetime /value') do set d=%%a\necho %d%
- echo \\%computername%.corp.test\share & dir \\server\share & dir \\%server%\share
changes_services net stop spooler\nnet start spooler
deletes_files del /q /f "%TEMP%\*.tmp" 2>nul
deletes_files for /d %%d in ("C:\Users\*") do if exist "%%d\x" rd /s /q "%%d\x"
changes_network ipconfig /flushdns\nnetsh winsock reset
changes_registry reg add "HKLM\SOFTWARE\x" /v a /t REG_DWORD /d 1 /f
changes_software sfc /scannow\ndism /online /cleanup-image /restorehealth
ends_processes taskkill /f /im outlook.exe
writes_system_files robocopy C:\a D:\b /e /r:1 /w:1
writes_system_files echo %date% %time% done>> C:\Logs\a.txt
restarts_device shutdown /r /t 60 /c "updates"
changes_network net use x: \\server\share >nul || route add 10.0.0.0 mask 255.0.0.0 10.0.0.1
changes_disks chkdsk C: /f
changes_preferences gpupdate /force
"""


def _read(table: str, interpreter: str) -> list[tuple[str, str, str]]:
    rows = (line.split(" ", 1) for line in table.strip().split("\n"))
    return [(interpreter, kind, text.replace(r"\n", "\n")) for kind, text in rows]


CASES = _read(POWERSHELL, "powershell") + _read(CMD, "cmd")


def test_there_are_many_scripts() -> None:
    assert len(CASES) >= 100


@pytest.mark.parametrize(("interpreter", "kind", "text"), CASES, ids=[text for *_, text in CASES])
def test_administration_is_judged(interpreter: str, kind: str, text: str) -> None:
    analysis = analyse_script(interpreter, text.encode())
    assert analysis.judgeable, analysis.doubts
    found = {effect.kind for effect in analysis.effects if effect.severity != "none"}
    if kind == "-":
        assert found <= {Kind.EXPLORES, Kind.RUNS_DYNAMIC_CODE, Kind.HIDES_ACTIVITY}
    else:
        assert Kind(kind) in found


@pytest.mark.parametrize(
    ("interpreter", "text"),
    [
        ("powershell", r"Get-Process | % { $_.Name | Out-File C:\Logs\a.txt -Append }"),
        ("powershell", r"foreach ($u in gci C:\Users) { Set-Content \"$($u.FullName)\x.ini\" a }"),
        ("powershell", r"gci C:\Logs -Recurse | % { Copy-Item $_.FullName D:\backup }"),
        (
            "powershell",
            r"gci C:\Logs | % { $_.Name.Replace('a', 'b') | Set-Content C:\Logs\b.txt }",
        ),
        ("powershell", r"foreach ($d in $list) { New-Item -ItemType Directory -Path $d -Force }"),
        ("powershell", r"$log = 'C:\Logs\a.txt'; 'a' > $log; Rename-Item $log b.txt"),
        ("cmd", r"for %%f in (*.log) do copy \"%%f\" D:\backup"),
        ("cmd", r"for /d %%d in (C:\Users\*) do echo a > \"%%d\x.txt\""),
        ("cmd", "set log=C:\\Logs\\a.txt\necho a > %log%\nren C:\\Logs\\a.txt b.txt"),
        ("cmd", r"robocopy C:\a D:\b /e /r:1 /w:1 /log:C:\Logs\a.txt"),
    ],
)
def test_what_writes_a_file_of_its_own_removes_none(interpreter: str, text: str) -> None:
    analysis = analyse_script(interpreter, text.replace('\\"', '"').encode())
    assert Kind.DELETES_FILES not in {effect.kind for effect in analysis.effects}
    assert analysis.judgeable, analysis.doubts


@pytest.mark.parametrize(
    ("interpreter", "text", "severity"),
    [
        ("powershell", "Get-Process | Out-File C:\\Logs\\a.txt", "low"),
        ("powershell", "Get-Process | Out-File $env:TEMP\\a.ini", "low"),
        ("powershell", "gc C:\\Logs\\a.txt; 'a' >> C:\\Logs\\a.txt", "low"),
        ("powershell", "Push-Location C:\\Reports; 'a' > a.csv; Pop-Location", "low"),
        ("powershell", "New-Item -ItemType Directory C:\\Users\\x\\Reports -Force", "low"),
        ("powershell", "Copy-Item C:\\a.docx D:\\backup", "low"),
        ("powershell", "Stop-Service Spooler -Force", "medium"),
        ("cmd", "net stop spooler", "medium"),
        ("cmd", "copy C:\\a.docx D:\\backup", "low"),
        ("cmd", "mkdir C:\\Users\\x\\Reports", "low"),
        ("cmd", "pushd %windir%\\System32 & whoami & popd & echo x > log.txt", "low"),
        ("cmd", "cd /d C:\\Logs\nfor %%i in (a b) do echo x>> a.txt", "low"),
    ],
)
def test_an_ordinary_step_is_not_called_worse(interpreter: str, text: str, severity: str) -> None:
    analysis = analyse_script(interpreter, text.encode())
    assert analysis.judgeable, analysis.doubts
    assert analysis.severity == severity


@pytest.mark.parametrize("service", ["WinDefend", "Sense", "mpssvc"])
def test_to_stop_what_protects_is_high(service: str) -> None:
    for interpreter, text in (("powershell", "Stop-Service "), ("cmd", "net stop ")):
        assert analyse_script(interpreter, (text + service).encode()).severity == "high"


def test_a_reading_verb_of_an_unknown_noun_is_a_doubt_of_its_own() -> None:
    (doubt,) = analyse_script("powershell", b"Get-Frobnication").doubts
    assert doubt.reason == "unknown command, a look by its name: get-frobnication"
    (doubt,) = analyse_script("powershell", b"Set-Frobnication").doubts
    assert doubt.reason == "unknown command set-frobnication"


@pytest.mark.parametrize("alias", sorted(ALIASES))
def test_an_alias_leads_to_a_cmdlet(alias: str) -> None:
    name = ALIASES[alias]
    assert "-" in name or name == "mkdir"
    assert find_cmdlet(alias) is None or alias == name
