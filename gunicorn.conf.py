"""Settings of gunicorn, which reads this file when it starts in the repository's root.

WEB_CONCURRENCY, PORT and the command line override. Limits of requests are in
goodyadmin/settings.py and goodyadmin/server/gunicorn_worker.py.
"""

import os

bind = f"127.0.0.1:{os.environ.get('PORT', '8000')}"
worker_class = "goodyadmin.server.GunicornWorker"
workers = int(os.environ.get("WEB_CONCURRENCY", "1"))
# A write may wait 30 s for Goody; a stop lets it finish.
graceful_timeout = 45
control_socket_disable = True
