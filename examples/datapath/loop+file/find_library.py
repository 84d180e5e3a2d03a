# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

"""Makes `import xapi` work wherever this plugin stands.

Installed libraries need none of this.  Otherwise: $XMSG_PYTHON, the build
folder of the source tree that the plugin is in, the places where xmsg puts
its own copy.
"""

import os
import sys


def _candidates():
    yield os.environ.get("XMSG_PYTHON", "")
    folder = os.path.dirname(os.path.realpath(__file__))
    while folder != "/":
        folder = os.path.dirname(folder)
        yield os.path.join(folder, "build", "python")
    yield "/usr/local/share/xmsg/python"
    yield "/usr/share/xmsg/python"


try:
    import xapi.storage.api  # noqa: F401
except ImportError:
    for _path in _candidates():
        if os.path.exists(os.path.join(_path, "xapi", "__init__.py")):
            sys.path.insert(0, _path)
            break
