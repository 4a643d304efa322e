"""`python -m service worker`: runs fine-tuning jobs, one at a time."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
import uuid
import warnings

from celery.platforms import SecurityWarning
from celery.worker import state

from service.inference.cpu import inference_threads
from service.jobs.files import Folders
from service.jobs.queue import TASK, CeleryQueue, make_celery
from service.jobs.run import JobRunner, warm_up
from service.jobs.stores import open_store
from service.jobs.sweeper import Sweeper
from service.logs import configure_logging
from service.settings import Settings


def run_worker(settings: Settings, *, parent: int | None = None) -> None:
    """Runs jobs until SIGTERM or SIGINT. The current job then goes back into the queue, with its checkpoint.

    Also ends when the process `parent` ends. Raises StoreUnavailable.
    """
    configure_logging(settings.log_level)
    warnings.simplefilter("ignore", SecurityWarning)  # about root; messages are JSON with a job's id
    warm_up(inference_threads(settings.finetune_threads))
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), name="orphan", daemon=True).start()
    folders = Folders(settings.state_dir, settings.models_dir)
    store = open_store(settings, folders)
    app = make_celery(settings, folders)
    owner = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:6]}"
    runner = JobRunner(store, folders, settings, owner, _stopping)
    with Sweeper(store, CeleryQueue(app), folders) as sweeper:

        @app.task(name=TASK)  # type: ignore[untyped-decorator]  # Celery is untyped
        def finetune(job_id: str) -> None:
            with sweeper.busy():
                runner.run(job_id)

        # The solo pool runs tasks in this process: torch and BLAS threads do not survive a fork.
        app.Worker(
            pool="solo",
            hostname=owner,
            loglevel=settings.log_level.upper(),
            quiet=True,
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
            redirect_stdouts=False,
        ).start()
    store.close()


def _stopping() -> bool:
    """Whether Celery shuts down. A signal sets the flag to the exit status, which may be 0."""
    return any(flag is not None and flag is not False for flag in (state.should_stop, state.should_terminate))


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)
