# The generator of everything that speaks the storage interface.
noinst_LIBRARIES += libidl.a
libidl_a_SOURCES = \
	idl/arena.c idl/arena.h \
	idl/diag.c idl/diag.h \
	idl/yml.c idl/yml.h \
	idl/model.c idl/model.h \
	idl/value.c \
	idl/prose.c idl/prose.h \
	idl/load.c idl/load.h idl/load_int.h idl/load_type.c \
	idl/link.c \
	idl/check.c idl/check.h idl/clash.c \
	idl/emit.c idl/emit.h \
	idl/emit_list.c \
	idl/emit_completion.c \
	idl/emit_json.c \
	idl/pytext.c idl/pytext.h \
	idl/emit_py.c idl/emit_py.h \
	idl/emit_py_types.c \
	idl/emit_pyi.c \
	idl/emit_c.c \
	idl/emit_man.c \
	$(html_sources) \
	idl/emit_new.c \
	idl/links.c idl/links.h \
	idl/diff.c idl/diff.h
libidl_a_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/idl -Iidl $(YAML_CFLAGS) $(JANSSON_CFLAGS)

# The OCaml library: hand-written files and generated ones in one folder that
# dune or make can build there.
libidl_a_SOURCES += \
	idl/emit_ml.c idl/emit_ml.h \
	idl/emit_ml_doc.c \
	idl/emit_ml_help.c \
	idl/emit_ml_iface.c \
	idl/emit_ml_text.c \
	idl/emit_ml_types.c \
	idl/emit_ml_value.c
idl_ocaml = \
	idl/runtime/ocaml/META \
	idl/runtime/ocaml/Makefile \
	idl/runtime/ocaml/dune \
	idl/runtime/ocaml/dune-project \
	idl/runtime/ocaml/idl.ml \
	idl/runtime/ocaml/idl.mli \
	idl/runtime/ocaml/idl_script.ml \
	idl/runtime/ocaml/idl_script.mli \
	idl/runtime/ocaml/smapi.opam
