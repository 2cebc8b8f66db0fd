# SPDX-License-Identifier: Apache-2.0
# windows-check-disk-encryption, verify: exit 0 when the repair holds on this device.
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

$letter = Get-TextParameter -Name 'drive_letter' -Default 'C' -Pattern '\A[A-Za-z]\z'

$volume = Get-BitLockerVolume -MountPoint ($letter + ':')
if ([string]$volume.ProtectionStatus -ne 'On') { Stop-Step "volume $letter is still unprotected" }
Write-Host "volume $letter is protected"
exit 0
