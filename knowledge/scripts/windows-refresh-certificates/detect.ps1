# SPDX-License-Identifier: Apache-2.0
# windows-refresh-certificates, detect: exit 0 when the fault is present, 1 when it is absent, other codes on errors.
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

# Returns the device's own certificates that end after, or up to, a moment.
function Get-OwnCertificate {
    param([datetime]$Moment, [bool]$After)
    foreach ($entry in @(Get-ChildItem -Path 'Cert:\LocalMachine\My')) {
        if ($entry.HasPrivateKey -and ($entry.NotAfter -gt $Moment) -eq $After) { $entry }
    }
}

$days = Get-IntegerParameter -Name 'minimum_days' -Default 14 -Minimum 1 -Maximum 180
$moment = (Get-Date).AddDays($days)

$ending = @(Get-OwnCertificate -Moment $moment -After $false)
$lasting = @(Get-OwnCertificate -Moment $moment -After $true)
Write-Host "$($ending.Count) certificates end within $days days, $($lasting.Count) last longer"
if ($ending.Count -eq 0) { exit 1 }
foreach ($entry in $ending) {
    $successors = @($lasting | Where-Object { $_.Subject -eq $entry.Subject })
    if ($successors.Count -eq 0) { exit 0 }
}
exit 1
