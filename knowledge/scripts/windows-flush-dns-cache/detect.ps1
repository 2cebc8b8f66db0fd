# SPDX-License-Identifier: Apache-2.0
# windows-flush-dns-cache, detect: exit 0 when the fault is present, 1 when it is absent, other codes on errors.
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

# Returns whether the name resolves through the cache of this device.
function Test-Name {
    param([string]$Name)
    try {
        $answers = @(Resolve-DnsName -Name $Name -Type A -DnsOnly -QuickTimeout)
        return ($answers.Count -gt 0)
    } catch {
        return $false
    }
}

$probe = Get-TextParameter -Name 'probe_name' -Default 'www.msftconnecttest.com' -Pattern '\A[A-Za-z0-9][A-Za-z0-9.-]{0,252}\z'

if (-not (Test-Name -Name $probe)) {
    Write-Host "$probe does not resolve"
    exit 0
}
$negative = @(Get-DnsClientCache -ErrorAction SilentlyContinue | Where-Object { $_.Status -ne 0 })
Write-Host "$probe resolves; the cache holds $($negative.Count) failed answers"
if ($negative.Count -eq 0) { exit 1 }
exit 0