EXTRA_DIST += $(idl_ocaml)
ocaml/stamp: xmsg-idl$(EXEEXT) $(idl_api) $(idl_ocaml)
	$(AM_V_GEN)rm -rf ocaml && $(MKDIR_P) ocaml && \
	for f in $(idl_ocaml); do \
		cp $(srcdir)/$$f ocaml/ && chmod u+w ocaml/$${f##*/} || exit 1; \
	done
	$(AM_V_at)./xmsg-idl$(EXEEXT) ocaml -o ocaml $(srcdir)/idl/api
	$(AM_V_at)touch $@
all-local: ocaml/stamp
idlocamldir = $(pkgdatadir)/ocaml
install-data-local: install-idl-ocaml
install-idl-ocaml: ocaml/stamp
	$(MKDIR_P) "$(DESTDIR)$(idlocamldir)"
	for f in $(idl_ocaml); do \
		$(INSTALL_DATA) "$(srcdir)/$$f" "$(DESTDIR)$(idlocamldir)" || \
		exit 1; \
	done
	$(INSTALL_DATA) ocaml/smapi*.ml ocaml/smapi*.mli \
		"$(DESTDIR)$(idlocamldir)"
uninstall-local: uninstall-idl-ocaml
uninstall-idl-ocaml:
	-rm -rf "$(DESTDIR)$(idlocamldir)"
clean-local: clean-idl-ocaml
clean-idl-ocaml:
	-rm -rf ocaml
.PHONY: install-idl-ocaml uninstall-idl-ocaml clean-idl-ocaml

bin_PROGRAMS += xmsg-idl
xmsg_idl_SOURCES = idl/main.c
xmsg_idl_CPPFLAGS = $(libidl_a_CPPFLAGS) \
	-DXMSG_APIDIR='"$(idlapidir)"'
IDL_LIBS = libidl.a libbase.a $(YAML_LIBS) $(JANSSON_LIBS)
xmsg_idl_LDADD = $(IDL_LIBS)
xmsg_idl_LDFLAGS = $(AM_LDFLAGS) $(PIE_LDFLAGS)

# The declarations.
idlapidir = $(pkgdatadir)/idl
idl_api = \
	idl/api/api.yaml \
	idl/api/datapath.yaml \
	idl/api/plugin.yaml \
	idl/api/task.yaml \
	idl/api/volume.yaml
dist_idlapi_DATA = $(idl_api)
EXTRA_DIST += idl/api/SCHEMA.md

# A manual page for each interface.
idl_man = \
	idl/man/smapi-data.7 idl/man/smapi-datapath.7 \
	idl/man/smapi-plugin.7 idl/man/smapi-sr.7 \
	idl/man/smapi-task.7 idl/man/smapi-volume.7
man7_MANS = $(idl_man)
idl/man/smapi-data.7: xmsg-idl$(EXEEXT) $(idl_api)
	$(AM_V_GEN)./xmsg-idl$(EXEEXT) man -o idl/man $(srcdir)/idl/api
idl/man/smapi-datapath.7 idl/man/smapi-plugin.7 idl/man/smapi-sr.7 \
idl/man/smapi-task.7 idl/man/smapi-volume.7: idl/man/smapi-data.7
	@test -f $@ || { rm -f $< && $(MAKE) $<; }
CLEANFILES += $(idl_man)

# Completion of the scripts of all plugins, to be sourced (zsh: in fpath).
idl_completion = idl/completion/smapi.bash idl/completion/_smapi \
	idl/completion/smapi.fish
idlcompletiondir = $(pkgdatadir)/completion
idlcompletion_DATA = $(idl_completion)
idl/completion/smapi.bash: xmsg-idl$(EXEEXT) $(idl_api)
	$(AM_V_GEN)./xmsg-idl$(EXEEXT) completion -o idl/completion \
		$(srcdir)/idl/api
idl/completion/_smapi idl/completion/smapi.fish: idl/completion/smapi.bash
	@test -f $@ || { rm -f $< && $(MAKE) $<; }
CLEANFILES += $(idl_completion)

# Tables and checks for C programs of our own.
noinst_LIBRARIES += libsmapi.a
libsmapi_a_SOURCES = idl/runtime/c/idlval.c idl/runtime/c/idlval.h
nodist_libsmapi_a_SOURCES = idl/gen_smapi.c idl/gen_smapi.h
libsmapi_a_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/idl/runtime/c \
	-I$(top_builddir)/idl $(JANSSON_CFLAGS)
idl/gen_smapi.c: xmsg-idl$(EXEEXT) $(idl_api)
	$(AM_V_GEN)./xmsg-idl$(EXEEXT) c -o idl $(srcdir)/idl/api
idl/gen_smapi.h: idl/gen_smapi.c
	@test -f $@ || { rm -f $< && $(MAKE) $<; }
idl/runtime/c/libsmapi_a-idlval.$(OBJEXT): idl/gen_smapi.h
idl/libsmapi_a-gen_smapi.$(OBJEXT): idl/gen_smapi.h
# For whoever includes it: the adapter, tests.
BUILT_SOURCES += idl/gen_smapi.h
CLEANFILES += idl/gen_smapi.c idl/gen_smapi.h

# The Python package: hand-written files and generated ones in one folder that
# pip can install (`pip install BUILD/python`).
idl_python = \
	idl/runtime/python/backend.py \
	idl/runtime/python/pyproject.toml \
	idl/runtime/python/setup.py \
	idl/runtime/python/xapi/__init__.py \
	idl/runtime/python/xapi/__init__.pyi \
	idl/runtime/python/xapi/py.typed \
	idl/runtime/python/xapi/storage/__init__.py \
	idl/runtime/python/xapi/storage/api/__init__.py \
	idl/runtime/python/xapi/storage/api/runtime.py \
	idl/runtime/python/xapi/storage/api/types.py \
	idl/runtime/python/xapi/storage/api/v5/__init__.py \
	idl/runtime/python/xapi/storage/check.py \
	idl/runtime/python/xapi/storage/client.py \
	idl/runtime/python/xapi/storage/common.py \
	idl/runtime/python/xapi/storage/common.pyi \
	idl/runtime/python/xapi/storage/log.py \
	idl/runtime/python/xapi/storage/log.pyi \
	idl/runtime/python/xapi/storage/switch.py \
	idl/runtime/python/xapi/storage/switch.pyi
EXTRA_DIST += $(idl_python)
python/stamp: xmsg-idl$(EXEEXT) $(idl_api) $(idl_python)
	$(AM_V_GEN)rm -rf python && $(MKDIR_P) python && \
	for f in $(idl_python); do \
		to=python/$${f#idl/runtime/python/}; \
		$(MKDIR_P) "$${to%/*}" && cp $(srcdir)/$$f $$to && \
		chmod u+w $$to || exit 1; \
	done
	$(AM_V_at)./xmsg-idl$(EXEEXT) python -o python $(srcdir)/idl/api
	$(AM_V_at)touch $@
all-local: python/stamp
clean-local: clean-idl
clean-idl:
	-rm -rf python
.PHONY: clean-idl

# Installed for use by path; distributions put it where their Pythons look.
idlpythondir = $(pkgdatadir)/python
install-data-local: python/stamp
	cd python && find . -type f ! -name stamp ! -name '*.pyc' | \
	while read -r f; do \
		$(MKDIR_P) "$(DESTDIR)$(idlpythondir)/$${f%/*}" && \
		$(INSTALL_DATA) "$$f" "$(DESTDIR)$(idlpythondir)/$$f" || exit 1; \
	done
uninstall-local:
	-rm -rf "$(DESTDIR)$(idlpythondir)"

# The HTML reference.  Its style, script and prose are built into the program.
html_sources = \
	idl/emit_html.c idl/emit_html.h \
	idl/emit_html_text.c \
	idl/emit_html_code.c \
	idl/emit_html_call.c \
	idl/emit_html_example.c \
	idl/emit_html_ref.c \
	idl/emit_html_list.c \
	idl/emit_html_page.c
html_assets = idl/html/style.css idl/html/page.js
html_text = idl/html/protocol.md idl/html/tutorial.md
EXTRA_DIST += $(html_assets) $(html_text) idl/html/embed.awk
nodist_libidl_a_SOURCES = idl/html_assets.h idl/html_text.h
idl/html_assets.h: $(html_assets) idl/html/embed.awk
	$(AM_V_GEN)$(MKDIR_P) idl && for f in $(html_assets); do \
		echo $(srcdir)/$$f; \
	done | xargs $(AWK) -f $(srcdir)/idl/html/embed.awk >$@.new && \
	mv $@.new $@
idl/html_text.h: $(html_text) idl/html/embed.awk
	$(AM_V_GEN)$(MKDIR_P) idl && for f in $(html_text); do \
		echo $(srcdir)/$$f; \
	done | xargs $(AWK) -f $(srcdir)/idl/html/embed.awk >$@.new && \
	mv $@.new $@
idl/libidl_a-emit_html.$(OBJEXT): idl/html_assets.h
idl/libidl_a-emit_html_page.$(OBJEXT): idl/html_text.h
CLEANFILES += idl/html_assets.h idl/html_text.h

# BUILD/html, made with everything else and installed with the documents.
html/stamp: xmsg-idl$(EXEEXT) $(idl_api)
	$(AM_V_GEN)rm -rf html && $(MKDIR_P) html && \
	./xmsg-idl$(EXEEXT) html -o html $(srcdir)/idl/api && touch $@
all-local: html/stamp
html-local: html/stamp
clean-local: clean-html
clean-html:
	-rm -rf html
install-data-local: install-reference
install-reference: html/stamp
	$(MKDIR_P) "$(DESTDIR)$(htmldir)/reference"
	for f in html/*.*; do \
		$(INSTALL_DATA) "$$f" "$(DESTDIR)$(htmldir)/reference" || exit 1; \
	done
uninstall-local: uninstall-reference
uninstall-reference:
	-rm -rf "$(DESTDIR)$(htmldir)/reference"
.PHONY: clean-html install-reference uninstall-reference
