# SPDX-License-Identifier: Apache-2.0
# windows-clear-print-queue, rollback: puts back what the repair changed.
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

$kept = Get-StatePath -Name 'jobs'
if (Test-Path -LiteralPath $kept -PathType Container) {
    $spool = Join-Path -Path ([Environment]::SystemDirectory) -ChildPath 'spool\PRINTERS'
    Stop-RunningService -Name 'Spooler'
    foreach ($file in @(Get-ChildItem -LiteralPath $kept -File -Force)) {
        Move-Item -LiteralPath $file.FullName -Destination $spool -Force
        Write-Host "put back $($file.Name)"
    }
    Start-Service -Name 'Spooler'
}
exit 0
