#!/bin/sh
# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
#
# Every manual page passes mandoc's linter, and names itself right.

src=${XMSG_SRCDIR:-$(dirname "$0")/../..}
n=0 failed=0

ok() {
	n=$((n + 1))
	[ "$1" = 0 ] || { printf 'not '; failed=1; }
	printf 'ok %d - %s\n' "$n" "$2"
}

if ! command -v mandoc >/dev/null 2>&1; then
	ok 1 "mandoc is there"
	echo "# install the package mandoc, or run ./check --deps"
	echo "1..$n"
	exit 1
fi

for page in "$src"/doc/*.[1-9]; do
	name=${page##*/}
	said=$(mandoc -T lint -W warning "$page" 2>&1)
	ok $? "$name: linter"
	[ -z "$said" ] || printf '%s\n' "$said" | sed 's/^/# /'
	title=$(sed -n 's/^\.Dt //p' "$page" | tr '[:upper:] ' '[:lower:].')
	[ "$title" = "$name" ]
	ok $? "$name: title $title"
done
[ "$n" -ge 4 ]
ok $? "there are pages"
echo "1..$n"
exit "$failed"
