# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

# xmsg-idl as a program: golden files, usage, exit statuses, same output for
# the same input.  `XMSG_GOLDEN=write sh test_idl_cli.sh` writes the golden
# files anew; look at the difference before you commit it.

set -u
idl=$XMSG_BUILDDIR/xmsg-idl
golden=$XMSG_SRCDIR/tests/golden
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
n=0
bad=0

# ok STATUS NAME: one TAP line.
ok() {
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		bad=1
		echo "not ok $n - $2"
		sed 's/^/# /' "$tmp/why" 2>/dev/null | head -40
	fi
	rm -f "$tmp/why"
}

# same NAME EXPECTED ACTUAL: files or folders.
same() {
	if [ "${XMSG_GOLDEN:-}" = write ] && [ "$3" != "$2" ]; then
		rm -rf "$2"
		cp -r "$3" "$2"
	fi
	diff -ru "$2" "$3" >"$tmp/why" 2>&1
	ok $? "$1"
}

# status NAME WANTED COMMAND...: its exit status; output to $tmp/out, err.
status() {
	name=$1
	wanted=$2
	shift 2
	"$@" >"$tmp/out" 2>"$tmp/err"
	got=$?
	{ echo "status $got, wanted $wanted"; cat "$tmp/err"; } >"$tmp/why"
	[ "$got" -eq "$wanted" ]
	ok $? "$name"
}

# has NAME FILE TEXT
has() {
	cp "$2" "$tmp/why"
	grep -qF -- "$3" "$2"
	ok $? "$1"
}

# What the tests need is installed by packaging/setup.sh; without it they fail.
for tool in clang-format mandoc; do
	echo "$tool is not installed: packaging/setup.sh does that" >"$tmp/why"
	command -v $tool >/dev/null
	ok $? "$tool is there"
done

cd "$golden/tiny" || exit 99
status "a small interface has no problems" 0 "$idl" check tiny.yaml
has "check says what it saw" "$tmp/out" "tiny 1.2: 1 interfaces, 2 methods"
for format in $("$idl" --formats); do
	mkdir -p "$tmp/$format"
	"$idl" "$format" -o "$tmp/$format" tiny.yaml
	same "golden files of $format" "$golden/tiny/$format" "$tmp/$format"
	mkdir -p "$tmp/again"
	"$idl" "$format" -o "$tmp/again" "$golden/tiny/tiny.yaml"
	XMSG_GOLDEN='' same "$format is the same from elsewhere" \
	    "$tmp/$format" "$tmp/again"
	rm -rf "$tmp/again"
done

status "the declarations have no problems" 0 \
    "$idl" check "$XMSG_SRCDIR/idl/api"
has "all calls are there" "$tmp/out" "6 interfaces, 49 methods"
"$idl" list "$XMSG_SRCDIR/idl/api" | cut -d. -f1 | uniq | xargs >"$tmp/order"
has "interfaces in their declared order" "$tmp/order" \
    "Plugin SR Volume Datapath Data Task"
status "list writes to standard output" 0 "$idl" list "$XMSG_SRCDIR/idl/api"
[ "$(wc -l <"$tmp/out")" -eq 49 ]
ok $? "one line for each call"
has "a call with its history" "$tmp/out" \
    "Volume.revert(dbg: string, sr: sr, snapshot: key, key: key) -> unit  since xapi-26.16.0"

