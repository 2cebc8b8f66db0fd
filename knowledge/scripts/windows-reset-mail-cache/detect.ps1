# SPDX-License-Identifier: Apache-2.0
# windows-reset-mail-cache, detect: exit 0 when the fault is present, 1 when it is absent, other codes on errors.
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

# Returns the home folders of the people who use this device.
function Get-ProfileFolder {
    foreach ($account in @(Get-CimInstance -ClassName Win32_UserProfile -Filter 'Special = FALSE')) {
        $folder = $account.LocalPath
        if ($folder -and (Test-Path -LiteralPath $folder -PathType Container)) { $folder }
    }
}

# Returns the offline copies of Outlook on this device, of at least the given size.
function Get-OfflineCopy {
    param([int]$Megabytes)
    foreach ($account in @(Get-ProfileFolder)) {
        $folder = Join-Path -Path $account -ChildPath 'AppData\Local\Microsoft\Outlook'
        if (-not (Test-Path -LiteralPath $folder -PathType Container)) { continue }
        foreach ($file in @(Get-ChildItem -LiteralPath $folder -Filter '*.ost' -File)) {
            if ($file.Extension -eq '.ost' -and $file.Length -ge $Megabytes * 1048576) { $file }
        }
    }
}

$megabytes = Get-IntegerParameter -Name 'minimum_megabytes' -Default 1 -Minimum 0 -Maximum 100000

$copies = @(Get-OfflineCopy -Megabytes $megabytes)
Write-Host "$($copies.Count) offline copies were found"
if ($copies.Count -eq 0) { exit 1 }
exit 0
