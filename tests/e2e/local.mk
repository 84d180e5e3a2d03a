# End-to-end tests: the real broker on a socket in a fresh folder.
e2e_tests = tests/e2e/test_wire.py
TESTS += $(e2e_tests)
EXTRA_DIST += $(e2e_tests) tests/support/tap.py tests/support/broker.py
