# SPDX-License-Identifier: Apache-2.0
# windows-repair-packages, remediate: repairs the fault; running it twice is harmless.
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
trap { Write-Host ('unexpected failure: ' + $_.Exception.Message); exit 3 }

# Ends the step with an error that is neither "fault present" nor "fault absent".
function Stop-Step {
    param([string]$Message)
    Write-Host $Message
    exit 2
}

# Returns the value of a whole-number parameter, or its default when it was not handed over.
function Get-IntegerParameter {
    param([string]$Name, [int]$Default, [int]$Minimum, [int]$Maximum)
    $text = [Environment]::GetEnvironmentVariable('EUCORA_PARAM_' + $Name.ToUpperInvariant())
    if ([string]::IsNullOrEmpty($text)) { return $Default }
    if ($text -notmatch '\A[0-9]{1,9}\z') { Stop-Step "parameter $Name is not a whole number" }
    $number = [int]$text
    if ($number -lt $Minimum -or $number -gt $Maximum) {
        Stop-Step "parameter $Name must be $Minimum to $Maximum"
    }
    return $number
}

# Returns the installers that have run since before a moment.
function Get-HungInstaller {
    param([datetime]$Before)
    foreach ($row in @(Get-CimInstance -ClassName Win32_Process -Filter "Name = 'msiexec.exe'")) {
        $service = ([string]$row.CommandLine) -match '(?i)\s/V\b'
        if (-not $service -and $row.CreationDate -lt $Before) { $row }
    }
}

$minutes = Get-IntegerParameter -Name 'hung_minutes' -Default 90 -Minimum 30 -Maximum 1440
$before = (Get-Date).AddMinutes(-$minutes)

foreach ($row in @(Get-HungInstaller -Before $before)) {
    Stop-Process -Id $row.ProcessId -Force -ErrorAction SilentlyContinue
    Write-Host "ended installer $($row.ProcessId)"
}
Set-Service -Name 'msiserver' -StartupType Manual
$program = Join-Path -Path ([Environment]::SystemDirectory) -ChildPath 'msiexec.exe'
foreach ($option in @('/unregister', '/regserver')) {
    $step = Start-Process -FilePath $program -ArgumentList $option -PassThru
    if (-not $step.WaitForExit(60000)) { Stop-Step "msiexec $option does not end" }
}
Write-Host 'the Windows Installer service was registered again'
exit 0
