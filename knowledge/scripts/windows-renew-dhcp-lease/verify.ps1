# SPDX-License-Identifier: Apache-2.0
# windows-renew-dhcp-lease, verify: exit 0 when the repair holds on this device.
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

# Returns the names of adapters that wait for an address of the network.
function Get-WaitingAdapter {
    foreach ($adapter in @(Get-NetAdapter -Physical | Where-Object { $_.Status -eq 'Up' })) {
        $index = $adapter.InterfaceIndex
        $settings = Get-NetIPInterface -InterfaceIndex $index -AddressFamily IPv4 -ErrorAction SilentlyContinue
        if ($null -eq $settings -or [string]$settings.Dhcp -ne 'Enabled') { continue }
        $addresses = @(Get-NetIPAddress -InterfaceIndex $index -AddressFamily IPv4 -ErrorAction SilentlyContinue)
        $usable = @($addresses | Where-Object { $_.IPAddress -notlike '169.254.*' })
        if ($usable.Count -eq 0) { $adapter.Name }
    }
}

for ($attempt = 0; $attempt -lt 15; $attempt++) {
    if (@(Get-WaitingAdapter).Count -eq 0) {
        Write-Host 'each connected adapter has an address'
        exit 0
    }
    Start-Sleep -Seconds 2
}
Stop-Step 'no DHCP server has answered'
