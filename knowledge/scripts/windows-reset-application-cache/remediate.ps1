# SPDX-License-Identifier: Apache-2.0
# windows-reset-application-cache, remediate: repairs the fault; running it twice is harmless.
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

# Returns the file of this name in the private folder that all steps of the job share.
function Get-StatePath {
    param([string]$Name)
    $folder = [Environment]::GetEnvironmentVariable('EUCORA_STATE_DIR')
    if ([string]::IsNullOrEmpty($folder)) { Stop-Step 'EUCORA_STATE_DIR is not set' }
    if (-not (Test-Path -LiteralPath $folder -PathType Container)) {
        Stop-Step 'the state folder does not exist'
    }
    return (Join-Path -Path $folder -ChildPath $Name)
}

# Returns the home folders of the people who use this device.
function Get-ProfileFolder {
    foreach ($account in @(Get-CimInstance -ClassName Win32_UserProfile -Filter 'Special = FALSE')) {
        $folder = $account.LocalPath
        if ($folder -and (Test-Path -LiteralPath $folder -PathType Container)) { $folder }
    }
}

# Closes a program: asks its windows first, and ends what still runs after the given time.
function Stop-Application {
    param([string]$Name, [int]$GraceSeconds)
    $running = @(Get-Process -Name $Name -ErrorAction SilentlyContinue)
    if ($running.Count -eq 0) { return }
    foreach ($process in $running) { $null = $process.CloseMainWindow() }
    for ($attempt = 0; $attempt -lt $GraceSeconds; $attempt++) {
        if (@(Get-Process -Name $Name -ErrorAction SilentlyContinue).Count -eq 0) { break }
        Start-Sleep -Seconds 1
    }
    $left = @(Get-Process -Name $Name -ErrorAction SilentlyContinue)
    foreach ($process in $left) {
        Stop-Process -Id $process.Id -Force -ErrorAction SilentlyContinue
    }
    Start-Sleep -Seconds 1
    if (@(Get-Process -Name $Name -ErrorAction SilentlyContinue).Count -gt 0) {
        Stop-Step "$Name cannot be closed"
    }
    Write-Host "closed $Name"
}

# Renames a file or folder, so that it is made anew; the state folder remembers both names.
function Move-Aside {
    param([string]$Path)
    if (-not (Test-Path -LiteralPath $Path)) { return }
    $aside = $Path + '.eucora-' + (Get-Date -Format 'yyyyMMddHHmmssfff')
    Add-Content -LiteralPath (Get-StatePath -Name 'moved.txt') -Value "$Path`t$aside" -Encoding UTF8
    Move-Item -LiteralPath $Path -Destination $aside
    Write-Host "set aside $Path"
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

$grace = Get-IntegerParameter -Name 'grace_seconds' -Default 20 -Minimum 1 -Maximum 120
$system = @('explorer', 'svchost', 'lsass', 'csrss', 'wininit', 'winlogon', 'services', 'dwm', 'MsMpEng')
if ($system -contains $name) { Stop-Step "$name is a part of the system" }
Stop-Application -Name $name -GraceSeconds $grace
foreach ($folder in @(Get-ApplicationCache -Name $name)) { Move-Aside -Path $folder }
exit 0
