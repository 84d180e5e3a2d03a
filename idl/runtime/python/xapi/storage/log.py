# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

"""Logging for plugins: to syslog, never to standard output.

Importing the module sets up the root logger and makes sure that an exception
which nobody catches is in the log, too.
"""

import logging
import logging.handlers
import sys

import xapi

LOG_LEVEL = logging.DEBUG
LOG_SYSLOG_FACILITY = logging.handlers.SysLogHandler.LOG_LOCAL2
LOG_TO_STDERR = False

_ADDRESS = "/dev/log"
_FORMAT = "SMAPIv3: [%(process)d] - %(levelname)s - %(message)s"


class _QuietSysLogHandler(logging.handlers.SysLogHandler):
    """Loses messages while there is no syslog, instead of complaining."""

    def handleError(self, record):
        pass

    def close(self):
        try:
            logging.handlers.SysLogHandler.close(self)
        except (EnvironmentError, AttributeError):
            pass  # it never had a socket


def _syslog_handler():
    try:
        return _QuietSysLogHandler(
            address=_ADDRESS, facility=LOG_SYSLOG_FACILITY)
    except EnvironmentError:  # socket.error is one of these
        return logging.NullHandler()


def _add(handler):
    handler.setFormatter(logging.Formatter(_FORMAT))
    handler.setLevel(LOG_LEVEL)
    logging.getLogger().addHandler(handler)


def configure_logging():
    """Send the root logger's messages to syslog."""
    logging.getLogger().setLevel(LOG_LEVEL)
    _add(_syslog_handler())
    if LOG_TO_STDERR:
        _add(logging.StreamHandler(sys.stderr))


def debug(message, *args, **kwargs):
    """For whoever follows the plugin step by step."""
    logging.getLogger().debug(message, *args, **kwargs)


def info(message, *args, **kwargs):
    """What an operator may want to know."""
    logging.getLogger().info(message, *args, **kwargs)


def warning(message, *args, **kwargs):
    """Something is not as it should be, but the call goes on."""
    logging.getLogger().warning(message, *args, **kwargs)


def error(message, *args, **kwargs):
    """The call fails."""
    logging.getLogger().error(message, *args, **kwargs)


def critical(message, *args, **kwargs):
    """The plugin cannot work at all."""
    logging.getLogger().critical(message, *args, **kwargs)


def log_call_argv():
    """One line with the command line of this script."""
    info("called as: %s", sys.argv)


_previous_hook = sys.excepthook


def handle_unhandled_exceptions(exception_type, exception_value, tb):
    """Log an exception that nobody caught, then report it as before."""
    level = logging.ERROR
    if issubclass(exception_type, xapi.XenAPIException):
        level = logging.INFO
    logging.getLogger().log(
        level, "Nobody caught this exception:",
        exc_info=(exception_type, exception_value, tb))
    _previous_hook(exception_type, exception_value, tb)


configure_logging()
sys.excepthook = handle_unhandled_exceptions
