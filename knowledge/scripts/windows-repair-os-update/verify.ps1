# SPDX-License-Identifier: Apache-2.0
# windows-repair-os-update, verify: exit 0 when the repair holds on this device.
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

# Returns the names of update services that are disabled.
function Get-DisabledUpdater {
    foreach ($name in @('wuauserv', 'bits', 'cryptsvc')) {
        $service = Get-InstalledService -Name $name
        if ($null -ne $service -and [string]$service.StartType -eq 'Disabled') { $name }
    }
}

if (@(Get-DisabledUpdater).Count -gt 0) { Stop-Step 'an update service is disabled' }
if (-not (Wait-ServiceState -Name 'cryptsvc' -State 'Running' -Seconds 20)) {
    Stop-Step 'the cryptographic service does not run'
}
Start-Service -Name 'wuauserv'
Write-Host 'the updater can start'
exit 0
