# SPDX-License-Identifier: Apache-2.0
# windows-restart-service, remediate: repairs the fault; running it twice is harmless.
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

# Ends with an error when stopping the service would harm Windows or this agent.
function Confirm-Restartable {
    param([string]$Name)
    $protected = @(
        'RpcSs', 'RpcEptMapper', 'DcomLaunch', 'LSM', 'SamSs', 'PlugPlay', 'Power', 'ProfSvc',
        'EventLog', 'BFE', 'CryptSvc', 'TrustedInstaller', 'Schedule', 'WinDefend', 'gpsvc',
        'CoreMessagingRegistrar', 'BrokerInfrastructure', 'SystemEventsBroker', 'eucora-agent'
    )
    if ($protected -contains $Name) { Stop-Step "$Name may only be restarted with the device" }
}

$name = Get-TextParameter -Name 'service_name' -Default '' -Pattern '\A[A-Za-z0-9][A-Za-z0-9._$@-]{0,79}\z'

$wait = Get-IntegerParameter -Name 'wait_seconds' -Default 60 -Minimum 5 -Maximum 300
$service = Get-InstalledService -Name $name
if ($null -eq $service) { Stop-Step "service $name is not installed" }
if ([string]$service.Status -eq 'Running') {
    Write-Host "service $name already runs"
    exit 0
}
if ([string]$service.StartType -eq 'Disabled') { Stop-Step "service $name is disabled on purpose" }
Confirm-Restartable -Name $name
foreach ($needed in @($service.ServicesDependedOn)) {
    if ([string]$needed.Status -ne 'Running') {
        Start-Service -Name $needed.Name
        Write-Host "started $($needed.Name), which $name needs"
    }
}
if ([string]$service.Status -ne 'Stopped') { Stop-RunningService -Name $name }
Start-Service -Name $name
if (-not (Wait-ServiceState -Name $name -State 'Running' -Seconds $wait)) {
    Stop-Step "service $name does not run after $wait s"
}
Write-Host "service $name runs"
exit 0
