# SPDX-License-Identifier: Apache-2.0
# windows-enable-firewall, detect: exit 0 when the fault is present, 1 when it is absent, other codes on errors.
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
if ($null -eq $service) { Stop-Step 'the firewall service is not installed' }
if ([string]$service.Status -ne 'Running') {
    Write-Host 'the firewall service does not run'
    exit 0
}
$open = @(Get-OpenProfile)
Write-Host "the firewall is off for $($open.Count) profiles"
if ($open.Count -eq 0) { exit 1 }
exit 0
