# SPDX-License-Identifier: Apache-2.0
# windows-trim-startup-items, verify: exit 0 when the repair holds on this device.
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

# Returns the security identifiers of the people whose settings are loaded at the moment.
function Get-LoadedUserSid {
    $filter = 'Special = FALSE AND Loaded = TRUE'
    foreach ($account in @(Get-CimInstance -ClassName Win32_UserProfile -Filter $filter)) {
        $account.SID
    }
}

# Returns the value of a registry entry, or nothing when key or entry do not exist.
function Get-RegistryValue {
    param([string]$Key, [string]$Name)
    if (-not (Test-Path -LiteralPath $Key)) { return $null }
    $item = Get-Item -LiteralPath $Key
    return $item.GetValue($Name, $null)
}

# Returns whether an entry is wanted: it has the given name, or is a well-known one.
function Test-Wanted {
    param([string]$Entry, [string]$Name)
    if ($Name -ne '') { return ($Entry -eq $Name) }
    $known = @(
        'Spotify', 'Steam', 'Discord', 'Skype', 'EpicGamesLauncher', 'iTunesHelper', 'Cortana',
        'Adobe Acrobat Synchronizer', 'Opera Browser Assistant', 'CCleaner Smart Cleaning'
    )
    return ($known -contains $Entry -or $Entry -match '\A(GoogleChrome|MicrosoftEdge)AutoLaunch_')
}

# Returns key and name of each wanted entry of signed-in users that is still enabled.
function Get-EnabledEntry {
    param([string]$Name)
    foreach ($sid in @(Get-LoadedUserSid)) {
        $base = "Registry::HKEY_USERS\$sid\Software\Microsoft\Windows\CurrentVersion"
        $list = Join-Path -Path $base -ChildPath 'Run'
        if (-not (Test-Path -LiteralPath $list)) { continue }
        $approved = Join-Path -Path $base -ChildPath 'Explorer\StartupApproved\Run'
        foreach ($entry in @((Get-Item -LiteralPath $list).GetValueNames())) {
            if (-not (Test-Wanted -Entry $entry -Name $Name)) { continue }
            $state = @(Get-RegistryValue -Key $approved -Name $entry)
            $disabled = $state.Count -gt 0 -and $null -ne $state[0] -and ($state[0] -band 1) -eq 1
            if (-not $disabled) { @{ Key = $approved; Name = $entry } }
        }
    }
}

$name = Get-TextParameter -Name 'entry_name' -Default '' -Pattern '\A[A-Za-z0-9._ ()-]{0,80}\z'

if (@(Get-EnabledEntry -Name $name).Count -gt 0) { Stop-Step 'a start-up entry is still enabled' }
Write-Host 'the start-up entries are disabled'
exit 0
