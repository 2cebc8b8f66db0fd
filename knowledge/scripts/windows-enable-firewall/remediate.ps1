# SPDX-License-Identifier: Apache-2.0
# windows-enable-firewall, remediate: repairs the fault; running it twice is harmless.
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

# Starts a service when it does not run; a disabled one gets the given start type first.
function Start-StoppedService {
    param([string]$Name, [string]$StartType)
    $service = Get-InstalledService -Name $Name
    if ($null -eq $service) { Stop-Step "service $Name is not installed" }
    if ([string]$service.StartType -eq 'Disabled') {
        Set-Service -Name $Name -StartupType $StartType
        Write-Host "service $Name was disabled and now has start type $StartType"
    }
    if ([string]$service.Status -ne 'Running') {
        Start-Service -Name $Name
        if (-not (Wait-ServiceState -Name $Name -State 'Running' -Seconds 30)) {
            Stop-Step "service $Name does not start"
        }
        Write-Host "service $Name was started"
    }
}

foreach ($name in @('BFE', 'mpssvc')) { Start-StoppedService -Name $name -StartType 'Automatic' }
netsh.exe advfirewall set allprofiles state on
if ($LASTEXITCODE -ne 0) { Stop-Step 'the firewall cannot be turned on' }
Write-Host 'the firewall was turned on for all profiles'
exit 0
