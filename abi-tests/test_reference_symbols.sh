#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test_reference_symbols.sh TERN REFERENCE [symbols.txt]
# Every name that the reference exports is exported by Tern; what Tern has beyond that is in the list.
set -eu

if [ $# -lt 2 ]; then
    echo "usage: $0 TERN REFERENCE [LIST]" >&2
    exit 2
fi
list=${3:-$(dirname "$0")/symbols.txt}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export LC_ALL=C
failed=0

names() { nm -D --defined-only "$1" | awk '{print $NF}' | sed 's/@.*//' | sort -u; }
names "$1" >"$work/tern"
names "$2" | grep '^zmq_' >"$work/reference"
sort -u "$list" >"$work/list"

if ! [ -s "$work/reference" ]; then
    echo "$2 exports no zmq_ name" >&2
    exit 2
fi
if comm -13 "$work/tern" "$work/reference" | grep .; then
    echo "the names above are exported by $2 and not by $1"
    failed=1
fi
comm -23 "$work/tern" "$work/reference" >"$work/more"
if comm -23 "$work/more" "$work/list" | grep .; then
    echo "the names above are exported by $1 alone and not in $list"
    failed=1
fi
[ $failed -eq 0 ] && echo "ok: all $(wc -l <"$work/reference") names, and $(wc -l <"$work/more") of the draft interface"
exit $failed
