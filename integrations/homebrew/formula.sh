#!/usr/bin/env bash
# Prints the Homebrew formula of a release from its list of checksums.
#
#   integrations/homebrew/formula.sh SHA256SUMS
set -euo pipefail
[ $# -eq 1 ] || { sed -n '4,4s/^# *//p' "$0" >&2; exit 2; }
sums=$1
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$(dirname "$0")/../../Cargo.toml" | head -n 1)
releases=https://github.com/kneepoint/kneepoint/releases/download/v$version

of() {
  local sum
  sum=$(awk -v name="kneepoint-$1.tar.gz" '$2 == name || $2 == "*" name { print $1 }' "$sums")
  [ -n "$sum" ] || { echo "$sums does not name kneepoint-$1.tar.gz" >&2; exit 1; }
  printf '      url "%s/kneepoint-%s.tar.gz"\n      sha256 "%s"\n' "$releases" "$1" "$sum"
}
arm_mac=$(of aarch64-apple-darwin)
intel_mac=$(of x86_64-apple-darwin)
arm_linux=$(of aarch64-unknown-linux-musl)
intel_linux=$(of x86_64-unknown-linux-musl)

cat <<FORMULA
class Kneepoint < Formula
  desc "Capacity-planning simulator for auto-scaled inference endpoints"
  homepage "https://kneepoint.github.io/kneepoint"
  version "$version"
  license any_of: ["MIT", "Apache-2.0"]

  on_macos do
    on_arm do
$arm_mac
    end
    on_intel do
$intel_mac
    end
  end

  on_linux do
    on_arm do
$arm_linux
    end
    on_intel do
$intel_linux
    end
  end

  def install
    bin.install "kneepoint"
    man1.install Dir["man/*.1"]
    bash_completion.install "completions/kneepoint.bash" => "kneepoint"
    zsh_completion.install "completions/kneepoint.zsh" => "_kneepoint"
    fish_completion.install "completions/kneepoint.fish"
  end

  test do
    system bin/"kneepoint", "init", "scenario.toml"
    assert_match "ok", shell_output("#{bin}/kneepoint check scenario.toml")
  end
end
FORMULA
