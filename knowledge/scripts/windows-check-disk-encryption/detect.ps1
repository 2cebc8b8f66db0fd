# SPDX-License-Identifier: Apache-2.0
# windows-check-disk-encryption, detect: exit 0 when the fault is present, 1 when it is absent, other codes on errors.
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
Write-Host "volume ${letter}: $($volume.VolumeStatus), protection $($volume.ProtectionStatus)"
if ([string]$volume.ProtectionStatus -eq 'On') { exit 1 }
if ([string]$volume.VolumeStatus -ne 'FullyEncrypted') {
    Stop-Step 'the volume is not encrypted: encryption has to be planned with its user'
}
if (@($volume.KeyProtector).Count -eq 0) { Stop-Step 'the volume has no key protector' }
exit 0
