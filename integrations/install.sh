#!/usr/bin/env sh
# Installs a released kneepoint for Linux or macOS: downloads the archive for this machine, checks its SHA-256 against the
# release's list, and puts the program into a folder.
#
#   curl -fsSL https://github.com/kneepoint/kneepoint/releases/latest/download/install.sh | sh
#   install.sh [--to FOLDER] [--version X.Y.Z]
#
# FOLDER is ~/.local/bin if not given. KNEEPOINT_VERSION is the same as --version; the latest release if neither is given.
# KNEEPOINT_RELEASES may name another place with the same layout, such as a mirror or file:// folder.
set -eu

fail() { echo "install: $*" >&2; exit 1; }

to=${HOME:-}/.local/bin
version=${KNEEPOINT_VERSION:-}
releases=${KNEEPOINT_RELEASES:-https://github.com/kneepoint/kneepoint/releases}
while [ $# -gt 0 ]; do
  case $1 in
    --to) [ $# -ge 2 ] || fail "--to needs a folder"; to=$2; shift 2 ;;
    --version) [ $# -ge 2 ] || fail "--version needs a number"; version=$2; shift 2 ;;
    *) fail "unknown argument $1 (there are: --to FOLDER, --version X.Y.Z)" ;;
  esac
done

case $(uname -m) in
  x86_64 | amd64) machine=x86_64 ;;
  aarch64 | arm64) machine=aarch64 ;;
  *) fail "no binary for $(uname -m); build it: cargo install kneepoint --locked" ;;
esac
# The musl build runs on every Linux, whatever its C library.
case $(uname -s) in
  Linux) target=$machine-unknown-linux-musl ;;
  Darwin) target=$machine-apple-darwin ;;
  *) fail "no binary for $(uname -s); on Windows use install.ps1, else: cargo install kneepoint --locked" ;;
esac

if [ -n "$version" ]; then from=$releases/download/v${version#v}; else from=$releases/latest/download; fi
archive=kneepoint-$target.tar.gz
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
curl -fsSL --retry 3 "$from/$archive" -o "$work/$archive" || fail "cannot download $from/$archive"
curl -fsSL --retry 3 "$from/SHA256SUMS" -o "$work/SHA256SUMS" || fail "cannot download $from/SHA256SUMS"

expected=$(awk -v name="$archive" '$2 == name || $2 == "*" name { print $1 }' "$work/SHA256SUMS")
[ -n "$expected" ] || fail "the release's list of checksums does not name $archive"
if command -v sha256sum >/dev/null 2>&1; then
  actual=$(sha256sum "$work/$archive" | cut -d ' ' -f 1)
else
  actual=$(shasum -a 256 "$work/$archive" | cut -d ' ' -f 1)
fi
[ "$expected" = "$actual" ] || fail "$archive has the checksum $actual, the release says $expected: nothing is installed"

tar -xzf "$work/$archive" -C "$work"
mkdir -p "$to"
# Into place in one step: a run that is stopped leaves the old program or the new one.
cp "$work/kneepoint-$target/kneepoint" "$to/.kneepoint.new"
chmod 755 "$to/.kneepoint.new"
mv -f "$to/.kneepoint.new" "$to/kneepoint"
echo "installed $("$to/kneepoint" --version) to $to/kneepoint"
case :${PATH:-}: in *":$to:"*) ;; *) echo "add $to to your PATH" ;; esac