# The C we write passes our formatter, the Python any style checker's width.
cd "$tmp" || exit 99
"$idl" c -o generated "$XMSG_SRCDIR/idl/api"
cp "$XMSG_SRCDIR/.clang-format" generated/
(cd generated && clang-format --dry-run -Werror ./*.c ./*.h) >"$tmp/why" 2>&1
ok $? "generated C passes the formatter"
"$idl" python -o generated "$XMSG_SRCDIR/idl/api"
find generated -name '*.py' -exec awk 'length > 79 { print FILENAME": "$0 }' \
    {} + >"$tmp/why"
[ ! -s "$tmp/why" ]
ok $? "generated Python fits 79 columns"

# diff: breaking and safe changes, by sed on the small interface.
tiny=$golden/tiny/tiny.yaml
# changed NAME STATUS TEXT SED-SCRIPT
changed() {
	what=$1
	text=$3
	sed "$4" "$tiny" >"$tmp/new.yaml"
	status "diff: $what" "$2" "$idl" diff "$tiny" "$tmp/new.yaml"
	has "diff: $what: says so" "$tmp/out" "$text"
}
status "diff: the same is the same" 0 "$idl" diff "$tiny" "$tiny"
[ ! -s "$tmp/out" ]
ok $? "diff: and says nothing"
changed "a parameter with another type" 1 \
    "breaks  Box.put: the parameter what has another type" \
    's/what: {type: string/what: {type: int/
     s/params: {what: a shoe}/params: {what: 5}/
     s/description: The thing., example: a shoe/description: The thing./'
changed "another order of parameters" 1 \
    "breaks  Box.look: the parameter limits stands where colour was" \
    '/^          colour:/,/^            example:/d
     s/^\( *\)params: {colour: Plain, limits: {}}/\1params: {limits: {}}/'
changed "another result" 1 "breaks  Box.look: the result has another type" \
    's/type: list<thing>/type: thing/
     s/- {label: a shoe, size/  {label: a shoe, size/'
changed "a member that is needed" 1 "breaks  thing.shape: a new member" \
    's/^      size: .*/&\n      shape: {type: int, description: S.}/
     s/size: 300/size: 300, shape: 1/'
changed "an optional member" 0 "safe    thing.shape: a new member" \
    's/^      size: .*/&\n      shape: {type: int, optional: true, description: S.}/'
changed "a tag that is gone" 1 "breaks  colour.Plain: the tag is gone" \
    's/^      Plain:/      Clear:/; s/default: Plain/default: Clear/
     s/colour: Plain/colour: Clear/'
changed "a deprecation" 0 "safe    Box.put: deprecated in third" \
    's/note: It takes hats, too./&\n          - deprecated: third\n            note: Use Box.look instead./'
changed "a feature that is gone" 1 "breaks  BOX_PUT: the feature is gone" \
    's/BOX_PUT/BOX_PUTS/'
changed "a method that is gone" 1 "breaks  Box.look: the method is gone" \
    's/^      look:/      see:/'
changed "an announced change" 0 "safe    Box.look: extended in second" \
    's/^        idempotent: true/&\n        lifecycle: [{published: first}, {extended: second, note: N.}]/
     s/^          limits:/          more: {type: int, description: M.}\n&/
     s/limits: {}}/limits: {}, more: 1}/'
status "diff wants two" 2 "$idl" diff "$tiny"

# A new plugin passes its own test.
for kind in "" --datapath; do
	rm -rf fresh
	status "new-plugin $kind" 0 "$idl" new-plugin $kind -o fresh mine \
	    "$XMSG_SRCDIR/idl/api"
	PYTHONPATH=$XMSG_BUILDDIR/python PYTHONDONTWRITEBYTECODE=1 \
	    fresh/mine/selftest >"$tmp/self" 2>&1
	st=$?
	cp "$tmp/self" "$tmp/why"
	ok $st "its self-test passes $kind"
	has "and says so $kind" "$tmp/self" "ok 1 - there is a Plugin.Query"
done
status "new-plugin does not write over a folder" 1 \
    "$idl" new-plugin -o fresh mine "$XMSG_SRCDIR/idl/api"
has "says so" "$tmp/err" "is there already"
status "new-plugin wants a name" 2 "$idl" new-plugin
mv fresh/mine/Plugin.Query fresh/mine/Datapath.opne
PYTHONPATH=$XMSG_BUILDDIR/python fresh/mine/selftest >"$tmp/self" 2>&1
[ $? -eq 1 ]
ok $? "a broken plugin fails its self-test"
has "a wrong link is found" "$tmp/self" "not ok 1 - Datapath.opne is a call"

# Links from programs: as the examples have them, and in odd programs.
for kind in volume/filebased datapath/loop+file; do
	rm -rf linked
	mkdir linked
	cp "$XMSG_SRCDIR/examples/$kind/"*.py linked/
	status "links of $kind" 0 "$idl" links linked "$XMSG_SRCDIR/idl/api"
	(cd linked && find . -type l -printf '%f %l\n' | sort) >"$tmp/got"
	(cd "$XMSG_SRCDIR/examples/$kind" &&
	    find . -type l -printf '%f %l\n' | sort) >"$tmp/wanted"
	diff "$tmp/wanted" "$tmp/got" >"$tmp/why" 2>&1
	ok $? "they are those of the example"
	status "links again" 0 "$idl" links linked "$XMSG_SRCDIR/idl/api"
	has "are all there" "$tmp/out" "0 made"
