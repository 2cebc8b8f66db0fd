# SPDX-License-Identifier: Apache-2.0
# windows-reset-proxy, remediate: repairs the fault; running it twice is harmless.
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

# Returns whether something answers at this host and port within three seconds.
function Test-TcpPort {
    param([string]$ComputerName, [int]$Port)
    $client = New-Object -TypeName System.Net.Sockets.TcpClient
    try {
        $pending = $client.BeginConnect($ComputerName, $Port, $null, $null)
        if (-not $pending.AsyncWaitHandle.WaitOne(3000)) { return $false }
        $client.EndConnect($pending)
        return $true
    } catch {
        return $false
    } finally {
        $client.Close()
    }
}

# Returns whether the first "host:port" in a proxy setting answers; odd settings count as answering.
function Test-Proxy {
    param([string]$Setting)
    $match = [regex]::Match($Setting, '([A-Za-z0-9.-]{1,253}):([0-9]{1,5})')
    if (-not $match.Success) { return $true }
    $port = [int]$match.Groups[2].Value
    if ($port -lt 1 -or $port -gt 65535) { return $false }
    return (Test-TcpPort -ComputerName $match.Groups[1].Value -Port $port)
}

# Returns the registry keys of signed-in users whose proxy is on and does not answer.
function Get-DeadUserProxy {
    foreach ($sid in @(Get-LoadedUserSid)) {
        $key = "Registry::HKEY_USERS\$sid\Software\Microsoft\Windows\CurrentVersion\Internet Settings"
        $policy = "Registry::HKEY_USERS\$sid\Software\Policies\Microsoft\Windows\CurrentVersion\Internet Settings"
        if ($null -ne (Get-RegistryValue -Key $policy -Name 'ProxyEnable')) { continue }
        $enabled = Get-RegistryValue -Key $key -Name 'ProxyEnable'
        $server = [string](Get-RegistryValue -Key $key -Name 'ProxyServer')
        if ($enabled -eq 1 -and $server -and -not (Test-Proxy -Setting $server)) { $key }
    }
}

# Returns the proxy of Windows services, or nothing when they connect directly.
function Get-ServiceProxy {
    $key = 'Registry::HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Internet Settings\Connections'
    $bytes = [byte[]](Get-RegistryValue -Key $key -Name 'WinHttpSettings')
    if ($null -eq $bytes -or $bytes.Length -lt 17) { return '' }
    if (($bytes[8] -band 2) -eq 0) { return '' }
    $length = [BitConverter]::ToInt32($bytes, 12)
    if ($length -le 0 -or $length -gt $bytes.Length - 16) { return '' }
    return [Text.Encoding]::ASCII.GetString($bytes, 16, $length)
}

$stateFile = Get-StatePath -Name 'proxies.txt'

foreach ($key in @(Get-DeadUserProxy)) {
    Add-Content -LiteralPath $stateFile -Value "user`t$key" -Encoding UTF8
    Set-ItemProperty -LiteralPath $key -Name 'ProxyEnable' -Value 0 -Type DWord
    Write-Host 'turned the dead proxy of a signed-in user off'
}
$service = Get-ServiceProxy
if ($service -ne '' -and -not (Test-Proxy -Setting $service)) {
    Add-Content -LiteralPath $stateFile -Value "service`t$service" -Encoding UTF8
    netsh.exe winhttp reset proxy
    if ($LASTEXITCODE -ne 0) { Stop-Step 'the proxy of the services cannot be reset' }
    Write-Host 'turned the dead proxy of the services off'
}
exit 0
