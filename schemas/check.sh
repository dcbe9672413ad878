#!/bin/sh
# The generated code is that of the schemas: generate it anew in another folder and compare.
set -eu
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
sh -c "$(printf '%s' "$1" | sed "s#--python_out=\. --pyi_out=\.#--python_out=$fresh --pyi_out=$fresh#")"
for file in "$fresh"/schemas/*; do
    cmp -s "$file" "schemas/$(basename "$file")" || {
        echo "schemas/$(basename "$file") is not what the schemas say: run \`make generate\` and commit the result" >&2
        exit 1
    }
done
