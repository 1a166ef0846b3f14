# Sourced by scripts that build: puts the .NET SDK required by global.json on the path. If this machine has none, the pinned one
# is installed into .dotnet in this clone, by Microsoft's script, after printing a notice; nothing outside of the clone changes.
# Must be run in the root of the clone. POSIX sh.

use_sdk() { # fails when there is none and none can be installed
  export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
  command -v dotnet > /dev/null && dotnet --version > /dev/null 2>&1 && return
  PATH=$PWD/.dotnet:$PATH
  # Executables (apphosts) look for the runtime here; and the SDK needs no ICU libraries of the system.
  export PATH DOTNET_ROOT="$PWD/.dotnet" DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1
  [ -x .dotnet/dotnet ] && dotnet --version > /dev/null 2>&1 && return
  install_sdk >&2 && dotnet --version > /dev/null 2>&1 && return
  echo "The .NET SDK could not be installed. Install it by hand: https://dotnet.microsoft.com/download/dotnet/10.0" >&2
  return 1
}

with_one_compiler() { # with_one_compiler COMMAND...: a dotnet command that builds, with one compiler process for all projects, which ends with it
  _compiler=mixpanel-connector-$$
  "$@" -p:UseSharedCompilation=true -p:SharedCompilationId=$_compiler && _status=0 || _status=$?
  dotnet "$(dirname "$(readlink -f "$(command -v dotnet)")")/sdk/$(dotnet --version)/Roslyn/bincore/VBCSCompiler.dll" -pipename:$_compiler -shutdown > /dev/null
  return $_status
}

install_sdk() (
  script=https://dot.net/v1/dotnet-install.sh
  version=$(sed -n 's/.*"version": *"\([^"]*\)".*/\1/p' global.json | head -n 1)
  echo "This machine has no .NET SDK that fits global.json: installing $version into $PWD/.dotnet by $script (about 230 MB) ..."
  download=$(mktemp) || exit 1
  trap 'rm -f "$download"' EXIT
  if command -v curl > /dev/null; then curl -fsSL --retry 3 -o "$download" "$script"
  elif command -v wget > /dev/null; then wget -qO "$download" "$script"
  else echo "curl or wget is needed for that." && exit 1
  fi && bash "$download" --version "$version" --install-dir .dotnet --no-path
)
