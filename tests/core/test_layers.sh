#!/bin/sh
# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
#
# Who may know whom: the pure parts reach no event loop, no database and no JSON
# library, however far one follows their includes; each library has one door;
# every header compiles alone; programs do not use each other's headers.
# The compiler is asked, not a pattern, where it can be.

top=${XMSG_SRCDIR:-.}
build=${XMSG_BUILDDIR:-$top/build}
cc="${XMSG_CC:-cc} -std=gnu11 -D_GNU_SOURCE ${XMSG_CFLAGS:-} -I$build"
cd "$top" || exit 99

pure='broker/mswitch*.[ch] broker/session.[ch] broker/waiter.[ch]
	broker/trace.[ch] broker/msgq.[ch] broker/idmap.[ch]
	broker/deadline.[ch] broker/jsonw.[ch] broker/rpc.[ch] broker/hist.[ch] broker/store.h lib/http1.[ch]
	lib/wire*.[ch] lib/json*.[ch] lib/ring*.[ch] lib/redact*.[ch]
	lib/text.[ch] lib/units.[ch] lib/events.[ch] lib/chart*.[ch]
	lib/buf.[ch] lib/heap.[ch] lib/str.h lib/err.[ch]'
programs='broker cli storage-adapter idl'

n=0
bad=0
# One result: empty $2 is good, else it is what was found.
result() {
	n=$((n + 1))
	if [ -z "$2" ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		echo "$2" | sed 's/^/# /'
		bad=1
	fi
}

# Where a file may look for headers: its own folder and lib.
folders() {
	case $1 in
	storage-adapter/*) # and the generated tables with their runtime
		echo "-Istorage-adapter -Ilib -Iidl/runtime/c -I$build/idl" ;;
	*) echo "-I$(dirname "$1") -Ilib" ;;
	esac
}

# ---- the pure parts ----

found=
count=0
for f in $pure; do
	test -f "$f" || { found="$found
no such file: $f"; continue; }
	count=$((count + 1))
	deps=$($cc $(folders "$f") -M "$f" 2>&1) || found="$found
$f: $deps"
	hit=$(echo "$deps" | tr ' ' '\n' |
		grep -E '/event2/|/sqlite3\.h|/jansson\.h|/sys/epoll\.h|/sys/inotify\.h')
	test -z "$hit" || found="$found
$f reaches $(echo $hit)"
done
test "$count" -ge 40 || found="$found
only $count files were looked at"
result 'pure parts reach no loop, no database, no jansson' "$found"

# ---- one door for each library ----

# Files that include a header of the system and may not.
door() {
	grep -lE "#include <$1" $(ls lib/*.[ch] broker/*.[ch] cli/*.[ch] \
		storage-adapter/*.[ch] idl/*.[ch] 2>/dev/null) |
		grep -vE "$2"
}
result 'sqlite3 is known to sqldb, the adapter'\''s state and dbfile only' \
	"$(door 'sqlite3' '^(broker/sqldb|storage-adapter/state\.c|cli/dbfile\.c)')"
result 'the event loop is known to those who run it' \
	"$(door 'event2?[/.]' \
		'^(lib/evlog\.c|broker/(http(_[a-z]+)?|server|store_sqlite)\.[ch]|storage-adapter/.*)$')"
result 'inotify is known to watch only' \
	"$(door 'sys/inotify' '^storage-adapter/watch\.c$')"
result 'the stores are named by the facade only' \
	"$(grep -lE 'store_(mem|sqlite)_vt' broker/*.[ch] cli/*.[ch] lib/*.[ch] |
		grep -vE '^broker/(store\.[ch]|store_mem\.c|store_sqlite\.c)$')"

# ---- headers ----

found=
count=0
for d in lib $programs tests/support; do
	for h in "$d"/*.h; do
		test -f "$h" || continue
		count=$((count + 1))
		more=
		test "$d" = tests/support && more="-Itests -Ibroker \
			-Istorage-adapter -Iidl/runtime/c -I$build/idl"
		out=$(printf '#include "%s"\n' "$(basename "$h")" |
			$cc $(folders "$h") $more -Wall -Werror -fsyntax-only \
				-xc - 2>&1) ||
			found="$found
$h
$out"
	done
done
test "$count" -ge 40 || found="$found
only $count headers were looked at"
result 'every header compiles alone' "$found"

found=
for h in lib/*.h broker/*.h cli/*.h; do
	g=$(sed -n 's/^#ifndef \(XMSG_[A-Z0-9_]*H\)$/\1/p' "$h" | head -n 1)
	test -n "$g" || { found="$found
$h has no guard"; continue; }
	test "$(grep -l "^#define $g\$" lib/*.h broker/*.h cli/*.h | wc -l)" \
		-eq 1 || found="$found
$h shares its guard $g"
done
result 'every header has a guard of its own' "$found"

# ---- programs ----

# What is included with quotes is in the file's own folder, in lib, or made by
# the build; the command line alone looks into the headers of the database and
# of the adapter's record and trials, and both it and the adapter use the runtime of the
# generated tables.
found=
for d in lib $programs; do
	for f in "$d"/*.[ch]; do
		test -f "$f" || continue
		for i in $(sed -n 's/^#include "\([^"]*\)".*/\1/p' "$f"); do
			case $i in
			config.h | gen_* | html_*) continue ;; # made by the build
			../broker/sqldb.h) test "$d" = cli && continue ;;
			../storage-adapter/record.h | \
				../storage-adapter/spool.h | \
				../storage-adapter/trial.h | \
				../storage-adapter/call.h)
				test "$d" = cli && continue ;;
			idlval.h) case $d in storage-adapter | cli) continue ;; esac ;;
			*/*) ;;
			*) test -f "$d/$i" && continue
				test -f "lib/$i" && continue ;;
			esac
			found="$found
$f includes $i"
		done
	done
done
result 'programs do not use each other'\''s headers' "$found"

echo "1..$n"
exit $bad
