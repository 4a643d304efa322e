"""The Celery app. A message holds only a job's id; the record has the rest. Lost messages are sent again."""

from __future__ import annotations

from typing import Protocol

import structlog
from celery import Celery
from kombu.exceptions import KombuError, OperationalError

from service.jobs.files import Folders
from service.settings import Settings

TASK = "twofold.finetune"
QUEUE = "finetune"
_POLL_S = 0.2  # how often an idle worker looks into the folder
_log = structlog.get_logger(__name__)


def make_celery(settings: Settings, folders: Folders) -> Celery:
    """Uses Redis if `TWOFOLD_REDIS_URL` is set. Otherwise uses a folder of messages, without a server."""
    app = Celery("twofold", set_as_current=False)
    app.conf.update(
        accept_content=["json"],
        task_serializer="json",
        task_ignore_result=True,
        task_default_queue=QUEUE,
        task_acks_late=True,
        worker_prefetch_multiplier=1,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        worker_cancel_long_running_tasks_on_connection_loss=False,
    )
    if settings.redis_url:
        # After this time Redis gives a message to another worker: it must exceed the longest job.
        visible_s = settings.finetune_timeout_s + 600
        app.conf.update(
            broker_url=settings.redis_url.get_secret_value(),
            broker_transport_options={"visibility_timeout": visible_s, "socket_timeout": 10},
        )
    else:
        folders.messages.mkdir(parents=True, exist_ok=True)
        app.conf.update(
            broker_url="localhost",  # kombu needs a host, although there is none
            broker_transport="service.jobs.broker:Transport",
            broker_transport_options={"folder": str(folders.messages), "polling_interval": _POLL_S},
        )
    return app


class JobQueue(Protocol):
    """Tells workers of jobs."""

    def send(self, job_id: str) -> None:
        """Tells an idle worker, or the next that becomes idle. Never raises."""
        ...


class CeleryQueue:
    """`JobQueue` by Celery messages."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def send(self, job_id: str) -> None:
        try:
            self._app.send_task(TASK, [job_id], retry=False)
        except (OSError, KombuError, OperationalError) as error:
            # An idle worker will find the job waiting and send the message again.
            _log.warning("message_not_sent", job_id=job_id, error=type(error).__name__)
