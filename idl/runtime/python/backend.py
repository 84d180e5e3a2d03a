# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

"""How pip builds this package: a wheel is a zip file of its own files.

Pure Python needs no compiler and no setuptools, which newer Pythons do not
come with; so `pip install .` works without a network.  What pip asks for is
described in PEP 517, the form of the file in PEP 427.  A pip older than 20
wants `PYTHONPATH=. pip install --no-build-isolation .`; one older than 18 uses
setup.py.
"""

import base64
import hashlib
import io
import os
import tarfile
import zipfile

NAME, VERSION = "xapi_storage", "0.1"
INFO = "%s-%s.dist-info" % (NAME, VERSION)
SUFFIXES = (".py", ".pyi", "py.typed")
METADATA = u"""\
Metadata-Version: 2.1
Name: xapi-storage
Version: %s
Summary: Libraries for storage plugins (SMAPIv3)
License: ISC
Requires-Python: >=2.7, !=3.0.*, !=3.1.*, !=3.2.*, !=3.3.*, !=3.4.*, !=3.5.*
""" % VERSION
WHEEL = u"""\
Wheel-Version: 1.0
Generator: xmsg
Root-Is-Purelib: true
Tag: py2-none-any
Tag: py3-none-any
"""


def _files():
    """The package's files below the current folder, in order."""
    for folder, folders, names in os.walk("xapi"):
        folders.sort()
        for name in sorted(names):
            if name.endswith(SUFFIXES):
                yield os.path.join(folder, name).replace(os.sep, "/")


def _read(path):
    with io.open(path, "rb") as f:
        return f.read()


def _contents():
    """Pairs of a name in the wheel and bytes."""
    for path in _files():
        yield path, _read(path)
    yield INFO + "/METADATA", METADATA.encode("utf-8")
    yield INFO + "/WHEEL", WHEEL.encode("utf-8")


def build_wheel(wheel_directory, config_settings=None,
                metadata_directory=None):
    """Write the wheel; its name."""
    name = "%s-%s-py2.py3-none-any.whl" % (NAME, VERSION)
    record = []
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w",
                         zipfile.ZIP_DEFLATED) as wheel:
        for path, data in _contents():
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest())
            record.append("%s,sha256=%s,%d" % (
                path, digest.rstrip(b"=").decode("ascii"), len(data)))
            wheel.writestr(_entry(path), data)
        record.append(INFO + "/RECORD,,\n")
        wheel.writestr(_entry(INFO + "/RECORD"), "\n".join(record))
    return name


def _entry(path):
    """The same file each time: no date of today, no mode of this machine."""
    entry = zipfile.ZipInfo(path)
    entry.external_attr = 0o100644 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def build_sdist(sdist_directory, config_settings=None):
    """Write the source archive; its name."""
    base = "%s-%s" % (NAME, VERSION)
    path = os.path.join(sdist_directory, base + ".tar.gz")
    with tarfile.open(path, "w:gz") as archive:
        for name in ["backend.py", "pyproject.toml", "setup.py"] + list(
                _files()):
            archive.add(name, base + "/" + name)
        data = METADATA.encode("utf-8")
        info = tarfile.TarInfo(base + "/PKG-INFO")
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    return base + ".tar.gz"
