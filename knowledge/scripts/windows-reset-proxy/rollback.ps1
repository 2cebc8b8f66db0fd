# SPDX-License-Identifier: Apache-2.0
# windows-reset-proxy, rollback: puts back what the repair changed.
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

$stateFile = Get-StatePath -Name 'proxies.txt'
if (Test-Path -LiteralPath $stateFile) {
    foreach ($line in @(Get-Content -LiteralPath $stateFile -Encoding UTF8)) {
        $parts = $line.Split([char]9)
        if ($parts.Count -ne 2) { continue }
        if ($parts[0] -eq 'user' -and (Test-Path -LiteralPath $parts[1])) {
            Set-ItemProperty -LiteralPath $parts[1] -Name 'ProxyEnable' -Value 1 -Type DWord
            Write-Host 'turned the proxy of a user on again'
        } elseif ($parts[0] -eq 'service') {
            netsh.exe winhttp set proxy $parts[1]
            if ($LASTEXITCODE -ne 0) { Stop-Step 'the proxy of the services cannot be restored' }
            Write-Host 'restored the proxy of the services'
        }
    }
}
exit 0