done
rm -rf linked
mkdir linked
cat >linked/odd.py <<'EOF'
#!/usr/bin/env python3
"""A program.

class Text(Volume_skeleton):
    def snapshot(self): in a text
"""
class Base(
        xapi.storage.api.v5.volume.Volume_skeleton,
        object):
	def stat(self, dbg, sr, key):
		def clone(): inside another
class Other(object):
    def destroy(self): of no interface
if True:
    def resize(self): of no class

class Implementation(Base):
    """More.

    def revert(self): in a text
    """
    # def copy(self): in a comment
    def create(self, dbg, sr, name, description, size, sharable):
        pass
    def helper(self):
        pass
class Both(SR_skeleton, plugin.Plugin_skeleton):
    def query(self, dbg): pass
    def ls(self, dbg, sr): pass
EOF
cp linked/odd.py linked/second.py
sed -i '/def create/,$d' linked/second.py
printf '#!/bin/sh\nclass X(SR_skeleton):\n    def probe(self): pass\n' \
    >linked/shell
ln -s elsewhere linked/Plugin.ls
status "odd programs" 1 "$idl" links linked "$XMSG_SRCDIR/idl/api"
has "links of a class and of its heir" "$tmp/out" "4 made"
(cd linked && find . -type l -printf '%f\n' | sort | xargs) >"$tmp/got"
has "only what is a method" "$tmp/got" \
    "Plugin.Query Plugin.ls SR.ls Volume.create Volume.stat"
has "a link that leads elsewhere is named" "$tmp/err" \
    "linked/Plugin.ls: odd.py has this call, but it leads to elsewhere"
has "a call in two programs is named" "$tmp/err" \
    "linked/Volume.stat: second.py has this call, but it leads to odd.py"
has "a program that is none is named" "$tmp/err" \
    "linked/odd.py: not executable (chmod +x)"
status "links of nothing" 1 "$idl" links "$golden" "$XMSG_SRCDIR/idl/api"
has "says so" "$tmp/err" "no program in Python"
status "links of a folder that is not there" 1 "$idl" links nowhere \
    "$XMSG_SRCDIR/idl/api"
status "links wants a folder" 2 "$idl" links

# Manual pages pass their linter; every format and option has its place.
"$idl" man -o pages "$XMSG_SRCDIR/idl/api"
cp "$XMSG_SRCDIR/doc/xmsg-idl.1" pages/
(cd pages && mandoc -Tlint -Wwarning ./*.[17]) >"$tmp/why" 2>&1
ok $? "manual pages pass the linter"
for word in $("$idl" --formats) check diff new-plugin links; do
	has "the manual has $word" pages/xmsg-idl.1 ".It Cm $word"
done
for option in $("$idl" --help | grep -o -- '--[a-z][a-z-]*' | sort -u); do
	has "the manual has $option" pages/xmsg-idl.1 "Fl -${option#--}"
done

cd "$golden/bad" || exit 99
for f in *.yaml; do
	status "bad input $f is refused" 1 "$idl" check "$f"
	cp "$tmp/err" "$tmp/bad"
	same "bad input $f says where" "$golden/bad/${f%.yaml}.txt" "$tmp/bad"
done

cd "$tmp" || exit 99
status "no word is a usage error" 2 "$idl"
status "an unknown word is a usage error" 2 "$idl" pyhton x
has "the word that was meant is offered" "$tmp/err" 'did you mean "python"?'
status "an unknown option is a usage error" 2 "$idl" --what
status "help" 0 "$idl" --help
has "help lists the formats" "$tmp/out" "jsonschema"
status "version" 0 "$idl" --version
status "a file that is not there" 1 "$idl" check nowhere.yaml
has "is named" "$tmp/err" "nowhere.yaml: No such file"
mkdir empty
status "an empty folder" 1 "$idl" check empty
has "is named, too" "$tmp/err" "empty: there is no *.yaml file"
status "several files need a folder" 1 "$idl" python "$golden/tiny/tiny.yaml"
has "says so" "$tmp/err" "-o DIR"
status "a full disk is noticed" 1 sh -c \
    "'$idl' list '$golden/tiny/tiny.yaml' >/dev/full"

echo "1..$n"
exit $bad
