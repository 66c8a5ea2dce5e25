"""灯塔 e支部: the application."""
import os

os.environ.setdefault("PICCOLO_CONF", "server.piccolo_conf")  # where Piccolo's tables look for their database
