"""The application a web server loads: ``hub web`` does, or any WSGI server you have."""

import gc

from hub.app import Hub
from hub.db.migrate import migrate
from hub.settings import Settings
from hub.web.app import create_app

_hub = Hub.from_settings(Settings.from_environment())
migrate(_hub.engine)
app = create_app(_hub)
# What is here now stays; of what comes and goes few things hold each other in a ring.
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 20, 100)
