#!/usr/bin/env bash
# Packs a built program into the archive of a release: program, manual pages, completions, licences, README, changelog; for
# musl also the Dockerfile, which builds an image of the unpacked archive.
#
#   integrations/package.sh TARGET FOLDER
#
# TARGET is the name of the platform, as in x86_64-unknown-linux-musl; the program is taken from target/TARGET/dist, or from
# PROGRAM where that is set. Manual pages and completions are printed by HOST_PROGRAM (default: the program itself), so that
# a program for another platform can be packed. Writes FOLDER/kneepoint-TARGET.tar.gz (.zip for Windows). The bytes of a
# tar archive depend on its contents alone.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -eq 2 ] || { sed -n '5,5s/^# *//p' "$0" >&2; exit 2; }
target=$1
folder=$2
case $target in *windows*) suffix=.exe ;; *) suffix= ;; esac
program=${PROGRAM:-target/$target/dist/kneepoint$suffix}
host=${HOST_PROGRAM:-$program}
name=kneepoint-$target

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/$name/completions" "$folder"
cp "$program" "$work/$name/kneepoint$suffix"
cp README.md CHANGELOG.md LICENSE-MIT LICENSE-APACHE "$work/$name/"
"$host" man "$work/$name/man" >/dev/null
for shell in bash zsh fish powershell elvish; do
  "$host" completions "$shell" >"$work/$name/completions/kneepoint.$shell"
done
# An image of nothing else holds only a program that needs no library.
case $target in *musl*) sed 's/^ARG PROGRAM=.*/ARG PROGRAM=kneepoint/' Dockerfile >"$work/$name/Dockerfile" ;; esac
if [ -n "$suffix" ]; then
  (cd "$work" && 7z a -tzip "$name.zip" "$name" >/dev/null)
  cp "$work/$name.zip" "$folder/"
else
  # GNU tar, for the options that make the bytes reproducible; macOS has it as gtar.
  tar=$(command -v gtar || command -v tar)
  "$tar" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -C "$work" -cf - "$name" | gzip -n9 >"$folder/$name.tar.gz"
fi
