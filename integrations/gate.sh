#!/usr/bin/env bash
# The gate of a pull request: checks scenarios, then asks of each whether its settings keep the SLO.
#
#   integrations/gate.sh COMMAND SCENARIO...
#
# COMMAND is `recommend` (what should the settings be?), `run` (do the present ones keep the SLO?) or `sweep`. Written into
# the folder KNEEPOINT_OUT (default: kneepoint-gate):
#   check.sarif, check.xml   what `check` found, for the code host and the build server
#   summary.md               verdict, answer and tables, for a comment
#   NAME/                    the command's own outputs, charts among them
# The summary is appended to GITHUB_STEP_SUMMARY where that is set. Further arguments of the command: KNEEPOINT_ARGS, as in
# "--budget 2m". The program: KNEEPOINT (default: kneepoint).
#
# Exit status: 0 if every SLO is kept, 3 if one is missed, else 4 if one is uncertain; 2 for input that is refused and
# 1 for work that could not be done come before both.
set -uo pipefail

usage() { sed -n '4,16s/^# \{0,1\}//p' "$0" >&2; exit 2; }
[ $# -ge 2 ] || usage
command=$1
shift
case $command in recommend | run | sweep) ;; *) usage ;; esac

program=${KNEEPOINT:-kneepoint}
out=${KNEEPOINT_OUT:-kneepoint-gate}
read -r -a more <<<"${KNEEPOINT_ARGS:-}"
mkdir -p "$out" || exit 1
: >"$out/summary.md" || exit 1

"$program" check --format sarif "$@" >"$out/check.sarif"
checked=$?
"$program" check --format junit "$@" >"$out/check.xml"
if [ "$checked" -ne 0 ]; then
  "$program" check "$@"
  exit "$checked"
fi

# The gravest of two exit statuses: 1 and 2 are no verdicts, so they come first; then missed, uncertain, kept.
graver() {
  local status
  for status in 2 1 3 4 0; do
    if [ "$1" -eq "$status" ] || [ "$2" -eq "$status" ]; then echo "$status"; return; fi
  done
  echo 1
}

verdict=0
for scenario in "$@"; do
  name=$(basename "$scenario" .toml)
  "$program" "$command" "$scenario" --gate --summary md --out "$out/$name" ${more[@]+"${more[@]}"} >"$out/$name.md"
  verdict=$(graver "$verdict" $?)
  cat "$out/$name.md" >>"$out/summary.md"
  rm -f "$out/$name.md"
done
cat "$out/summary.md"
if [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then cat "$out/summary.md" >>"$GITHUB_STEP_SUMMARY"; fi
exit "$verdict"
