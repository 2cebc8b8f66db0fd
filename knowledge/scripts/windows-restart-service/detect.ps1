# SPDX-License-Identifier: Apache-2.0
# windows-restart-service, detect: exit 0 when the fault is present, 1 when it is absent, other codes on errors.
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

$name = Get-TextParameter -Name 'service_name' -Default '' -Pattern '\A[A-Za-z0-9][A-Za-z0-9._$@-]{0,79}\z'

$service = Get-InstalledService -Name $name
if ($null -eq $service) { Stop-Step "service $name is not installed" }
Write-Host "service $name is $($service.Status), start type $($service.StartType)"
if ([string]$service.Status -eq 'Running') { exit 1 }
if ([string]$service.StartType -eq 'Disabled') { Stop-Step "service $name is disabled on purpose" }
exit 0
