# SPDX-License-Identifier: Apache-2.0
# windows-reset-application-cache, detect: exit 0 when the fault is present, 1 when it is absent, other codes on errors.
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

# Returns the home folders of the people who use this device.
function Get-ProfileFolder {
    foreach ($account in @(Get-CimInstance -ClassName Win32_UserProfile -Filter 'Special = FALSE')) {
        $folder = $account.LocalPath
        if ($folder -and (Test-Path -LiteralPath $folder -PathType Container)) { $folder }
    }
}

# Returns the cache folders that lie in a folder named like the application.
function Get-ApplicationCache {
    param([string]$Name)
    foreach ($account in @(Get-ProfileFolder)) {
        foreach ($place in @('AppData\Local', 'AppData\Roaming')) {
            $base = Join-Path -Path $account -ChildPath $place
            if (-not (Test-Path -LiteralPath $base -PathType Container)) { continue }
            $homes = @(Join-Path -Path $base -ChildPath $Name)
            foreach ($vendor in @(Get-ChildItem -LiteralPath $base -Directory -ErrorAction SilentlyContinue)) {
                if ($vendor.Attributes -band [IO.FileAttributes]::ReparsePoint) { continue }
                $homes += Join-Path -Path $vendor.FullName -ChildPath $Name
            }
            foreach ($folder in $homes) {
                foreach ($cache in @('Cache', 'Code Cache', 'GPUCache', 'CachedData')) {
                    $candidate = Join-Path -Path $folder -ChildPath $cache
                    if (Test-Path -LiteralPath $candidate -PathType Container) { $candidate }
                }
            }
        }
    }
}

$application = Get-TextParameter -Name 'application_name' -Default '' -Pattern '\A[A-Za-z0-9][A-Za-z0-9._ -]{0,63}\z'
$name = $application -replace '\.exe\z', ''
if ($name -match '\.\.|\.\z| \z') { Stop-Step 'parameter application_name is malformed' }

$folders = @(Get-ApplicationCache -Name $name)
Write-Host "$($folders.Count) cache folders of $name were found"
if ($folders.Count -eq 0) { exit 1 }
exit 0
