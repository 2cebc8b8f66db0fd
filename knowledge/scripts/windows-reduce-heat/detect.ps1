# SPDX-License-Identifier: Apache-2.0
# windows-reduce-heat, detect: exit 0 when the fault is present, 1 when it is absent, other codes on errors.
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

# Returns the value of a whole-number parameter, or its default when it was not handed over.
function Get-IntegerParameter {
    param([string]$Name, [int]$Default, [int]$Minimum, [int]$Maximum)
    $text = [Environment]::GetEnvironmentVariable('EUCORA_PARAM_' + $Name.ToUpperInvariant())
    if ([string]::IsNullOrEmpty($text)) { return $Default }
    if ($text -notmatch '\A[0-9]{1,9}\z') { Stop-Step "parameter $Name is not a whole number" }
    $number = [int]$text
    if ($number -lt $Minimum -or $number -gt $Maximum) {
        Stop-Step "parameter $Name must be $Minimum to $Maximum"
    }
    return $number
}

# Returns the maximum processor state of the active plan: on mains and on battery.
function Get-ProcessorLimit {
    $found = @()
    foreach ($line in @(powercfg.exe /query scheme_current sub_processor PROCTHROTTLEMAX)) {
        $match = [regex]::Match($line, ':\s*0x([0-9a-fA-F]{8})\s*\z')
        if ($match.Success) { $found += [Convert]::ToInt32($match.Groups[1].Value, 16) }
    }
    if ($found.Count -lt 2) { Stop-Step 'the power plan cannot be read' }
    return $found[($found.Count - 2)..($found.Count - 1)]
}

$limit = Get-IntegerParameter -Name 'maximum_percent' -Default 95 -Minimum 50 -Maximum 99

$present = @(Get-ProcessorLimit)
Write-Host "the processor may run at $($present[0]) % on mains and $($present[1]) % on battery"
if ($present[0] -le $limit -and $present[1] -le $limit) { exit 1 }
exit 0
