#!/bin/sh
# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

# The header, the list of exported names, the shared library and the manual
# page of libxmsg name the same functions and the same codes.
set -u
src=${XMSG_SRCDIR:-.} build=${XMSG_BUILDDIR:-.}
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 99

n=0 failed=0
ok() { # ok NAME FILE FILE: the files are equal and not empty
	n=$((n + 1))
	if [ -s "$2" ] && diff "$2" "$3" >diff; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		sed 's/^/# /' diff
		failed=1
	fi
}

grep -v '^ \*' "$src/lib/xmsg.h" | grep -oE '\bxmsg_[a-z_]+\(' |
	tr -d '(' | sort -u >header
sed -n 's/^	\(xmsg_.*\);$/\1/p' "$src/lib/xmsg.map" | sort -u >map
sed -n 's/^\.Fn \(xmsg_[a-z_]*\) .*/\1/p' "$src/doc/libxmsg.3" |
	sort -u >manual
nm -D --defined-only "$build/.libs/libxmsg.so" |
	sed -n 's/.* T \([^@]*\).*/\1/p' | sort -u >library
sed -n 's/^	\(XMSG_E[A-Z]*\) = -.*/\1/p' "$src/lib/xmsg.h" | sort >codes
sed -n 's/^\.It Dv \(XMSG_E[A-Z]*\)$/\1/p' "$src/doc/libxmsg.3" |
	sort >described

echo 1..5
ok "the map exports what the header declares" header map
ok "the library exports what the map says, and nothing else" map library
ok "the manual has every function" header manual
ok "the manual has every code" codes described
printf 'libc.so.6\n' >libc
readelf -d "$build/.libs/libxmsg.so" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' |
	grep -vE '^(lib[a-z]*san|ld-linux|libclang_rt)' >needed
ok "the library needs libc only" libc needed
exit $failed
