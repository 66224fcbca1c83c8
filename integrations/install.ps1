# Installs a released kneepoint for Windows: downloads the archive, checks its SHA-256 against the release's list, and puts
# the program into a folder.
#
#   irm https://github.com/kneepoint/kneepoint/releases/latest/download/install.ps1 | iex
#
# KNEEPOINT_VERSION chooses a release, KNEEPOINT_TO the folder (default: %LOCALAPPDATA%\kneepoint).
$ErrorActionPreference = 'Stop'
$releases = if ($env:KNEEPOINT_RELEASES) { $env:KNEEPOINT_RELEASES } else { 'https://github.com/kneepoint/kneepoint/releases' }
$from = if ($env:KNEEPOINT_VERSION) { "$releases/download/v$($env:KNEEPOINT_VERSION.TrimStart('v'))" } else { "$releases/latest/download" }
$to = if ($env:KNEEPOINT_TO) { $env:KNEEPOINT_TO } else { Join-Path $env:LOCALAPPDATA 'kneepoint' }
$name = 'kneepoint-x86_64-pc-windows-msvc'
$archive = "$name.zip"

$work = Join-Path ([IO.Path]::GetTempPath()) ([IO.Path]::GetRandomFileName())
New-Item -ItemType Directory -Path $work | Out-Null
try {
    Invoke-WebRequest -UseBasicParsing "$from/$archive" -OutFile "$work/$archive"
    Invoke-WebRequest -UseBasicParsing "$from/SHA256SUMS" -OutFile "$work/SHA256SUMS"
    $line = Get-Content "$work/SHA256SUMS" | Where-Object { ($_ -split '\s+', 2)[1].TrimStart('*') -eq $archive }
    if (-not $line) { throw "the release's list of checksums does not name $archive" }
    $expected = ($line -split '\s+', 2)[0]
    $actual = (Get-FileHash -Algorithm SHA256 "$work/$archive").Hash
    if ($expected -ne $actual) { throw "$archive has the checksum $actual, the release says ${expected}: nothing is installed" }
    Expand-Archive "$work/$archive" -DestinationPath $work
    New-Item -ItemType Directory -Force -Path $to | Out-Null
    Copy-Item -Force "$work/$name/kneepoint.exe" "$to/kneepoint.exe"
    Write-Output "installed $(& "$to/kneepoint.exe" --version) to $to\kneepoint.exe"
    if (($env:PATH -split ';') -notcontains $to) { Write-Output "add $to to your PATH" }
} finally {
    Remove-Item -Recurse -Force $work
}
