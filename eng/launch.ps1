# Builds the program for mixpanel.cmd in the root when its sources have changed, as eng/launch.sh does for mixpanel: one build at a time,
# each into a folder of its own. Where this machine has no .NET SDK that fits global.json, the one that it pins is installed into .dotnet
# in this clone, by Microsoft's script, after saying so.
$ErrorActionPreference = 'Stop'
$root = Split-Path -Parent $PSScriptRoot
$launch = Join-Path $root 'artifacts/launch'
$current = Join-Path $launch 'current'
$left = 'bin', 'obj', 'node_modules', 'MixpanelConnector.Console', 'MixpanelConnector.Tool.Native'

function Test-Newer($folder, $time) {
  foreach ($entry in Get-ChildItem -LiteralPath $folder -Force) {
    if ($left -contains $entry.Name) { continue }
    if ($entry.LastWriteTimeUtc -gt $time) { return $true }
    if ($entry.PSIsContainer -and (Test-Newer $entry.FullName $time)) { return $true }
  }
  $false
}

function Test-Fresh {
  if (-not (Test-Path -LiteralPath $current)) { return $false }
  $build, $dotnet = Get-Content -LiteralPath $current
  if (-not (Test-Path -LiteralPath $dotnet) -or -not (Test-Path -LiteralPath (Join-Path $launch "$build/mixpanel.dll"))) { return $false }
  $time = (Get-Item -LiteralPath $current).LastWriteTimeUtc
  foreach ($name in 'Directory.Build.props', 'Directory.Build.targets', 'Directory.Packages.props', 'global.json', 'eng/launch.ps1') {
    if ((Get-Item -LiteralPath (Join-Path $root $name)).LastWriteTimeUtc -gt $time) { return $false }
  }
  -not (Test-Newer (Join-Path $root 'src') $time)
}

function Find-Sdk {
  $local = Join-Path $root '.dotnet'
  $program = if ($env:OS -eq 'Windows_NT') { 'dotnet.exe' } else { 'dotnet' }
  foreach ($each in @((Get-Command dotnet -CommandType Application -ErrorAction SilentlyContinue | Select-Object -First 1).Source, (Join-Path $local $program))) {
    if (-not $each -or -not (Test-Path -LiteralPath $each)) { continue }
    try { & $each --version *> $null } catch { continue } # its complaint is an error here
    if ($LASTEXITCODE -eq 0) { return $each }
  }
  $version = (Get-Content -Raw (Join-Path $root 'global.json') | ConvertFrom-Json).sdk.version
  $script = 'https://dot.net/v1/dotnet-install.ps1'
  Write-Host "This machine has no .NET SDK that fits global.json: installing $version into $local by $script (about 230 MB) ..."
  $download = Join-Path ([IO.Path]::GetTempPath()) "dotnet-install-$([Guid]::NewGuid()).ps1"
  try {
    Invoke-WebRequest -UseBasicParsing $script -OutFile $download
    & $download -Version $version -InstallDir $local -NoPath | Out-Null
  } finally { Remove-Item -LiteralPath $download -ErrorAction SilentlyContinue }
  Join-Path $local $program
}

if (Test-Fresh) { exit 0 }
New-Item -ItemType Directory -Force $launch | Out-Null
$lock = $null
while (-not $lock) {
  try { $lock = [IO.File]::Open((Join-Path $launch 'lock'), 'OpenOrCreate', 'ReadWrite', 'None') }
  catch [IO.IOException] { Start-Sleep -Milliseconds 200 } # another build
}
try {
  if (Test-Fresh) { exit 0 }
  Set-Location $root
  $dotnet = Find-Sdk
  $began = [DateTime]::UtcNow
  Write-Host 'Building mixpanel, since its sources are new or have changed: about a minute ...'
  $log = & $dotnet build src/MixpanelConnector.Tool -c Release --artifacts-path "$launch/build" -p:RunAnalyzers=false -p:UseSharedCompilation=false -nodeReuse:false -v quiet -nologo
  if ($LASTEXITCODE -ne 0) {
    $log | Write-Host
    Write-Host "mixpanel: the program could not be built from its sources in $root. Nothing was done."
    exit 2
  }
  $name = "run-$([Guid]::NewGuid().ToString('N').Substring(0, 8))"
  Copy-Item -Recurse "$launch/build/bin/MixpanelConnector.Tool/release" "$launch/$name"
  [IO.File]::WriteAllText("$current.new", "$name`r`n$dotnet`r`n")
  (Get-Item -LiteralPath "$current.new").LastWriteTimeUtc = $began
  Move-Item -Force -LiteralPath "$current.new" $current
  # A folder with a file that a process uses cannot be renamed: what is in use stays.
  foreach ($old in Get-ChildItem -Directory $launch -Filter 'run-*' | Where-Object Name -ne $name) {
    try {
      [IO.Directory]::Move($old.FullName, "$launch/gone-$($old.Name)")
      Remove-Item -Recurse -Force "$launch/gone-$($old.Name)"
    } catch { }
  }
} finally { $lock.Dispose() }
