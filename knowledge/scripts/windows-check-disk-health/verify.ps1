# SPDX-License-Identifier: Apache-2.0
# windows-check-disk-health, verify: exit 0 when the repair holds on this device.
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

# Returns the value of a text parameter after matching all of it against a pattern.
function Get-TextParameter {
    param([string]$Name, [string]$Default, [string]$Pattern)
    $text = [Environment]::GetEnvironmentVariable('EUCORA_PARAM_' + $Name.ToUpperInvariant())
    if ([string]::IsNullOrEmpty($text)) { $text = $Default }
    if ($text -cnotmatch $Pattern) { Stop-Step "parameter $Name is malformed" }
    return $text
}

# Ends with an error when a drive says that it is failing.
function Confirm-HealthyDrive {
    foreach ($drive in @(Get-PhysicalDisk)) {
        Write-Host "drive $($drive.DeviceId): $($drive.HealthStatus)"
        if ([string]$drive.HealthStatus -eq 'Unhealthy') {
            Stop-Step 'a drive is failing: save the files and replace it'
        }
    }
}

$letter = Get-TextParameter -Name 'drive_letter' -Default 'C' -Pattern '\A[A-Za-z]\z'

Confirm-HealthyDrive
$volume = Get-Volume -DriveLetter $letter
if ([string]$volume.HealthStatus -ne 'Healthy') {
    Stop-Step "volume $letter needs a repair at the next restart: chkdsk /spotfix"
}
Write-Host "volume $letter is healthy"
exit 0
