# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

# Our HTTP parser beside llhttp (how targets are built: see tests/local.mk).
if HAVE_LLHTTP
check_LIBRARIES += tests/fuzz/libllhttp.a
tests_fuzz_libllhttp_a_SOURCES = tests/fuzz/llhttp.c tests/fuzz/llhttp_api.c
tests_fuzz_libllhttp_a_CPPFLAGS = -DLLHTTP_STRICT_MODE=1 -I$(LLHTTP_DIR) \
	-I$(LLHTTP_INCLUDE)
tests_fuzz_libllhttp_a_CFLAGS = -w $(HARD_CFLAGS)
check_PROGRAMS += tests/fuzz/fuzz_llhttp
tests_fuzz_fuzz_llhttp_SOURCES = tests/fuzz/fuzz_llhttp.c tests/fuzz/fuzz.h \
	$(FUZZ_MAIN)
tests_fuzz_fuzz_llhttp_CPPFLAGS = $(AM_CPPFLAGS) -I$(LLHTTP_INCLUDE) \
	-DSEEDS='"llhttp.seeds"'
tests_fuzz_fuzz_llhttp_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_llhttp_LDADD = tests/fuzz/libllhttp.a libbase.a
if !FUZZING
TESTS += tests/fuzz/fuzz_llhttp
endif
endif
EXTRA_DIST += tests/fuzz/llhttp.seeds tests/fuzz/llhttp.c \
	tests/fuzz/llhttp_api.c tests/fuzz/fuzz_llhttp.c tests/fuzz/llhttp.dict \
	tests/fuzz/redact.dict tests/fuzz/conf.dict tests/fuzz/rpc.dict \
	tests/fuzz/call.dict
