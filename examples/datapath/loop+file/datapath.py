#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

"""loop+file: an image file for a virtual machine (the scripts Datapath.*).

Beside the image, IMAGE.users lists the machines that it is attached for, one
a line; the loop device goes with the last of them.  Every step may be
repeated and may find its work done.
"""

import contextlib
import fcntl
import os
import sys

import find_library  # noqa: F401
import xapi
import xapi.storage.api.v5.datapath
from xapi.storage import log
from xapi.storage.common import call

SCHEME = "loop+file://"


def image_of(uri):
    """The file behind a location."""
    if not uri.startswith(SCHEME + "/"):
        raise xapi.XenAPIException(
            "SR_BACKEND_FAILURE", ["not a %s location" % SCHEME, uri])
    return uri[len(SCHEME):]


def must_exist(image):
    if not os.path.exists(image):
        raise xapi.XenAPIException(
            "SR_BACKEND_FAILURE", ["there is no such image", image])


def device_of(dbg, image):
    """The loop device of an image, or None."""
    try:
        out = call(dbg, ["losetup", "--noheadings", "--output", "NAME",
                         "--associated", image], error=False)
    except OSError:  # no losetup here
        return None
    names = out.decode("utf-8").split()
    return names[0] if names else None


def make_device(dbg, image):
    """The loop device of an image, made when needed; None where the host
    does not allow it."""
    device = device_of(dbg, image)
    if device is None and os.access("/dev/loop-control", os.W_OK):
        out, _, status = call(
            dbg, ["losetup", "--find", "--show", image],
            error=False, simple=False)
        if status == 0:
            device = out.decode("utf-8").strip()
    return device


@contextlib.contextmanager
def users_of(image):
    """The machines that an image is attached for, as a set to change."""
    with open(image + ".users", "a+") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        f.seek(0)
        users = set(f.read().split("\n")) - set([""])
        yield users
        f.seek(0)
        f.truncate()
        f.write("".join(user + "\n" for user in sorted(users)))


class Implementation(xapi.storage.api.v5.datapath.Datapath_skeleton):
    """Attach makes the device, activate lets it be used."""

    def attach(self, dbg, uri, domain):
        image = image_of(uri)
        must_exist(image)
        with users_of(image) as users:
            device = make_device(dbg, image)
            users.add(domain)
        ways = []
        if device is not None:
            ways = [
                ["XenDisk", {"params": device, "extra": {},
                             "backend_type": "vbd3"}],
                ["BlockDevice", {"path": device}],
            ]
        return {"implementations": ways + [["File", {"path": image}]]}

    def activate(self, dbg, uri, domain):
        must_exist(image_of(uri))

    def activate_readonly(self, dbg, uri, domain):
        must_exist(image_of(uri))

    def deactivate(self, dbg, uri, domain):
        image = image_of(uri)
        if os.path.exists(image):
            fd = os.open(image, os.O_RDONLY)
            try:
                os.fsync(fd)
            finally:
                os.close(fd)

    def detach(self, dbg, uri, domain):
        image = image_of(uri)
        if not os.path.exists(image + ".users"):
            return
        with users_of(image) as users:
            users.discard(domain)
            device = device_of(dbg, image)
            if not users and device is not None:
                call(dbg, ["losetup", "--detach", device], error=False)
            if not users:
                os.unlink(image + ".users")


if __name__ == "__main__":
    log.log_call_argv()
    cmd = xapi.storage.api.v5.datapath.Datapath_commandline(Implementation())
    name = os.path.basename(sys.argv[0])
    if name.split(".")[0] == "Datapath" and name.split(".")[-1] in dir(cmd):
        getattr(cmd, name.split(".")[1])()
    else:
        raise xapi.storage.api.v5.datapath.Unimplemented(name)
