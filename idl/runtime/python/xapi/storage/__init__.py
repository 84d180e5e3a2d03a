# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

"""Storage plugins, and libraries for them (also those of other people)."""

from pkgutil import extend_path

__path__ = extend_path(__path__, __name__)
del extend_path
