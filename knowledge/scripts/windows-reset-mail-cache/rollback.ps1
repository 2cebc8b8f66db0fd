# SPDX-License-Identifier: Apache-2.0
# windows-reset-mail-cache, rollback: puts back what the repair changed.
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

# Puts everything back that Move-Aside renamed, the last one first.
function Restore-Aside {
    $list = Get-StatePath -Name 'moved.txt'
    if (-not (Test-Path -LiteralPath $list)) { return }
    $lines = @(Get-Content -LiteralPath $list -Encoding UTF8)
    for ($index = $lines.Count - 1; $index -ge 0; $index--) {
        $parts = $lines[$index].Split([char]9)
        if ($parts.Count -ne 2 -or -not (Test-Path -LiteralPath $parts[1])) { continue }
        if (Test-Path -LiteralPath $parts[0]) {
            Remove-Item -LiteralPath $parts[0] -Recurse -Force
        }
        Move-Item -LiteralPath $parts[1] -Destination $parts[0]
        Write-Host ('restored ' + $parts[0])
    }
}

Stop-Application -Name 'OUTLOOK' -GraceSeconds 30
Restore-Aside
exit 0
