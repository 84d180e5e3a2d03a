# What distributions install besides programs and manuals.
EXTRA_DIST += packaging/setup.sh packaging/xmsgd.service packaging/xmsgd.socket \
	packaging/xmsg.sysusers packaging/xmsg-storaged.service packaging/monitoring/README.md \
	packaging/monitoring/alerts.yml packaging/monitoring/dashboard.json

# What support archives run.
bugtooldir = $(sysconfdir)/xensource/bugtool
bugtool_DATA = packaging/bugtool/message-switch.xml
bugtoolcollectdir = $(bugtooldir)/message-switch
bugtoolcollect_DATA = packaging/bugtool/stuff.xml
EXTRA_DIST += $(bugtool_DATA) $(bugtoolcollect_DATA)
