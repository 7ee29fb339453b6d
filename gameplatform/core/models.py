"""What core keeps in the database: the answers given to requests that carried an idempotency key."""

from django.db import models


class IdempotencyRecord(models.Model):
    """One (caller, endpoint, key): the request it first came with, and the answer that was given.

    Written only by ``core.idempotency``; pruned after a day or so, because the money rules below it have unique
    business keys of their own and need no record to be safe.
    """

    class State(models.TextChoices):
        IN_FLIGHT = "in_flight", "In flight"
        DONE = "done", "Done"

    caller = models.CharField(max_length=100)
    endpoint = models.CharField(max_length=300)
    key = models.CharField(max_length=255)
    request_hash = models.BinaryField(max_length=32)
    state = models.CharField(max_length=9, choices=State)
    response_status = models.PositiveSmallIntegerField(null=True)
    response_body = models.BinaryField(null=True)
    created_at = models.DateTimeField()
    # When the run that now holds the record began: also the holder's proof that the record is still its own.
    locked_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["caller", "endpoint", "key"], name="core_idempotency_unique"),
            models.CheckConstraint(
                name="core_idempotency_done_has_answer",
                condition=models.Q(state="in_flight", response_status__isnull=True, response_body__isnull=True)
                | models.Q(state="done", response_status__isnull=False, response_body__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["created_at"], name="core_idempotency_age")]

    def __str__(self) -> str:
        return f"{self.endpoint} {self.key}"
