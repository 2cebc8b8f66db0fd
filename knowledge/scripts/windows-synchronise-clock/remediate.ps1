# SPDX-License-Identifier: Apache-2.0
# windows-synchronise-clock, remediate: repairs the fault; running it twice is harmless.
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

$server = Get-TextParameter -Name 'reference_server' -Default 'time.windows.com' -Pattern '\A[A-Za-z0-9][A-Za-z0-9.-]{0,252}\z'
$limit = Get-IntegerParameter -Name 'maximum_offset_seconds' -Default 2 -Minimum 1 -Maximum 300

Start-StoppedService -Name 'W32Time' -StartType 'Automatic'
w32tm.exe /resync /rediscover
if ($LASTEXITCODE -ne 0) {
    Start-Sleep -Seconds 5
    w32tm.exe /resync /force
    if ($LASTEXITCODE -ne 0) { Stop-Step "synchronising ended with error $LASTEXITCODE" }
}
Write-Host 'the clock was synchronised'
exit 0
