# SPDX-License-Identifier: Apache-2.0
# windows-clear-temporary-files, verify: exit 0 when the repair holds on this device.
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

# Returns the value of a text parameter after matching all of it against a pattern.
function Get-TextParameter {
    param([string]$Name, [string]$Default, [string]$Pattern)
    $text = [Environment]::GetEnvironmentVariable('EUCORA_PARAM_' + $Name.ToUpperInvariant())
    if ([string]::IsNullOrEmpty($text)) { $text = $Default }
    if ($text -cnotmatch $Pattern) { Stop-Step "parameter $Name is malformed" }
    return $text
}

# Returns how full the drive is, in percent.
function Get-UsedPercent {
    param([string]$Root)
    $drive = New-Object -TypeName System.IO.DriveInfo -ArgumentList $Root
    if (-not $drive.IsReady) { Stop-Step "drive $Root is not ready" }
    return [int](100 - 100 * $drive.AvailableFreeSpace / $drive.TotalSize)
}

$mount = Get-TextParameter -Name 'mount' -Default '' -Pattern '\A[A-Za-z]:\\?\z'
$root = $mount.Substring(0, 2) + '\'
$age = Get-IntegerParameter -Name 'age_hours' -Default 24 -Minimum 1 -Maximum 8760
$limit = Get-IntegerParameter -Name 'minimum_used_percent' -Default 80 -Minimum 1 -Maximum 100
$before = (Get-Date).AddHours(-$age)

$used = Get-UsedPercent -Root $root
Write-Host "drive $root is now $used % full"
if ($used -ge 95) { Stop-Step 'the drive is still full: larger data must be moved' }
exit 0
