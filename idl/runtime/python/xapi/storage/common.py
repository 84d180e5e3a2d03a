# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

"""Running commands from plugins."""

import subprocess

import xapi
from xapi.storage import log


def call(dbg, cmd_args, error=True, simple=True, expRc=0):
    """Run a command without a shell and return its output, as bytes.

    dbg is put in front of the log lines.  With error, an exit status other
    than expRc raises xapi.InternalError.  Without simple, the result is a
    tuple of standard output, standard error and exit status.
    """
    log.debug("%s: running %s", dbg, cmd_args)
    process = subprocess.Popen(
        cmd_args, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        close_fds=True)
    stdout, stderr = process.communicate()
    if error and process.returncode != expRc:
        log.error(
            "%s: %s exited with %d: stdout %r, stderr %r",
            dbg, cmd_args, process.returncode, stdout, stderr)
        raise xapi.InternalError(
            "%s: %s exited with %d: %s" % (
                dbg, cmd_args, process.returncode,
                stderr.decode("utf-8", "replace").strip()))
    if simple:
        return stdout
    return stdout, stderr, process.returncode
