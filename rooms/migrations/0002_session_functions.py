from pathlib import Path

from django.db import migrations

from core.db.sql import install

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("rooms", "0001_initial"), ("payments", "0002_ledger_functions")]

    operations = [
        install(SQL / "room_event.sql"),
        install(SQL / "join_session.sql"),
        install(SQL / "leave_session.sql"),
        install(SQL / "close_session.sql"),
    ]
