dist_man_MANS += doc/libxmsg.3
