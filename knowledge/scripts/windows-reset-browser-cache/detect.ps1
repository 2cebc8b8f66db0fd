# SPDX-License-Identifier: Apache-2.0
# windows-reset-browser-cache, detect: exit 0 when the fault is present, 1 when it is absent, other codes on errors.
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

# Returns the home folders of the people who use this device.
function Get-ProfileFolder {
    foreach ($account in @(Get-CimInstance -ClassName Win32_UserProfile -Filter 'Special = FALSE')) {
        $folder = $account.LocalPath
        if ($folder -and (Test-Path -LiteralPath $folder -PathType Container)) { $folder }
    }
}

# Returns the size in bytes of all files below a folder; links are not followed.
function Get-FolderSize {
    param([string]$Path)
    [long]$total = 0
    foreach ($entry in @(Get-ChildItem -LiteralPath $Path -Force -ErrorAction SilentlyContinue)) {
        if ($entry.Attributes -band [IO.FileAttributes]::ReparsePoint) { continue }
        if ($entry.PSIsContainer) {
            $total += Get-FolderSize -Path $entry.FullName
        } else {
            $total += $entry.Length
        }
    }
    return $total
}

# Returns the cache folders of all profiles that are of at least the given size.
function Get-BrowserCache {
    param([string]$Browser, [int]$Megabytes)
    $places = @{
        'edge' = 'AppData\Local\Microsoft\Edge\User Data'
        'chrome' = 'AppData\Local\Google\Chrome\User Data'
        'firefox' = 'AppData\Local\Mozilla\Firefox\Profiles'
    }
    foreach ($account in @(Get-ProfileFolder)) {
        $base = Join-Path -Path $account -ChildPath $places[$Browser]
        if (-not (Test-Path -LiteralPath $base -PathType Container)) { continue }
        foreach ($entry in @(Get-ChildItem -LiteralPath $base -Directory -ErrorAction SilentlyContinue)) {
            foreach ($name in @('Cache', 'Code Cache', 'GPUCache', 'cache2', 'startupCache')) {
                $folder = Join-Path -Path $entry.FullName -ChildPath $name
                if (-not (Test-Path -LiteralPath $folder -PathType Container)) { continue }
                if ((Get-FolderSize -Path $folder) -ge $Megabytes * 1048576) { $folder }
            }
        }
    }
}

$browser = Get-TextParameter -Name 'browser' -Default 'edge' -Pattern '\A(edge|chrome|firefox)\z'
$megabytes = Get-IntegerParameter -Name 'minimum_megabytes' -Default 20 -Minimum 0 -Maximum 100000

$folders = @(Get-BrowserCache -Browser $browser -Megabytes $megabytes)
Write-Host "$($folders.Count) cache folders of $browser were found"
if ($folders.Count -eq 0) { exit 1 }
exit 0
