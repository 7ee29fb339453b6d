from pathlib import Path

from django.db import migrations

from core.db.sql import install

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("rounds", "0001_contests")]

    operations = [install(SQL / "places.sql"), install(SQL / "entrants.sql")]
