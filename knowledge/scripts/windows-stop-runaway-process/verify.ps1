# SPDX-License-Identifier: Apache-2.0
# windows-stop-runaway-process, verify: exit 0 when the repair holds on this device.
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

# Returns the file of this name in the private folder that all steps of the job share.
function Get-StatePath {
    param([string]$Name)
    $folder = [Environment]::GetEnvironmentVariable('EUCORA_STATE_DIR')
    if ([string]::IsNullOrEmpty($folder)) { Stop-Step 'EUCORA_STATE_DIR is not set' }
    if (-not (Test-Path -LiteralPath $folder -PathType Container)) {
        Stop-Step 'the state folder does not exist'
    }
    return (Join-Path -Path $folder -ChildPath $Name)
}

# Returns the process with this number when it has this name, otherwise nothing.
function Get-NamedProcess {
    param([int]$Id, [string]$Name)
    $found = Get-Process -Id $Id -ErrorAction SilentlyContinue
    if ($null -eq $found) { return $null }
    if ($found.ProcessName -ne ($Name -replace '\.exe\z', '')) { return $null }
    return $found
}

# Returns the share of one core, in percent, that the process uses over one second.
function Measure-Processor {
    param([System.Diagnostics.Process]$Process)
    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    $before = $Process.TotalProcessorTime.TotalMilliseconds
    Start-Sleep -Seconds 1
    $Process.Refresh()
    if ($Process.HasExited) { return 0 }
    $used = $Process.TotalProcessorTime.TotalMilliseconds - $before
    return [int](100 * $used / $watch.ElapsedMilliseconds)
}

$name = Get-TextParameter -Name 'process_name' -Default '' -Pattern '\A[A-Za-z0-9._+@() -]{1,128}\z'
$id = Get-IntegerParameter -Name 'pid' -Default 0 -Minimum 5 -Maximum 4294967
$limit = Get-IntegerParameter -Name 'minimum_cpu_percent' -Default 50 -Minimum 10 -Maximum 100
$startFile = Get-StatePath -Name 'process-start.txt'

$process = Get-NamedProcess -Id $id -Name $name
if ($null -ne $process) {
    $used = Measure-Processor -Process $process
    if ($used -ge $limit) { Stop-Step "process $id still uses $used % of one core" }
}
Write-Host "process $id no longer burns a core"
exit 0
