#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Checks what a Tern build exports: test_symbols.sh path/to/libzmq.so.5 [symbols.txt]
# The dynamic symbols must be exactly the listed names, all of them functions without a version, and the
# soname must be libzmq.so.5.
set -eu

if [ $# -lt 1 ]; then
    echo "usage: $0 LIBRARY [LIST]" >&2
    exit 2
fi
library=$1
list=${2:-$(dirname "$0")/symbols.txt}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

export LC_ALL=C
sort -u "$list" >"$work/expected"
if [ "$(wc -l <"$work/expected")" -ne 97 ]; then
    echo "$list does not hold 97 names" >&2
    exit 2
fi

nm -D --defined-only "$library" >"$work/nm"
awk '{print $NF}' "$work/nm" | sort -u >"$work/exported"

if ! diff -u "$work/expected" "$work/exported" >"$work/diff"; then
    echo "exported symbols differ from $list (- missing, + not to be exported):"
    grep '^[-+][^-+]' "$work/diff" | head -50
    echo "  $(grep -c '^-[^-]' "$work/diff" || true) missing, $(grep -c '^+[^+]' "$work/diff" || true) too many"
    failed=1
fi

# T: a function in the text section. W, B, D, A, ... would be data, weak or version nodes.
if awk 'NF == 3 && $2 != "T"' "$work/nm" | grep .; then
    echo "the symbols above are not plain functions"
    failed=1
fi

soname=$(readelf -dW "$library" | sed -n 's/.*(SONAME).*\[\(.*\)\].*/\1/p')
if [ "$soname" != libzmq.so.5 ]; then
    echo "soname is '$soname', not libzmq.so.5"
    failed=1
fi

if readelf -VW "$library" | grep -q 'Version definition section'; then
    echo "the library defines symbol versions"
    failed=1
fi

[ $failed -eq 0 ] && echo "ok: 97 symbols, soname libzmq.so.5"
exit $failed
