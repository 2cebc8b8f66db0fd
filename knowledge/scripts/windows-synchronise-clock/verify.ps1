# SPDX-License-Identifier: Apache-2.0
# windows-synchronise-clock, verify: exit 0 when the repair holds on this device.
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

# Returns the offset to the reference in seconds, or nothing when it does not answer.
function Get-ClockOffset {
    param([string]$Server)
    $lines = @(w32tm.exe /stripchart "/computer:$Server" /samples:3 /dataonly)
    for ($index = $lines.Count - 1; $index -ge 0; $index--) {
        $match = [regex]::Match($lines[$index], ',\s*([+-][0-9]+\.[0-9]+)s')
        if ($match.Success) {
            return [double]::Parse($match.Groups[1].Value, [Globalization.CultureInfo]::InvariantCulture)
        }
    }
    return $null
}

$server = Get-TextParameter -Name 'reference_server' -Default 'time.windows.com' -Pattern '\A[A-Za-z0-9][A-Za-z0-9.-]{0,252}\z'
$limit = Get-IntegerParameter -Name 'maximum_offset_seconds' -Default 2 -Minimum 1 -Maximum 300

$service = Get-InstalledService -Name 'W32Time'
if ($null -eq $service -or [string]$service.Status -ne 'Running') { Stop-Step 'W32Time does not run' }
$offset = Get-ClockOffset -Server $server
if ($null -ne $offset -and [Math]::Abs($offset) -ge $limit) { Stop-Step "the offset is still $offset s" }
Write-Host "the time service runs, offset $offset s"
exit 0
