# The command line: a convenience library for its tests, and a main.
noinst_LIBRARIES += libcli.a
libcli_a_SOURCES = \
	cli/cli.c cli/cli.h \
	cli/opts.c cli/opts.h \
	cli/pick.c cli/pick.h \
	cli/out.c cli/out.h \
	cli/ask.c cli/ask.h \
	cli/look.c cli/look_broker.c cli/look_events.c cli/look_state.c \
	cli/look.h cli/state.h cli/recorder.c cli/recorder.h \
	cli/msgs.c cli/msgs.h \
	cli/select.c cli/select.h cli/act.c cli/act.h \
	cli/cmd_cancel.c cli/cmd_dead.c \
	cli/cmd_replay.c cli/cmd_reply.c cli/cmd_purge.c cli/cmd_undo.c cli/cmd_log.c \
	cli/cmd_doctor.c cli/cmd_top.c cli/top_look.c cli/top_draw.c cli/top.h \
	cli/cmd_bugtool.c cli/cmd_db.c cli/dbfile.c cli/dbfile.h \
	cli/cmd_stats.c cli/callstat.c cli/callstat.h \
	cli/cmd_why.c cli/why_look.c cli/why_look.h cli/why.c cli/why.h cli/proc.c cli/proc.h \
	cli/rpc.c cli/serve.c cli/rpc.h \
	cli/cmd.c cli/cmd.h \
	cli/cmd_ack.c \
	cli/cmd_call.c \
	cli/cmd_completion.c \
	cli/cmd_diagnostics.c \
	cli/cmd_health.c \
	cli/cmd_help.c \
	cli/cmd_hold.c \
	cli/cmd_list.c \
	cli/cmd_queue.c \
	cli/cmd_recv.c \
	cli/cmd_send.c \
	cli/cmd_serve.c \
	cli/cmd_show.c \
	cli/cmd_shutdown.c \
	cli/cmd_status.c \
	cli/cmd_tail.c \
	cli/cmd_trace.c cli/runs.c cli/runs.h \
	$(cli_adapter_sources) \
	cli/cmd_web.c cli/web.c cli/web.h \
	cli/old.c cli/old_diag.c cli/old_trace.c cli/old.h
nodist_libcli_a_SOURCES = cli/completion_data.c cli/smapi_data.c
libcli_a_CPPFLAGS = $(AM_CPPFLAGS) $(CLI_ADAPTER_CPPFLAGS) $(JANSSON_CFLAGS) $(SQLITE_CFLAGS)

# Commands of the storage adapter.
cli_adapter_sources = \
	cli/adapter.c cli/adapter.h \
	cli/cmd_plugins.c \
	cli/cmd_plugin.c \
	cli/cmd_scripts.c \
	cli/cmd_calls.c \
	cli/cmd_smapi.c \
	cli/smapi_help.c cli/smapi_help.h \
	cli/plugin_check.c cli/plugin_check.h \
	cli/plugin_try.c cli/plugin_story.c cli/plugin_try.h
CLI_ADAPTER_LIBS = libadapter.a libsmapi.a
CLI_ADAPTER_CPPFLAGS = -I$(top_srcdir)/idl/runtime/c -Iidl

cli/libcli_a-cmd_smapi.$(OBJEXT) cli/libcli_a-smapi_help.$(OBJEXT) \
cli/libcli_a-plugin_check.$(OBJEXT) cli/libcli_a-plugin_try.$(OBJEXT) \
cli/libcli_a-plugin_story.$(OBJEXT): idl/gen_smapi.h

# The interface's description, also inside the program.
CLEANFILES += cli/smapi_data.c
cli/smapi_data.c: xmsg-idl$(EXEEXT) $(idl_api)
	$(AM_V_GEN)$(MKDIR_P) cli && \
	./xmsg-idl$(EXEEXT) openrpc $(srcdir)/idl/api >$@.json && { \
		echo 'extern const char smapi_openrpc[];'; \
		echo 'const char smapi_openrpc[] ='; \
		sed 's/^ *//; s/[\\"]/\\&/g; s/^/"/; s/$$/\\n"/' $@.json; \
		echo ';'; \
	} >$@.tmp && rm -f $@.json && mv $@.tmp $@

# The completion scripts, also inside the program.
completions = packaging/completion/bash packaging/completion/zsh \
	packaging/completion/fish
EXTRA_DIST += $(completions)
CLEANFILES += cli/completion_data.c
cli/completion_data.c: $(completions) cli/local.mk
	$(AM_V_GEN)$(MKDIR_P) cli && for shell in bash zsh fish; do \
		printf 'extern const char completion_%s[];\n' $$shell; \
		printf 'const char completion_%s[] =\n' $$shell; \
		sed 's/[\\"]/\\&/g; s/^/"/; s/$$/\\n"/' \
			'$(srcdir)/packaging/completion/'$$shell; \
		echo ';'; \
	done > $@.tmp && mv $@.tmp $@

CLI_LIBS = libcli.a $(CLI_ADAPTER_LIBS) libclient.a libbroker.a libbase.a $(JANSSON_LIBS) \
	$(SQLITE_LIBS) $(EVENT_LIBS) -lm

bin_PROGRAMS += xmsg
xmsg_SOURCES = cli/main.c
xmsg_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
xmsg_LDFLAGS = $(AM_LDFLAGS) $(PIE_LDFLAGS)
xmsg_LDADD = $(CLI_LIBS)

# message-cli is the same program under its old name.
install-exec-hook: install-message-cli
install-message-cli:
	$(MKDIR_P) '$(DESTDIR)$(sbindir)'
	cd '$(DESTDIR)$(sbindir)' && \
		$(LN_S) -f '$(bindir)/xmsg' message-cli

install-data-hook: install-completions
install-completions:
	$(MKDIR_P) '$(DESTDIR)$(datadir)/bash-completion/completions' \
		'$(DESTDIR)$(datadir)/zsh/site-functions' \
		'$(DESTDIR)$(datadir)/fish/vendor_completions.d'
	$(INSTALL_DATA) '$(srcdir)/packaging/completion/bash' \
		'$(DESTDIR)$(datadir)/bash-completion/completions/xmsg'
	$(INSTALL_DATA) '$(srcdir)/packaging/completion/zsh' \
		'$(DESTDIR)$(datadir)/zsh/site-functions/_xmsg'
	$(INSTALL_DATA) '$(srcdir)/packaging/completion/fish' \
		'$(DESTDIR)$(datadir)/fish/vendor_completions.d/xmsg.fish'

uninstall-hook: uninstall-cli
uninstall-cli:
	rm -f '$(DESTDIR)$(sbindir)/message-cli' \
		'$(DESTDIR)$(datadir)/bash-completion/completions/xmsg' \
		'$(DESTDIR)$(datadir)/zsh/site-functions/_xmsg' \
		'$(DESTDIR)$(datadir)/fish/vendor_completions.d/xmsg.fish'
