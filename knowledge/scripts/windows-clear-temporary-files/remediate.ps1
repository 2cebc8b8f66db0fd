# SPDX-License-Identifier: Apache-2.0
# windows-clear-temporary-files, remediate: repairs the fault; running it twice is harmless.
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

# Returns the folders of this drive that hold temporary files only.
function Get-TemporaryFolder {
    param([string]$Root)
    $windows = [Environment]::GetFolderPath('Windows')
    $folders = @(
        (Join-Path -Path $windows -ChildPath 'Temp'),
        (Join-Path -Path $windows -ChildPath 'Minidump'),
        (Join-Path -Path $windows -ChildPath 'LiveKernelReports'),
        ($Root + 'Temp'),
        ($Root + 'tmp')
    )
    foreach ($account in @(Get-ProfileFolder)) {
        $folders += Join-Path -Path $account -ChildPath 'AppData\Local\Temp'
        $folders += Join-Path -Path $account -ChildPath 'AppData\Local\CrashDumps'
    }
    foreach ($folder in $folders) {
        $here = $folder.StartsWith($Root, [StringComparison]::OrdinalIgnoreCase)
        if ($here -and (Test-Path -LiteralPath $folder -PathType Container)) {
            $item = Get-Item -LiteralPath $folder -Force
            if (-not ($item.Attributes -band [IO.FileAttributes]::ReparsePoint)) { $folder }
        }
    }
}

# Returns the files below a folder that were last changed before a moment; links are not followed.
function Get-OldFile {
    param([string]$Path, [datetime]$Before)
    foreach ($entry in @(Get-ChildItem -LiteralPath $Path -Force -ErrorAction SilentlyContinue)) {
        if ($entry.Attributes -band [IO.FileAttributes]::ReparsePoint) { continue }
        if ($entry.PSIsContainer) {
            Get-OldFile -Path $entry.FullName -Before $Before
        } elseif ($entry.LastWriteTime -lt $Before) {
            $entry
        }
    }
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

if ((Get-UsedPercent -Root $root) -lt $limit) {
    Write-Host 'the drive is no longer full'
    exit 0
}
[long]$size = 0
$deleted = 0
$kept = 0
foreach ($folder in @(Get-TemporaryFolder -Root $root)) {
    foreach ($file in @(Get-OldFile -Path $folder -Before $before)) {
        $length = $file.Length
        try {
            Remove-Item -LiteralPath $file.FullName -Force
            $size += $length
            $deleted++
        } catch {
            $kept++
        }
    }
}
Write-Host ('deleted {0} files, {1} MB; {2} are in use and stay' -f $deleted, [Math]::Floor($size / 1048576), $kept)
exit 0
