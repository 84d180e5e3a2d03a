# The OCaml library: generated wherever this is built; compiled by its tests,
# which want a compiler.
check_PROGRAMS += tests/idl/ocaml/roundtrip
tests_idl_ocaml_roundtrip_SOURCES = tests/idl/ocaml/roundtrip.c
nodist_tests_idl_ocaml_roundtrip_SOURCES = tests/idl/ocaml/roundtrip_types.h
tests_idl_ocaml_roundtrip_CPPFLAGS = $(libsmapi_a_CPPFLAGS) \
	-I$(top_builddir)/tests/idl/ocaml
tests_idl_ocaml_roundtrip_LDADD = libsmapi.a $(JANSSON_LIBS)
tests/idl/ocaml/roundtrip_types.h: idl/gen_smapi.h
	$(AM_V_GEN)$(MKDIR_P) tests/idl/ocaml && \
	sed -n 's/^extern const struct idl_type smapi_\(.*\);/TYPE(\1)/p' \
		idl/gen_smapi.h >$@
tests/idl/ocaml/roundtrip-roundtrip.$(OBJEXT): \
	tests/idl/ocaml/roundtrip_types.h
CLEANFILES += tests/idl/ocaml/roundtrip_types.h

TESTS += tests/test_idl_ocaml.py
tests/test_idl_ocaml.log: ocaml/stamp python/stamp \
	tests/idl/ocaml/roundtrip$(EXEEXT)
EXTRA_DIST += tests/test_idl_ocaml.py tests/idl/ocaml/roundtrip.ml \
	tests/idl/ocaml/roundtrip.py
