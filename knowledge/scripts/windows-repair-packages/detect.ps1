# SPDX-License-Identifier: Apache-2.0
# windows-repair-packages, detect: exit 0 when the fault is present, 1 when it is absent, other codes on errors.
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

# Returns the service of this name, or nothing when it is not installed.
function Get-InstalledService {
    param([string]$Name)
    return (Get-Service -Name $Name -ErrorAction SilentlyContinue)
}

# Returns the installers that have run since before a moment.
function Get-HungInstaller {
    param([datetime]$Before)
    foreach ($row in @(Get-CimInstance -ClassName Win32_Process -Filter "Name = 'msiexec.exe'")) {
        $service = ([string]$row.CommandLine) -match '(?i)\s/V\b'
        if (-not $service -and $row.CreationDate -lt $Before) { $row }
    }
}

# Returns how many installations have failed since a moment, by the Application log.
function Get-FailedInstallationCount {
    param([datetime]$Since)
    $filter = @{ LogName = 'Application'; ProviderName = 'MsiInstaller'; StartTime = $Since }
    $events = @(Get-WinEvent -FilterHashtable $filter -MaxEvents 500 -ErrorAction SilentlyContinue)
    return @($events | Where-Object { $_.Id -eq 11708 -or $_.Id -eq 10005 }).Count
}

$minutes = Get-IntegerParameter -Name 'hung_minutes' -Default 90 -Minimum 30 -Maximum 1440
$before = (Get-Date).AddMinutes(-$minutes)

$hours = Get-IntegerParameter -Name 'failed_within_hours' -Default 48 -Minimum 1 -Maximum 720
$failed = Get-FailedInstallationCount -Since ((Get-Date).AddHours(-$hours))
$hung = @(Get-HungInstaller -Before $before)
$service = Get-InstalledService -Name 'msiserver'
if ($null -eq $service) { Stop-Step 'the Windows Installer service is not installed' }
$disabled = [string]$service.StartType -eq 'Disabled'
Write-Host "$failed failed installations, $($hung.Count) hung installers, service disabled: $disabled"
if ($failed -eq 0 -and $hung.Count -eq 0 -and -not $disabled) { exit 1 }
exit 0
