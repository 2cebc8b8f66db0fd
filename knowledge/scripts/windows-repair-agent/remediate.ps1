# SPDX-License-Identifier: Apache-2.0
# windows-repair-agent, remediate: repairs the fault; running it twice is harmless.
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

$name = Get-TextParameter -Name 'service_name' -Default 'eucora-agent' -Pattern '\Aeucora-[a-z0-9-]{1,40}\z'

Set-Service -Name $name -StartupType Automatic
$null = sc.exe failure $name 'reset=' '86400' 'actions=' 'restart/60000/restart/60000/restart/300000'
if ($LASTEXITCODE -ne 0) { Stop-Step 'the recovery of the service cannot be set' }
Write-Host "Windows now starts $name by itself and restarts it after a failure"
exit 0
