# SPDX-License-Identifier: Apache-2.0
# windows-repair-os-update, remediate: repairs the fault; running it twice is harmless.
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

# Returns the names of update services that are disabled.
function Get-DisabledUpdater {
    foreach ($name in @('wuauserv', 'bits', 'cryptsvc')) {
        $service = Get-InstalledService -Name $name
        if ($null -ne $service -and [string]$service.StartType -eq 'Disabled') { $name }
    }
}

# Returns the two folders in which the updater keeps its downloads and signatures.
function Get-UpdateFolder {
    Join-Path -Path ([Environment]::GetFolderPath('Windows')) -ChildPath 'SoftwareDistribution'
    Join-Path -Path ([Environment]::SystemDirectory) -ChildPath 'catroot2'
}

foreach ($name in @(Get-DisabledUpdater)) {
    Set-Service -Name $name -StartupType Manual
    Write-Host "service $name may start again"
}
foreach ($name in @('wuauserv', 'bits', 'cryptsvc')) { Stop-RunningService -Name $name }
try {
    foreach ($folder in @(Get-UpdateFolder)) { Move-Aside -Path $folder }
} finally {
    foreach ($name in @('cryptsvc', 'bits', 'wuauserv')) { Start-Service -Name $name }
}
Write-Host 'the update services run with an empty store'
exit 0
