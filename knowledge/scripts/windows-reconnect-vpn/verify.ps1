# SPDX-License-Identifier: Apache-2.0
# windows-reconnect-vpn, verify: exit 0 when the repair holds on this device.
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

Start-Sleep -Seconds 5
$dropped = @(Get-DroppedConnection -Name $name)
if ($dropped.Count -gt 0) { Stop-Step "$($dropped.Count) stored connections are still down" }
Write-Host 'the connection is up'
exit 0
