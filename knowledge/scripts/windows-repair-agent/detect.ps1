# SPDX-License-Identifier: Apache-2.0
# windows-repair-agent, detect: exit 0 when the fault is present, 1 when it is absent, other codes on errors.
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

# Returns the value of a registry entry, or nothing when key or entry do not exist.
function Get-RegistryValue {
    param([string]$Key, [string]$Name)
    if (-not (Test-Path -LiteralPath $Key)) { return $null }
    $item = Get-Item -LiteralPath $Key
    return $item.GetValue($Name, $null)
}

# Returns the service of this name, or nothing when it is not installed.
function Get-InstalledService {
    param([string]$Name)
    return (Get-Service -Name $Name -ErrorAction SilentlyContinue)
}

# Returns whether Windows starts the service by itself and restarts it after a failure.
function Test-Recovery {
    param([string]$Name)
    $service = Get-InstalledService -Name $Name
    if ($null -eq $service) { Stop-Step "service $Name is not installed" }
    if ([string]$service.StartType -ne 'Automatic') { return $false }
    $actions = Get-RegistryValue -Key "Registry::HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\$Name" -Name 'FailureActions'
    return ($null -ne $actions)
}

$name = Get-TextParameter -Name 'service_name' -Default 'eucora-agent' -Pattern '\Aeucora-[a-z0-9-]{1,40}\z'

if (Test-Recovery -Name $name) {
    Write-Host "Windows already keeps $name running"
    exit 1
}
Write-Host "Windows does not restart $name after a failure or a start"
exit 0
