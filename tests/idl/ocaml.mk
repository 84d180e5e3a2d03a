# The OCaml library: generated wherever this is built; compiled by its tests,
# which want a compiler.
check_PROGRAMS += tests/idl/ocaml/roundtrip
tests_idl_ocaml_roundtrip_SOURCES = tests/idl/ocaml/roundtrip.c
tests_idl_ocaml_roundtrip_CPPFLAGS = $(libsmapi_a_CPPFLAGS)
tests_idl_ocaml_roundtrip_LDADD = libsmapi.a $(JANSSON_LIBS)
tests/idl/ocaml/roundtrip-roundtrip.$(OBJEXT): idl/gen_smapi.h

TESTS += tests/test_idl_ocaml.py
tests/test_idl_ocaml.log: ocaml/stamp python/stamp \
	tests/idl/ocaml/roundtrip$(EXEEXT)
EXTRA_DIST += tests/test_idl_ocaml.py tests/idl/ocaml/roundtrip.ml \
	tests/idl/ocaml/roundtrip.py
