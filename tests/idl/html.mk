# The HTML reference.
TESTS += tests/test_idl_html.py
EXTRA_DIST += tests/test_idl_html.py tests/idl/html_browser.py

# In a real browser: make check-html AXE=.../axe.min.js
check-html: html/stamp
	$(PYTHON) $(srcdir)/tests/idl/html_browser.py html html-shots $(AXE)
clean-local: clean-shots
clean-shots:
	-rm -rf html-shots
.PHONY: check-html clean-shots
tests/test_idl_html.log: xmsg-idl$(EXEEXT) python/stamp ocaml/stamp
