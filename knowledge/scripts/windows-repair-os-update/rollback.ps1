# SPDX-License-Identifier: Apache-2.0
# windows-repair-os-update, rollback: puts back what the repair changed.
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

# Returns the service of this name, or nothing when it is not installed.
function Get-InstalledService {
    param([string]$Name)
    return (Get-Service -Name $Name -ErrorAction SilentlyContinue)
}

# Returns whether the service reaches the state within the given time.
function Wait-ServiceState {
    param([string]$Name, [string]$State, [int]$Seconds)
    for ($attempt = 0; $attempt -lt $Seconds; $attempt++) {
        $service = Get-InstalledService -Name $Name
        if ($null -ne $service -and [string]$service.Status -eq $State) { return $true }
        Start-Sleep -Seconds 1
    }
    return $false
}

# Stops a service and waits until it has stopped; nothing happens when it is not installed.
function Stop-RunningService {
    param([string]$Name)
    $service = Get-InstalledService -Name $Name
    if ($null -eq $service -or [string]$service.Status -eq 'Stopped') { return }
    Stop-Service -Name $Name -Force
    if (-not (Wait-ServiceState -Name $Name -State 'Stopped' -Seconds 45)) {
        Stop-Step "service $Name does not stop"
    }
    Write-Host "service $Name was stopped"
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

foreach ($name in @('wuauserv', 'bits', 'cryptsvc')) { Stop-RunningService -Name $name }
try {
    Restore-Aside
} finally {
    foreach ($name in @('cryptsvc', 'bits', 'wuauserv')) { Start-Service -Name $name }
}
exit 0
