# SPDX-License-Identifier: Apache-2.0
# windows-renew-dhcp-lease, detect: exit 0 when the fault is present, 1 when it is absent, other codes on errors.
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
trap { Write-Host ('unexpected failure: ' + $_.Exception.Message); exit 3 }

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

$waiting = @(Get-WaitingAdapter)
Write-Host "$($waiting.Count) adapters have no usable address"
if ($waiting.Count -eq 0) { exit 1 }
exit 0
