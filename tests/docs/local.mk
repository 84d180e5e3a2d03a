# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

# The documents: manuals pass their linter, and what they say of settings,
# options, requests and answers is what the program does.
docs_tests = tests/docs/test_man.sh tests/docs/test_settings_doc.py \
	tests/docs/test_protocol_doc.py tests/docs/test_openapi.py \
	tests/docs/test_prose.py tests/docs/test_adapter_doc.py \
	tests/docs/test_monitoring.py
TESTS += $(docs_tests)
EXTRA_DIST += $(docs_tests) tests/docs/common.py tests/docs/daemon.py \
	tests/docs/yamlite.py
