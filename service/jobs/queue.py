"""The Celery app. Its messages only name a job: the record is the truth, and a lost message is sent again."""

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
    """Redis where `TWOFOLD_REDIS_URL` is set, else a folder of messages that needs no server."""
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
        # Redis hands a message to another worker after this time, so it exceeds the longest job.
        visible_s = settings.finetune_timeout_s + 600
        app.conf.update(
            broker_url=settings.redis_url.get_secret_value(),
            broker_transport_options={"visibility_timeout": visible_s, "socket_timeout": 10},
        )
    else:
        folders.messages.mkdir(parents=True, exist_ok=True)
        app.conf.update(
            broker_url="localhost",  # kombu wants a host even where there is none
            broker_transport="service.jobs.broker:Transport",
            broker_transport_options={"folder": str(folders.messages), "polling_interval": _POLL_S},
        )
    return app


class JobQueue(Protocol):
    """How workers hear of a job."""

    def send(self, job_id: str) -> None:
        """Tells an idle worker, or the next one to be idle. Never raises."""
        ...


class CeleryQueue:
    """`JobQueue` by Celery messages."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def send(self, job_id: str) -> None:
        try:
            self._app.send_task(TASK, [job_id], retry=False)
        except (OSError, KombuError, OperationalError) as error:
            # An idle worker finds the job waiting, and sends the message again.
            _log.warning("message_not_sent", job_id=job_id, error=type(error).__name__)
