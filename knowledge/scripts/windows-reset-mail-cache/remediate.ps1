# SPDX-License-Identifier: Apache-2.0
# windows-reset-mail-cache, remediate: repairs the fault; running it twice is harmless.
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

$grace = Get-IntegerParameter -Name 'grace_seconds' -Default 30 -Minimum 5 -Maximum 120
$copies = @(Get-OfflineCopy -Megabytes $megabytes)
[long]$needed = 2147483648
foreach ($copy in $copies) { $needed += $copy.Length }
$root = [IO.Path]::GetPathRoot([Environment]::SystemDirectory)
$drive = New-Object -TypeName System.IO.DriveInfo -ArgumentList $root
if ($drive.AvailableFreeSpace -lt $needed) { Stop-Step 'the drive has no room for a second copy' }
Stop-Application -Name 'OUTLOOK' -GraceSeconds $grace
foreach ($copy in $copies) { Move-Aside -Path $copy.FullName }
Write-Host 'Outlook downloads the mailbox again at its next start'
exit 0
