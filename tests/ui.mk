# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

# The dashboard: its bytes, the server for it, and the page in a real browser.
ui_tests = tests/ui/test_page.py tests/ui/test_web.py tests/ui/test_browser.py
TESTS += $(ui_tests)
EXTRA_DIST += $(ui_tests) tests/ui/web.py tests/ui/play.py \
	tests/ui/hostile.py tests/ui/look.py

# The long form, with pictures and axe: make check-ui AXE=.../axe.min.js
check-ui: xmsgd$(EXEEXT) xmsg$(EXEEXT)
	XMSG_BUILDDIR='$(abs_top_builddir)' XMSG_SRCDIR='$(abs_top_srcdir)' \
		$(PYTHON) $(srcdir)/tests/ui/look.py ui-shots $(AXE)
clean-local: clean-ui-shots
clean-ui-shots:
	-rm -rf ui-shots
.PHONY: check-ui clean-ui-shots
tests/ui/test_page.log tests/ui/test_web.log tests/ui/test_browser.log: \
	xmsgd$(EXEEXT) xmsg$(EXEEXT)
