"""What the benchmarks of the HTTP routes share: a database of their own, and people with money in it."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import connection, transaction

from accounts.models import Game, User
from payments import ledger, wallets
from payments.models import Account, Token

BATCH = 500


@contextmanager
def database() -> Iterator[None]:
    """An empty database with all tables beside the one of DATABASE_URL, dropped at the end."""
    original = connection.settings_dict["NAME"]
    connection.settings_dict["TEST"]["NAME"] = f"benchmark_{uuid.uuid4().hex[:8]}"
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(original, verbosity=0)


def master_and_game() -> tuple[User, Game]:
    return (
        User.objects.create(username="master", is_master=True, wallet_address="wallet-of-master"),
        Game.objects.create(name="Benchmark", symbol="BENCH"),
    )


def gold() -> Token:
    with transaction.atomic():
        return wallets.ensure_token(symbol="GOLD", name="Gold", decimals=2)


def players(token: Token, count: int, *, amount_minor: int, now: datetime) -> list[User]:
    """That many users with consecutive ids and so much money each."""
    tag = uuid.uuid4().hex[:8]
    users = User.objects.bulk_create(
        User(username=f"{tag}-{n}", wallet_address=f"wallet-{tag}-{n}") for n in range(count)
    )
    owned = Account.objects.bulk_create(Account(kind=Account.Kind.WALLET, owner=user, token=token) for user in users)
    for start in range(0, count, BATCH):
        with transaction.atomic():
            ledger.post(
                postings=[
                    ledger.Posting(
                        debit_account_id=wallets.issuance_account(token).pk,
                        credit_account_id=account.pk,
                        amount_minor=amount_minor,
                        code="deposit",
                        reference=f"user:{account.owner_id}",
                        key=f"benchmark:{account.pk}",
                    )
                    for account in owned[start : start + BATCH]
                ],
                now=now,
            )
    return users
