# SPDX-License-Identifier: Apache-2.0
# windows-check-disk-health, detect: exit 0 when the fault is present, 1 when it is absent, other codes on errors.
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
Write-Host "volume $letter is $($volume.HealthStatus)"
if ([string]$volume.HealthStatus -ne 'Healthy') { exit 0 }
$filter = @{ LogName = 'System'; ProviderName = 'Microsoft-Windows-Ntfs'; StartTime = (Get-Date).AddDays(-7) }
$errors = @(Get-WinEvent -FilterHashtable $filter -MaxEvents 200 -ErrorAction SilentlyContinue)
$errors = @($errors | Where-Object { ($_.Id -eq 55 -or $_.Id -eq 98) -and $_.Level -le 3 })
Write-Host "$($errors.Count) errors of the file system were logged this week"
if ($errors.Count -eq 0) { exit 1 }
exit 0
