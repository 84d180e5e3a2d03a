# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

"""Version 5 of the storage interface.

plugin (Plugin), volume (SR and Volume), datapath (Datapath and Data) and
task (Task) are generated from its declarations.
"""
