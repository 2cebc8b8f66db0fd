# SPDX-License-Identifier: Apache-2.0
# windows-restart-audio, detect: exit 0 when the fault is present, 1 when it is absent, other codes on errors.
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

# Returns the value of a yes-or-no parameter, or its default when it was not handed over.
function Get-BooleanParameter {
    param([string]$Name, [bool]$Default)
    $text = [Environment]::GetEnvironmentVariable('EUCORA_PARAM_' + $Name.ToUpperInvariant())
    if ([string]::IsNullOrEmpty($text)) { return $Default }
    if ($text -cnotmatch '\A(true|false)\z') { Stop-Step "parameter $Name must be true or false" }
    return ($text -ceq 'true')
}

# Returns the service of this name, or nothing when it is not installed.
function Get-InstalledService {
    param([string]$Name)
    return (Get-Service -Name $Name -ErrorAction SilentlyContinue)
}

$names = @('AudioEndpointBuilder', 'Audiosrv')

$always = Get-BooleanParameter -Name 'even_when_running' -Default $true
$down = 0
foreach ($name in $names) {
    $service = Get-InstalledService -Name $name
    if ($null -eq $service) { Stop-Step "service $name is not installed" }
    Write-Host "service $name is $($service.Status)"
    if ([string]$service.Status -ne 'Running') { $down++ }
}
if ($down -eq 0 -and -not $always) { exit 1 }
exit 0
