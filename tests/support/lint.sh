#!/bin/sh
# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
#
# What a machine can say about the sources: formatter, cppcheck, clang-tidy,
# shell syntax, manual pages, and names that must not be in a commit.  Run from
# the top of the tree, after a build in build/.  Status 1 when anything is said.

set -u
bad=0
complain() { echo "lint: $*"; bad=1; }

c_files=$(git ls-files '*.c' '*.h' | grep -v ^tests/golden/)
units=$(git ls-files 'lib/*.c' 'broker/*.c' 'cli/*.c' 'idl/*.c' 'bench/*.c' \
	'storage-adapter/*.c')

clang-format --dry-run -Werror $c_files 2>&1 | grep -E 'error|warning' |
	head -20 | grep . && complain "run clang-format -i on these files"

cppcheck --quiet --std=c11 --enable=warning,performance,portability \
	--inline-suppr --error-exitcode=1 -j2 -D_GNU_SOURCE -DHAVE_CONFIG_H \
	--library=posix -Ilib -Ibroker -Icli -Iidl -Ibuild -I. \
	--suppressions-list=tests/support/cppcheck.suppress $units ||
	complain "cppcheck"

# back ends of bench/peer whose library is not here cannot be looked at
peer_flags=
for p in postgres:libpq rabbitmq:librabbitmq mosquitto:libmosquitto; do
	if pkg-config --exists "${p#*:}"; then
		peer_flags="$peer_flags $(pkg-config --cflags "${p#*:}")"
	else
		units=$(echo "$units" | grep -v "peer_${p%:*}")
	fi
done

flags="-std=gnu11 -D_GNU_SOURCE -DRUNNER_PATH=\\\"xmsg-run\\\" -Ilib -Ibroker -Icli
	-Iidl -Iidl/runtime/c -Istorage-adapter -Ibuild -Ibuild/idl -Itests -I. $(pkg-config --cflags jansson libevent_core sqlite3 yaml-0.1) $peer_flags"
echo $units | xargs -n 4 -P 2 sh -c '
	clang-tidy --quiet "$@" -- '"$(echo $flags)"' 2>/dev/null' tidy \
	>"${TMPDIR:-/tmp}/tidy.$$"
grep -E '(error|warning):' "${TMPDIR:-/tmp}/tidy.$$" && complain "clang-tidy"
rm -f "${TMPDIR:-/tmp}/tidy.$$"

for f in check quickstart packaging/setup.sh $(git ls-files '*.sh'); do
	sh -n "$f" || complain "$f"
done
for f in doc/*.[1-8]; do
	mandoc -T lint -W warning "$f" || complain "$f"
done
exit $bad
