# SPDX-License-Identifier: Apache-2.0
# windows-enable-antivirus, remediate: repairs the fault; running it twice is harmless.
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

# Returns how many other protection products are registered.
function Get-OtherProductCount {
    $products = @(Get-CimInstance -Namespace 'root/SecurityCenter2' -ClassName 'AntiVirusProduct' -ErrorAction SilentlyContinue)
    return @($products | Where-Object { $_.displayName -notmatch 'Defender' }).Count
}

if ((Get-OtherProductCount) -gt 0) { Stop-Step 'another product is registered: repair or remove it' }
Start-StoppedService -Name 'WinDefend' -StartType 'Automatic'
Set-MpPreference -DisableRealtimeMonitoring $false
Write-Host 'real-time protection was turned on'
try {
    Update-MpSignature
    Write-Host 'the signatures are current'
} catch {
    Write-Host 'the signatures could not be updated; Windows tries again by itself'
}
exit 0
