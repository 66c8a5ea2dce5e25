"""Begins the worker of the Procfile: `python -m tasks`."""
import logging.config
import signal

signal.signal(signal.SIGINT, signal.SIG_DFL)  # while it is still being read there is nothing to put in order

from server.core import logs  # noqa: E402
from tasks.worker import worker  # noqa: E402

logging.config.dictConfig(logs.CONFIG)  # what fails before it has started is told as all else
worker().run()
