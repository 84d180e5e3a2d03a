#!/bin/sh
# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
#
# Coverage of what is installed, from a build with --enable-coverage whose tests
# have run; started in its build folder.  A table of lines and branches for each
# folder, the files with most branches untaken, and all of it to click through
# in coverage/index.html.  That an assertion fails is no branch: it would be a
# defect.  The last line says whether any folder is below its floor; floors only
# rise.

set -eu
top=$(cd .. && pwd)

mkdir -p coverage
gcovr --root "$top" --object-directory . --exclude-throw-branches \
	--exclude '.*/tests/' --exclude '.*/bench/' --exclude 'idl/' \
	--exclude-branches-by-pattern '\s*assert\(' \
	--gcov-ignore-parse-errors \
	--json-summary coverage/summary.json \
	--html-details coverage/index.html >/dev/null 2>coverage/gcovr.err || {
	tail -n 5 coverage/gcovr.err
	exit 1
}

python3 - coverage/summary.json "$top/tests/support/coverage.floor" <<'EOF'
import json
import sys

files = json.load(open(sys.argv[1]))["files"]
floors = dict(line.split() for line in open(sys.argv[2])
              if line.strip() and line[0] != "#")


def per_cent(part, whole):
    return 100.0 * part / whole if whole else 100.0


low = not files
print("%-18s %8s %8s   %8s" % ("folder", "lines", "branches", "floor"))
for folder in sorted(set(f["filename"].split("/")[0] for f in files)):
    mine = [f for f in files if f["filename"].startswith(folder + "/")]
    total = {k: sum(f[k] for f in mine) for k in (
        "line_covered", "line_total", "branch_covered", "branch_total")}
    lines = per_cent(total["line_covered"], total["line_total"])
    branches = per_cent(total["branch_covered"], total["branch_total"])
    floor = float(floors.get(folder, 0))
    low = low or branches < floor
    print("%-18s %7.1f%% %7.1f%%   %7.1f%%%s" % (
        folder, lines, branches, floor, " <-" if branches < floor else ""))
print("\nmost branches untaken:")
for f in sorted(files, key=lambda f: f["branch_covered"] - f["branch_total"])[
        :25]:
    print("%6d of %-6d %s" % (f["branch_total"] - f["branch_covered"],
                              f["branch_total"], f["filename"]))
print("\n%s the floor" % ("some below" if low else "all above"))
EOF
