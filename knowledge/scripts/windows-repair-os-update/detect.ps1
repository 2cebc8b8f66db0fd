# SPDX-License-Identifier: Apache-2.0
# windows-repair-os-update, detect: exit 0 when the fault is present, 1 when it is absent, other codes on errors.
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

# Returns how many of the last updates have failed since a moment.
function Get-FailedUpdateCount {
    param([datetime]$Since)
    $session = New-Object -ComObject 'Microsoft.Update.Session'
    $searcher = $session.CreateUpdateSearcher()
    $total = $searcher.GetTotalHistoryCount()
    if ($total -le 0) { return 0 }
    $failed = 0
    foreach ($entry in @($searcher.QueryHistory(0, [Math]::Min($total, 50)))) {
        if ($entry.Date -ge $Since.ToUniversalTime() -and $entry.ResultCode -ge 4) { $failed++ }
    }
    return $failed
}

# Returns the names of update services that are disabled.
function Get-DisabledUpdater {
    foreach ($name in @('wuauserv', 'bits', 'cryptsvc')) {
        $service = Get-InstalledService -Name $name
        if ($null -ne $service -and [string]$service.StartType -eq 'Disabled') { $name }
    }
}

$days = Get-IntegerParameter -Name 'failed_within_days' -Default 14 -Minimum 1 -Maximum 90
$failed = Get-FailedUpdateCount -Since ((Get-Date).AddDays(-$days))
$disabled = @(Get-DisabledUpdater)
Write-Host "$failed updates failed in $days days, $($disabled.Count) update services are disabled"
if ($failed -eq 0 -and $disabled.Count -eq 0) { exit 1 }
exit 0
