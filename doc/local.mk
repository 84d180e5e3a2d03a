# The manuals, and what is read in a browser.
dist_man_MANS += doc/xmsgd.8 doc/xmsg.conf.5
dist_doc_DATA += doc/architecture.md doc/hacking.md doc/openapi.yaml \
	doc/protocol.md doc/store.md
dist_man_MANS += doc/libxmsg.3
dist_man_MANS += doc/xmsg-run.8
dist_man_MANS += doc/xmsg-idl.1
dist_man_MANS += doc/xmsg.1 doc/message-cli.1
dist_man_MANS += doc/xmsg-storaged.8 doc/xmsg-storaged.conf.5
dist_doc_DATA += doc/adapter.md doc/dashboard.md
EXTRA_DIST += doc/idl-status.md doc/switch-status.md
