# The HTML reference.
TESTS += tests/test_idl_html.py
EXTRA_DIST += tests/test_idl_html.py tests/idl/html_browser.py
tests/test_idl_html.log: xmsg-idl$(EXEEXT) python/stamp ocaml/stamp
