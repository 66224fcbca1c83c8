#!/usr/bin/env bash
# Builds the documentation site into docs/book/, or the folder that is given. Needs mdbook (cargo install mdbook --locked).
#
#   docs/build.sh [FOLDER]
#
# Pages link to files of the repository by relative paths, which work in a checkout and on a code host. On the site the pictures
# of the gallery stand beside the pages; what else leads out of docs/ becomes a link to the repository.
set -euo pipefail
cd "$(dirname "$0")"
folder=$(realpath -m "${1:-book}")
repository=https://github.com/kneepoint/kneepoint/blob/main
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -R . "$work/docs"
rm -rf "$work/docs/book" "$work/docs/build.sh"
cp -R ../output/gallery "$work/docs/gallery"
find "$work/docs" -mindepth 1 -maxdepth 1 -name '*.md' -exec sed -i "s#](\.\./output/gallery/#](gallery/#g" {} +
find "$work/docs" -mindepth 2 -name '*.md' -exec sed -i "s#](\.\./\.\./output/gallery/#](../gallery/#g" {} +
find "$work/docs" -mindepth 1 -maxdepth 1 -name '*.md' -exec sed -i "s#](\.\./\([^)]*\))#]($repository/\1)#g" {} +
find "$work/docs" -mindepth 2 -name '*.md' -exec sed -i "s#](\.\./\.\./\([^)]*\))#]($repository/\1)#g" {} +
mdbook build "$work/docs" --dest-dir "$folder"
rm -f "$folder/book.toml"
