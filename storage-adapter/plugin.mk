# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

libadapter_a_SOURCES += storage-adapter/plugin.h storage-adapter/plugin.c \
	storage-adapter/plugin_impl.h storage-adapter/plugin_probe.c \
	storage-adapter/plugin_why.c \
	storage-adapter/plugin_name.c storage-adapter/plugin_name.h \
	storage-adapter/plugin_query.c storage-adapter/plugin_query.h \
	storage-adapter/scripts.c storage-adapter/trust.c \
	storage-adapter/trial.c storage-adapter/trial.h \
	storage-adapter/watch.c storage-adapter/watch.h \
	storage-adapter/watch_list.c storage-adapter/watch_list.h
