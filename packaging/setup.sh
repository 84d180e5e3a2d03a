# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
#
# Sourced by ./check and ./quickstart: installs what is missing and builds.
# Debian and RPM families; as root or through sudo; nothing is installed when
# nothing is missing, so it works offline then.

say() { printf '==> %s\n' "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# Debian package, RPM package, and what shows that it is there: a command, or
# pc:NAME for pkg-config, or h:HEADER, or ml:NAME for ocamlfind, or py:NAME for
# a module of Python, or f:FILE for a file that only Debian has.
deps_build() {
	cat <<-'EOF'
	gcc		gcc			cc
	make		make			make
	autoconf	autoconf		autoreconf
	automake	automake		automake
	libtool		libtool			libtoolize
	pkg-config	pkgconf-pkg-config	pkg-config
	libevent-dev	libevent-devel		pc:libevent_core
	libjansson-dev	jansson-devel		pc:jansson
	libsqlite3-dev	sqlite-devel		pc:sqlite3
	libinih-dev	inih-devel		pc:inih
	libyaml-dev	libyaml-devel		pc:yaml-0.1
	libcmocka-dev	libcmocka-devel		pc:cmocka
	uthash-dev	uthash-devel		h:uthash.h
	python3		python3			python3
	EOF
}

deps_test() {
	cat <<-'EOF'
	strace		strace			strace
	systemd		systemd			systemd-analyze
	valgrind	valgrind		valgrind
	mscgen		mscgen			mscgen
	mandoc		mandoc			mandoc
	procps		procps-ng		ps
	clang-format	clang-tools-extra	clang-format
	python3-setuptools python3-setuptools	py:setuptools
	mypy		python3-mypy		mypy
	zsh		zsh			zsh
	fish		fish			fish
	prometheus	golang-github-prometheus promtool
	chromium	chromium		chromium
	node-llhttp	-			f:/usr/share/llhttp/llhttp.c
	ocaml-nox	ocaml			ocamlopt
	ocaml-findlib	ocaml-findlib		ocamlfind
	ocaml-dune	ocaml-dune		dune
	libyojson-ocaml-dev ocaml-yojson-devel	ml:yojson
	EOF
}

# For ./check --fuzz.
deps_fuzz() {
	cat <<-'EOF'
	clang		clang			clang
	libclang-rt-dev	compiler-rt		fuzzer
	EOF
}

# Is it there?
have() {
	case $1 in
	pc:*) pkg-config --exists "${1#pc:}" 2>/dev/null ;;
	fuzzer) echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' |
		clang -w -fsanitize=fuzzer,address -x c -o /dev/null - \
			>/dev/null 2>&1 ;;
	f:*) [ "${family-}" != deb ] || [ -f "${1#f:}" ] ;;
	py:*) python3 -c "import ${1#py:}" >/dev/null 2>&1 ;;
	ml:*) ocamlfind query "${1#ml:}" >/dev/null 2>&1 ;;
	h:*) printf '#include <%s>\n' "${1#h:}" |
		cc -E -x c - >/dev/null 2>&1 ;;
	*) command -v "$1" >/dev/null 2>&1 ;;
	esac
}

# Packages of a list that are missing, by the names of this family (2 or 3).
missing() {
	"$1" | while read -r deb rpm probe; do
		have "$probe" && continue
		[ "$family" = deb ] && echo "$deb" || echo "$rpm"
	done
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
		sudo "$@"
	else
		die "packages are missing and this user cannot install them;" \
		    "as root, run: $*"
	fi
}

# install_missing LIST...: install what is missing of these lists.
install_missing() {
	if command -v apt-get >/dev/null 2>&1; then
		family=deb
	elif command -v dnf >/dev/null 2>&1 || command -v yum >/dev/null 2>&1
	then
		family=rpm
	else
		family=none
	fi
	want=
	for list in "$@"; do want="$want $(missing "$list")"; done
	want=$(echo $want)
	[ -n "$want" ] || return 0
	say "installing: $want"
	case $family in
	deb)
		as_root env DEBIAN_FRONTEND=noninteractive apt-get -q update
		as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
			--no-install-recommends install $want
		;;
	rpm)
		pm=$(command -v dnf || command -v yum)
		as_root "$pm" -y install $want
		;;
	none) die "please install with your package manager: $want" ;;
	esac
	for list in "$@"; do
		[ -z "$(missing "$list")" ] ||
			die "still missing: $(missing "$list" | xargs)"
	done
}

# build DIR [configure options]: configure once for these options, then make.
build() {
	dir=$1
	shift
	[ -x configure ] && [ -f Makefile.in ] &&
		[ -z "$(find configure.ac Makefile.am -newer configure)" ] ||
		autoreconf -fi >"$tmp/autoreconf.log" 2>&1 ||
		{ cat "$tmp/autoreconf.log" >&2; die "autoreconf failed"; }
	mkdir -p "$dir"
	if [ "$(cat "$dir/.options" 2>/dev/null)" != "$*" ] ||
		[ configure -nt "$dir/config.status" ]; then
		(cd "$dir" && ../configure -q "$@" >configure.out 2>&1) ||
			{ tail -20 "$dir/configure.out" >&2
			  die "configure failed: $dir/config.log says why"; }
		echo "$*" >"$dir/.options"
	fi
	make -s -C "$dir" -j"$jobs" >"$dir/make.out" 2>&1 ||
		{ tail -40 "$dir/make.out" >&2; die "the build failed"; }
}

jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
tmp=$(mktemp -d "${TMPDIR:-/tmp}/xmsg.XXXXXX")
