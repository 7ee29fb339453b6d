from pathlib import Path

from django.db import migrations

from core.db.sql import install

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("rooms", "0004_session_contest"), ("payments", "0006_seal_functions")]

    operations = [install(SQL / "close_session.sql")]
