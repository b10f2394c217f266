#!/usr/bin/env bash
# The READMEs name only files and folders that exist.
set -euo pipefail
bad=0
while read -r readme; do
  folder=$(dirname "$readme")
  while read -r name; do
    path=${name%%[#:]*}
    if [[ ! -e $folder/$path && ! -e $path ]]; then
      echo "$readme names $name, which does not exist"
      bad=1
    fi
  done < <(grep -oE '\]\([^)h][^)]*\)|`[a-zA-Z0-9_.-]+/[a-zA-Z0-9_./-]+`' "$readme" |
    sed -E 's/^\]\(//; s/\)$//; s/`//g' | sort -u)
done < <(git ls-files '*README.md')
exit $bad
