# SPDX-License-Identifier: Apache-2.0
# windows-reconnect-vpn, remediate: repairs the fault; running it twice is harmless.
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

# Returns the value of a text parameter after matching all of it against a pattern.
function Get-TextParameter {
    param([string]$Name, [string]$Default, [string]$Pattern)
    $text = [Environment]::GetEnvironmentVariable('EUCORA_PARAM_' + $Name.ToUpperInvariant())
    if ([string]::IsNullOrEmpty($text)) { $text = $Default }
    if ($text -cnotmatch $Pattern) { Stop-Step "parameter $Name is malformed" }
    return $text
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

# Returns the names of the wanted stored connections that are not connected.
function Get-DroppedConnection {
    param([string]$Name)
    $stored = @(Get-VpnConnection -AllUserConnection -ErrorAction SilentlyContinue)
    $stored += @(Get-VpnConnection -ErrorAction SilentlyContinue)
    foreach ($connection in $stored) {
        if ($Name -ne '' -and $connection.Name -ne $Name) { continue }
        if ([string]$connection.ConnectionStatus -ne 'Connected') { $connection.Name }
    }
}

$name = Get-TextParameter -Name 'connection_name' -Default '' -Pattern '\A[A-Za-z0-9._ ()-]{0,64}\z'

foreach ($service in @('IKEEXT', 'RasMan')) {
    Start-StoppedService -Name $service -StartType 'Manual'
}
$failed = 0
foreach ($connection in @(Get-DroppedConnection -Name $name)) {
    rasdial.exe $connection /disconnect
    Start-Sleep -Seconds 2
    rasdial.exe $connection
    if ($LASTEXITCODE -eq 0) {
        Write-Host 'a connection was dialled again'
    } else {
        Write-Host "dialling ended with error $LASTEXITCODE"
        $failed++
    }
}
if ($failed -gt 0) { Stop-Step "$failed connections could not be dialled" }
exit 0
