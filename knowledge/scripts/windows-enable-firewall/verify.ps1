# SPDX-License-Identifier: Apache-2.0
# windows-enable-firewall, verify: exit 0 when the repair holds on this device.
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

# Returns the names of profiles for which the firewall is off.
function Get-OpenProfile {
    foreach ($entry in @(Get-NetFirewallProfile)) {
        if ([string]$entry.Enabled -ne 'True') { $entry.Name }
    }
}

$service = Get-InstalledService -Name 'mpssvc'
if ($null -eq $service -or [string]$service.Status -ne 'Running') { Stop-Step 'the service does not run' }
if (@(Get-OpenProfile).Count -gt 0) { Stop-Step 'a policy keeps the firewall off' }
Write-Host 'the firewall is on for all profiles'
exit 0
