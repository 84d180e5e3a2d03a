# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

# What clients can take from the broker, and how far it grows.
EXTRA_DIST += bench/hostile
