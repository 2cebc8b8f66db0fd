# SPDX-License-Identifier: Apache-2.0
# windows-renew-dhcp-lease, remediate: repairs the fault; running it twice is harmless.
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

# Returns the names of adapters that wait for an address of the network.
function Get-WaitingAdapter {
    foreach ($adapter in @(Get-NetAdapter -Physical | Where-Object { $_.Status -eq 'Up' })) {
        $index = $adapter.InterfaceIndex
        $settings = Get-NetIPInterface -InterfaceIndex $index -AddressFamily IPv4 -ErrorAction SilentlyContinue
        if ($null -eq $settings -or [string]$settings.Dhcp -ne 'Enabled') { continue }
        $addresses = @(Get-NetIPAddress -InterfaceIndex $index -AddressFamily IPv4 -ErrorAction SilentlyContinue)
        $usable = @($addresses | Where-Object { $_.IPAddress -notlike '169.254.*' })
        if ($usable.Count -eq 0) { $adapter.Name }
    }
}

Start-StoppedService -Name 'Dhcp' -StartType 'Automatic'
foreach ($adapter in @(Get-WaitingAdapter)) {
    if ($adapter -notmatch '\A[\w .()#-]{1,128}\z') {
        Write-Host 'an adapter has a name that cannot be handed on: skipped'
        continue
    }
    ipconfig.exe /release $adapter
    ipconfig.exe /renew $adapter
    Write-Host "renewed $adapter"
}
exit 0
