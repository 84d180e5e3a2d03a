#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

"""loop+file: who this plugin is (Plugin.Query)."""

import os
import sys

import find_library  # noqa: F401
import xapi.storage.api.v5.plugin
from xapi.storage import log


class Implementation(xapi.storage.api.v5.plugin.Plugin_skeleton):
    """The calls about the plugin itself."""

    def query(self, dbg):
        return {
            "plugin": "loop+file",
            "name": "Loop devices on files",
            "description": "Offers an image file as it is, and as a loop "
                           "device where the host allows it",
            "vendor": "The xmsg authors",
            "copyright": "2026 the xmsg authors",
            "version": "1.0",
            "required_api_version": "5.0",
            "features": [],
            "configuration": {},
            "required_cluster_stack": [],
        }


if __name__ == "__main__":
    log.log_call_argv()
    cmd = xapi.storage.api.v5.plugin.Plugin_commandline(Implementation())
    base = os.path.basename(sys.argv[0])
    if base == "Plugin.Query":
        cmd.query()
    else:
        raise xapi.storage.api.v5.plugin.Unimplemented(base)
