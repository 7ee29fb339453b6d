from pathlib import Path

from django.db import migrations

from core.db.sql import install

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("payments", "0005_seals_and_freezes")]

    operations = [
        install(SQL / "ledger_guard.sql"),
        install(SQL / "ledger_post.sql"),
        install(SQL / "seals.sql"),
    ]
