# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

libadapter_a_SOURCES += storage-adapter/call.h
