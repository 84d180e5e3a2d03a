dist_man_MANS += doc/libxmsg.3
dist_man_MANS += doc/xmsg-idl.1
dist_man_MANS += doc/xmsg.1 doc/message-cli.1
