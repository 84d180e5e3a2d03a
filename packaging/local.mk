# What distributions install besides programs and manuals.
EXTRA_DIST += packaging/setup.sh packaging/xmsgd.service packaging/xmsgd.socket \
	packaging/xmsg-storaged.service
