# SPDX-License-Identifier: Apache-2.0
# windows-reset-chat-cache, remediate: repairs the fault; running it twice is harmless.
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

# Returns the names of the processes of the client.
function Get-ClientProcessName {
    param([string]$Client)
    switch ($Client) {
        'teams' { 'ms-teams' }
        'teams_classic' { 'Teams' }
        'slack' { 'slack' }
    }
}

# Returns the cache folders of the client that exist and are of at least the given size.
function Get-CacheFolder {
    param([string]$Client, [int]$Megabytes)
    $places = @{
        'teams' = @('AppData\Local\Packages\MSTeams_8wekyb3d8bbwe\LocalCache\Microsoft\MSTeams')
        'teams_classic' = @(
            'AppData\Roaming\Microsoft\Teams\Cache',
            'AppData\Roaming\Microsoft\Teams\Code Cache',
            'AppData\Roaming\Microsoft\Teams\GPUCache',
            'AppData\Roaming\Microsoft\Teams\Service Worker'
        )
        'slack' = @(
            'AppData\Roaming\Slack\Cache',
            'AppData\Roaming\Slack\Code Cache',
            'AppData\Roaming\Slack\GPUCache',
            'AppData\Roaming\Slack\Service Worker'
        )
    }
    foreach ($account in @(Get-ProfileFolder)) {
        foreach ($place in $places[$Client]) {
            $folder = Join-Path -Path $account -ChildPath $place
            if (-not (Test-Path -LiteralPath $folder -PathType Container)) { continue }
            if ((Get-FolderSize -Path $folder) -ge $Megabytes * 1048576) { $folder }
        }
    }
}

$client = Get-TextParameter -Name 'client' -Default 'teams' -Pattern '\A(teams|teams_classic|slack)\z'
$megabytes = Get-IntegerParameter -Name 'minimum_megabytes' -Default 1 -Minimum 0 -Maximum 100000

$name = Get-ClientProcessName -Client $client
Set-Content -LiteralPath (Get-StatePath -Name 'process-name.txt') -Value $name -Encoding ASCII
Stop-Application -Name $name -GraceSeconds 15
foreach ($folder in @(Get-CacheFolder -Client $client -Megabytes $megabytes)) {
    Move-Aside -Path $folder
}
exit 0
