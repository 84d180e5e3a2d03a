# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

# The dashboard: its files, made into one page inside the broker.
ui_scripts = ui/model.js ui/chart.js ui/page.js
ui_sources = ui/page.html ui/page.css $(ui_scripts)
EXTRA_DIST += $(ui_sources)
noinst_PROGRAMS += ui/embed
ui_embed_SOURCES = ui/embed.c
ui_embed_LDADD = libbase.a

libbroker_a_SOURCES += broker/ui.c broker/ui.h
nodist_libbroker_a_SOURCES = ui/page_data.c
libbroker_a_CPPFLAGS += -I$(top_srcdir)/broker
CLEANFILES += ui/page_data.c
ui/page_data.c: $(ui_sources) ui/embed$(EXEEXT)
	$(AM_V_GEN)ui/embed$(EXEEXT) \
		'$(srcdir)/ui/page.html' '$(srcdir)/ui/page.css' \
		$(ui_scripts:%='$(srcdir)/%') >$@.tmp && mv $@.tmp $@
